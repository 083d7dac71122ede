package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/nodegroups"
	"github.com/buildpool/buildpool/nodegroups/config"
	"github.com/buildpool/buildpool/nodegroups/usage"
)

// costFlags are the flags of cost.
type costFlags struct {
	config, endpoint   string
	since, until, zone string
	label, output      string
}

const outputCSV = "csv"

func newCostCommand(env environment) *cobra.Command {
	var f costFlags
	command := &cobra.Command{
		Use:   "cost --config FILE",
		Short: "Tell what the node groups cost, per group and day, from their scaling activities",
		Long: `Cost reads from the account when instances of each group came and went, and adds
up by day and group how long they existed and what that costs. It changes nothing.

An instance counts from the beginning of the activity that created it to the end of
the one that removed it, to the minute. One that was stopped to be started again does
not count while it is stopped, and one that was attached by hand never does. The cloud
remembers activities for 30 days.

All hours are at the price that an instance of the group has now: the configuration's,
else the account's, else the shipped table's; ~ marks an assumption. Disks, traffic and
discounts that the account's price does not show are not in it. Hours of a group without
a known price are shown, and their cost is "?", not 0.

With -o csv there is one line for each group and day, with the columns
  day group class label instance_hours instances cost currency price_per_hour
  price_source price_assumed
and with -o json an object of apiVersion buildpool/v1alpha1 and kind Cost:
  since, until, timeZone, label (that was asked for)
  days[]    {day, group, class, label, instanceHours, instances, cost}
  groups[]  {group, class, label, instanceHours, cost, price {perHour, currency, source,
            asOf, assumed} or null, problem}
  totals[]  {label, instanceHours, cost, currency, incomplete}
Costs that are not known are null. incomplete: hours without a known price are left out.`,
		Example: `  buildpool cost --config nodegroups.yaml
  buildpool cost --config nodegroups.yaml --since 2026-11-01 --until 2026-11-15 --label team
  buildpool cost --config nodegroups.yaml --since 30d -o csv > cost.csv`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			if f.config == "" {
				return errors.New("--config FILE is required: the node-group file names the groups")
			}
			if f.output != outputText && f.output != outputJSON && f.output != outputCSV {
				return fmt.Errorf("--output is %q, but must be %s, %s or %s", f.output, outputText, outputCSV, outputJSON)
			}
			return showCost(command.Context(), env, f)
		},
	}
	flags := command.Flags()
	flags.StringVar(&f.config, "config", "", "the node-group file")
	flags.StringVar(&f.since, "since", "7d", "where the period begins: a day (2026-11-01), a time (2026-11-01T09:00:00Z) or an age (7d, 36h)")
	flags.StringVar(&f.until, "until", "", "where it ends, likewise; a day is not in it; default: now")
	flags.StringVar(&f.zone, "time-zone", "", "whose days are meant, such as Asia/Shanghai; default: schedule.timeZone of the file, else UTC")
	flags.StringVar(&f.label, "label", "", "total by this label of the groups as well, such as team")
	flags.StringVarP(&f.output, "output", "o", outputText, "form of the output: text, csv or json")
	flags.StringVar(&f.endpoint, "ess-endpoint", "", "URL of a simulated account")
	return command
}

func showCost(ctx context.Context, env environment, f costFlags) error {
	file, err := readNodeGroups(f.config)
	if err != nil {
		return err
	}
	period, err := costPeriod(f, file.config, env.clock.Now())
	if err != nil {
		return err
	}
	log := slog.New(slog.DiscardHandler)
	cloud, err := openCloud(env, file.config, f.endpoint, prometheus.NewRegistry(), log)
	if err != nil {
		return err
	}
	// In a dry run: nothing here may write.
	provider, err := nodegroups.New(file.config, nodegroups.Settings{Cloud: cloud, Clock: env.clock, Log: log, NewToken: rand.Text, DryRun: true})
	if err != nil {
		return err
	}
	defer provider.Close()
	if err := provider.Refresh(ctx); err != nil {
		return err
	}
	if err := provider.ReadPrices(ctx); err != nil {
		return err
	}
	report, err := costReportOn(ctx, cloud, provider.Status(), file.config, period, f.label)
	if err != nil {
		return err
	}
	write := map[string]func(costReport) ([]byte, error){outputText: costText, outputCSV: costCSV, outputJSON: costJSON}[f.output]
	out, err := write(report)
	if err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	_, err = env.stdout.Write(out)
	return err
}

// costReportOn reads the groups' histories and makes the report of them.
func costReportOn(ctx context.Context, cloud cloudprovider.Cloud, status nodegroups.Status, cfg config.Config, period costTime, label string) (costReport, error) {
	history, ok := cloud.(cloudprovider.ActivityHistory)
	if !ok {
		return costReport{}, errors.New("this account does not remember its scaling activities")
	}
	r := newCostReport(period, label)
	for n, g := range status.Groups {
		value := cfg.Groups[n].Labels[label]
		if g.Problem != "" {
			r.add(g, value, nil, nil)
			continue
		}
		// Instances first: one that goes meanwhile is then in an activity.
		instances, err := cloud.Instances(ctx, g.ScalingGroupID)
		if err != nil {
			return costReport{}, err
		}
		activities, err := history.ActivitiesSince(ctx, g.ScalingGroupID, period.since)
		if err != nil {
			return costReport{}, err
		}
		lives, lost := usage.History{Activities: activities, Instances: instances}.Lives(period.since, period.until)
		r.add(g, value, usage.Days(lives, period.location), lost)
	}
	return r, nil
}

// costTime is the period of a report, and whose days it is cut into.
type costTime struct {
	since, until time.Time
	location     *time.Location
}
