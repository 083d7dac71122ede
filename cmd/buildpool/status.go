package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"syscall"
	"time"

	"github.com/spf13/cobra"
)

// statusFlags are the flags of status.
type statusFlags struct {
	server string
	output string
}

// The forms of output.
const (
	outputText = "text"
	outputJSON = "json"
)

func newStatusCommand(env environment) *cobra.Command {
	var f statusFlags
	command := &cobra.Command{
		Use:   "status [--server HOST:PORT]",
		Short: "Show what a running server serves: groups, instances, prices, last errors",
		Long: `Status asks a running "buildpool serve" on its HTTP port (--http-address) how it
is, and prints a table of its node groups. It changes nothing.

  MIN, MAX  the bounds as cluster-autoscaler sees them, and whose they are:
            configured     the node-group file's
            scaling group  the scaling group's own, which is narrower
            max            min was above max and is lowered to it
  TARGET    nodes the group is to have, failed ones included until the autoscaler
            gives them up
  FAILED    instances that could not be created
  PRICE/H   of one node; ~ marks an assumption, ? that no source knows it

With -o json it prints the server's answer, the same as GET /status: an object of
apiVersion buildpool/v1alpha1 and kind Status. Within that version fields are added,
but none is renamed or removed, and every field is always there:

  now, version, ready, notReady (why), lastError (of the last refresh)
  noticesProblem  why reclaim notices of spot instances are not seen; empty: they are
  dryRun      whether no write is sent to the account
  snapshot    {taken, ageSeconds} of the reading that is served; null before the first
  client      {dialect}: the autoscaler's releases by what was heard of it, or unknown
  providerID  {form, origin}: how provider IDs are spelt; configured, learned, assumed
  timeZone    whose clock the windows go by
  waits       {hours, builds, p50Seconds, p95Seconds, sloSeconds, tooLong} of builds
              that ran in those hours; null where the cluster is not watched
  overflow    {failing (why none moves), pods[] {pod, class, moves, reason, text}}: what
              was made of builds that wait; null where none moves to a virtual node
  decisions[] {at, group, text, times (in a row)} of late, newest first
  groups[]    {name, class, scalingGroup, served, problem, min, minReason, max,
              maxReason, target, instances {running, creating, deleting, failed, stopped},
              cooldown, schedule (in force; empty: none),
              template {labels, taints[], allocatable} or null and templateProblem,
              inactive (why its scaling group would not grow), bootSeconds,
              coming[] {instance, since}: nodes wanted and not Ready, and every
              instance where the cluster is not watched,
              bootStartedSeconds (of instances that were stopped), recycles,
              notices[] {instance, since, letGo (another is created)} of spot instances
              that the cloud takes back, reclaims {notices (since its start), perHour,
              losesMore, pools[] {instanceType, zone, reclaims, hours, perHour}} or null,
              troubles[] {reason, code, at, until} for which others are preferred,
              cooldowns[] {kind, until}, windows[] {cron, min, from, until} of the day,
              price {perHour, currency, source, asOf, assumed} or null and
              priceProblem, cost (of all that run, per hour) likewise and
              costProblem, lastError {at, message} of the last day or null}`,
		Example: `  buildpool status
  kubectl -n buildpool port-forward deploy/buildpool 8081 & buildpool status
  buildpool status -o json | jq '.groups[] | select(.lastError)'`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			if f.output != outputText && f.output != outputJSON {
				return fmt.Errorf("--output is %q, but must be %s or %s", f.output, outputText, outputJSON)
			}
			return showStatus(command.Context(), env, f)
		},
	}
	command.Flags().StringVar(&f.server, "server", "127.0.0.1:8081", "where the server answers HTTP: its --http-address")
	command.Flags().StringVarP(&f.output, "output", "o", outputText, "form of the output: text or json")
	return command
}

func showStatus(ctx context.Context, env environment, f statusFlags) error {
	body, err := fetchStatus(ctx, f.server)
	if err != nil {
		return err
	}
	var report statusReport
	if err := json.Unmarshal(body, &report); err != nil || report.Kind != statusKind {
		return fmt.Errorf("read status of %s: the answer is not that of buildpool serve", f.server)
	}
	if report.APIVersion != statusVersion {
		return fmt.Errorf("read status of %s: it speaks %q, this command %s", f.server, shortened(report.APIVersion), statusVersion)
	}
	if f.output == outputText {
		body = []byte(statusText(report))
	}
	_, err = env.stdout.Write(body)
	return err
}

const (
	statusTimeout = 10 * time.Second
	// maxStatusBytes is far above what thousands of groups take.
	maxStatusBytes = 32 << 20
)

// fetchStatus asks the server, directly and not through a proxy.
func fetchStatus(ctx context.Context, server string) ([]byte, error) {
	if _, _, err := net.SplitHostPort(server); err != nil {
		return nil, fmt.Errorf("--server is %q, but must be host:port", server)
	}
	ctx, cancel := context.WithTimeout(ctx, statusTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+server+statusPath, nil)
	if err != nil {
		return nil, fmt.Errorf("--server is %q, but must be host:port", server)
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return nil, fmt.Errorf("nothing listens on %s: is buildpool serve running, and is this its --http-address?", server)
	case errors.Is(err, context.DeadlineExceeded):
		return nil, fmt.Errorf("%s does not answer within %v", server, statusTimeout)
	case err != nil:
		return nil, fmt.Errorf("read status of %s: %w", server, err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("read status of %s: it answers %s: is it buildpool serve, and as new as this command?", server, response.Status)
	}
	var body bytes.Buffer
	if _, err := body.ReadFrom(io.LimitReader(response.Body, maxStatusBytes+1)); err != nil {
		return nil, fmt.Errorf("read status of %s: %w", server, err)
	}
	if body.Len() > maxStatusBytes {
		return nil, fmt.Errorf("read status of %s: the answer is larger than %d MiB", server, maxStatusBytes>>20)
	}
	return body.Bytes(), nil
}
