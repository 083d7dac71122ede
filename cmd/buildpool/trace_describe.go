package main

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/buildpool/buildpool/simulations/workload"
)

func newTraceDescribeCommand(env environment) *cobra.Command {
	var source traceSource
	var output string
	cmd := &cobra.Command{
		Use:   "describe [FILE]",
		Short: "Tell the shape of a trace in numbers",
		Long: `Tell the shape of a trace: how many builds come when and how bunched they are, how
long they run, how many there would be at once if none ever waited, by class, by job
and by hour of the week.

"CV" is the standard deviation of the times between arrivals, in means: 1 if builds
come one by one by chance; CI has about 10, because a push starts many.

-o json prints an object whose keys are a promise; durations and waits are seconds.`,
		Example: `  buildpool trace describe builds.csv
  buildpool trace generate nightly | buildpool trace describe -o json`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if output != "text" && output != "json" {
				return fmt.Errorf("unknown output %q: use text or json", output)
			}
			trace, err := source.read(env, sourceName(args))
			if err != nil {
				return err
			}
			d := workload.Describe(trace)
			if output == "text" {
				_, err = fmt.Fprint(env.stdout, descriptionText(d))
				return err
			}
			encoder := json.NewEncoder(env.stdout)
			encoder.SetIndent("", "  ")
			encoder.SetEscapeHTML(false)
			return encoder.Encode(d)
		},
	}
	source.addFlags(cmd.Flags())
	cmd.Flags().StringVarP(&output, "output", "o", "text", "how to print: text or json")
	return cmd
}

// descriptionText is the description as a person reads it.
func descriptionText(d workload.Description) string {
	var out strings.Builder
	fmt.Fprintf(&out, "%s of %s, from %s (%s) for %s\n\n", plural(d.Builds, "build"), plural(d.Shapes, "kind"),
		d.Start.Format("Monday 2006-01-02 15:04"), zoneText(d.Start), hoursText(d.Hours))
	a := d.Arrivals
	fmt.Fprintf(&out, "arrivals   %.0f a weekday, %.1f an hour; weekends %.1f %%; CV %.1f\n", a.PerWeekday, a.PerHour, 100*a.WeekendShare, a.InterarrivalCV)
	fmt.Fprintf(&out, "busiest    %d in the hour of %s, %.1f times the mean; %d in a minute\n", a.Peak, a.PeakAt.Format("Mon 2006-01-02 15:04"), a.PeakToMean, a.PeakMinute)
	fmt.Fprintf(&out, "durations  %s; %.1f %% over an hour\n", quantilesText(d.Durations), 100*d.OverAnHour)
	if d.Waits != nil {
		fmt.Fprintf(&out, "waits      %s, as they were observed\n", quantilesText(*d.Waits))
	}
	c := d.Concurrency
	fmt.Fprintf(&out, "at once    builds: mean %.1f  p50 %.0f  p95 %.0f  p99 %.0f  max %.0f, if none ever waited\n", c.Builds.Mean, c.Builds.P50, c.Builds.P95, c.Builds.P99, c.Builds.Max)
	fmt.Fprintf(&out, "           cores: mean %.1f  p95 %.1f  max %.1f; memory: max %.1f GiB; GPUs: max %.0f\n\n", c.Cores.Mean, c.Cores.P95, c.Cores.Max, c.MemoryBytes.Max/(1<<30), c.GPUs.Max)
	out.WriteString(classTable(d.Classes) + "\n" + jobTable(d.Jobs) + "\n" + weekText(d.HourOfWeek))
	return out.String()
}

func zoneText(t time.Time) string {
	if name := t.Location().String(); name != "" {
		return name
	}
	return t.Format("-07:00")
}

func hoursText(hours int) string {
	if hours < 48 {
		return plural(hours, "hour")
	}
	return fmt.Sprintf("%.1f days", float64(hours)/24)
}

func quantilesText(q workload.Quantiles) string {
	return fmt.Sprintf("p50 %s  p90 %s  p95 %s  p99 %s  max %s", secondsText(q.P50), secondsText(q.P90), secondsText(q.P95), secondsText(q.P99), secondsText(q.Max))
}

func secondsText(s float64) string { return ageText(time.Duration(s * float64(time.Second))) }

func classTable(classes []workload.ClassDescription) string {
	var t table
	t.add("CLASS", "BUILDS", "SHARE", "P50", "P95", "P99", "AT ONCE P95", "MAX", "CORES MAX")
	t.right = []bool{1: true, 2: true, 3: true, 4: true, 5: true, 6: true, 7: true, 8: true}
	for _, c := range classes {
		t.add(shown(c.Class), strconv.Itoa(c.Builds), shareText(c.Share),
			secondsText(c.Durations.P50), secondsText(c.Durations.P95), secondsText(c.Durations.P99),
			fmt.Sprintf("%.0f", c.Concurrency.Builds.P95), fmt.Sprintf("%.0f", c.Concurrency.Builds.Max), fmt.Sprintf("%.1f", c.Concurrency.Cores.Max))
	}
	return t.String()
}

// shownJobs is how many jobs the table has; -o json has all.
const shownJobs = 20

func jobTable(jobs []workload.JobDescription) string {
	var t table
	t.add("JOB", "BUILDS", "SHARE", "P50", "P95", "P99")
	t.right = []bool{1: true, 2: true, 3: true, 4: true, 5: true}
	for _, j := range jobs[:min(len(jobs), shownJobs)] {
		name := "(none)"
		if j.Job != "" {
			name = shortened(j.Job)
		}
		t.add(name, strconv.Itoa(j.Builds), shareText(j.Share),
			secondsText(j.Durations.P50), secondsText(j.Durations.P95), secondsText(j.Durations.P99))
	}
	if more := len(jobs) - shownJobs; more > 0 {
		t.add("and " + plural(more, "other job"))
	}
	return t.String()
}

func shareText(share float64) string { return fmt.Sprintf("%.1f %%", 100*share) }

// weekText has the mean number of builds in each hour of the week.
func weekText(week [7][24]float64) string {
	var t table
	heading := []string{"BUILDS/H"}
	t.right = []bool{0: false}
	for hour := range 24 {
		heading = append(heading, strconv.Itoa(hour))
		t.right = append(t.right, true)
	}
	t.add(heading...)
	for i, day := range []string{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"} {
		row := []string{day}
		for _, builds := range week[i] {
			row = append(row, hourText(builds))
		}
		t.add(row...)
	}
	return t.String()
}

func hourText(builds float64) string {
	switch {
	case builds == 0:
		return "·"
	case builds < 1:
		return "<1"
	}
	return fmt.Sprintf("%.0f", builds)
}
