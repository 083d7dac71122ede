package demo

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"
	"time"
)

// tally adds up the afternoon.
type tally struct {
	peak      int
	nodeHours map[string]float64
	cost      float64
}

func newTally() *tally { return &tally{nodeHours: map[string]float64{}} }

// count adds what existed during a step of time.
func (t *tally) count(step time.Duration, instances []Instance, costPerHour float64) {
	t.peak = max(t.peak, len(instances))
	for _, i := range instances {
		t.nodeHours[i.Group] += step.Hours()
	}
	t.cost += costPerHour * step.Hours()
}

// report prints the summary and says whether the afternoon went well.
func (t *tally) report(out io.Writer, c *cluster, account Account) error {
	lost, unfinished := 0, 0
	waits := map[class][]time.Duration{}
	for _, b := range c.builds {
		switch {
		case b.lost:
			lost++
		case b.ended.IsZero():
			unfinished++
		default:
			waits[b.accepts[0]] = append(waits[b.accepts[0]], b.wait())
		}
	}
	fmt.Fprintf(out, "\n%d builds, %d lost, %d unfinished; peak %d nodes, %d left; %.2f CNY\n\n",
		len(c.builds), lost, unfinished, t.peak, len(account.Instances()), t.cost)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "class\tbuilds\twait p50\tp95\tmax\tnode-hours\t")
	for _, id := range []class{normal, gpu, spot} {
		d := waits[id]
		slices.Sort(d)
		fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%s\t%.1f\t\n", id, len(d), quantile(d, 0.5), quantile(d, 0.95), quantile(d, 1), t.nodeHours[string(id)])
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("print summary: %w", err)
	}
	fmt.Fprintln(out, "\ncalls to the simulated account:")
	calls := account.Calls()
	for _, api := range slices.Sorted(maps.Keys(calls)) {
		fmt.Fprintf(out, "  %5d  %s\n", calls[api], api)
	}
	left := len(account.Instances())
	if lost+unfinished > 0 {
		return fmt.Errorf("%d builds: %w", lost+unfinished, errBuildLost)
	}
	if left > 0 {
		return fmt.Errorf("%d instances: %w", left, errNodeLeft)
	}
	return nil
}

// quantile of sorted durations; a dash when there are none.
func quantile(sorted []time.Duration, q float64) string {
	if len(sorted) == 0 {
		return "-"
	}
	return short(sorted[min(len(sorted)-1, int(q*float64(len(sorted))))])
}
