package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/buildpool/buildpool/simulations/engine"
)

// writeSummary prints the runs side by side.
func writeSummary(w io.Writer, question string, runs []played) error {
	if question != "" {
		fmt.Fprintf(w, "%s\n\n", question)
	}
	first := runs[0].settings.Trace
	fmt.Fprintf(w, "%s from %s on.\n\n", plural(len(first.Builds), "build"), first.Start.Format("Mon 2006-01-02 15:04 MST"))
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(out, "run\tp50\tp90\tp95\tp99\tlongest wait\tcost\tnode-hours\tidle\tpeak\tinterrupted\tnot done\t")
	for _, r := range runs {
		waits, undone := waitsOf(r)
		cost, billed, idle, peak, interrupted := totals(r.result)
		fmt.Fprintf(out, "%s\t%s\t%s\t%s\t%s\t%s\t%.2f %s\t%.1f\t%.0f%%\t%d\t%d\t%d\t\n", cmp.Or(r.name, "run"),
			quantile(waits, 0.5), quantile(waits, 0.9), quantile(waits, 0.95), quantile(waits, 0.99), quantile(waits, 1),
			cost, r.settings.Currency, billed.Hours(), 100*idle.Hours()/max(billed.Hours(), 1e-9), peak, interrupted, undone)
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("print summary: %w", err)
	}
	for _, r := range runs {
		writeGroups(w, r)
	}
	return nil
}

// writeGroups prints what each group did, and what its waits were spent on.
func writeGroups(w io.Writer, r played) {
	fmt.Fprintf(w, "\n%s:\n", cmp.Or(r.name, "run"))
	for _, result := range r.result.Groups {
		fmt.Fprintf(w, "  %s: %d scale-ups, %d nodes added, %d removed, %d failed, %d reclaimed, peak %d, %.1f node-hours, %.2f %s\n",
			result.Name, result.ScaleUps, result.NodesAdded, result.NodesRemoved, result.Failed, result.Reclaimed,
			result.Peak, result.Billed.Hours(), result.Cost, r.settings.Currency)
	}
	counts := make([]int, len(engine.Causes()))
	for _, b := range r.result.Builds {
		counts[b.Cause]++
	}
	fmt.Fprint(w, "  waits by cause:")
	for _, c := range engine.Causes() {
		if counts[c] > 0 {
			fmt.Fprintf(w, " %s %d", c, counts[c])
		}
	}
	fmt.Fprintln(w)
}

// waitsOf are the waits of the builds that started, sorted, and how many were not done.
func waitsOf(r played) (waits []time.Duration, undone int) {
	for i, b := range r.result.Builds {
		if b.Ended == engine.Never {
			undone++
		}
		if b.Started != engine.Never {
			waits = append(waits, b.Started-r.settings.Trace.Builds[i].Arrival)
		}
	}
	slices.Sort(waits)
	return waits, undone
}

func quantile(sorted []time.Duration, q float64) string {
	if len(sorted) == 0 {
		return "-"
	}
	at := min(len(sorted)-1, int(q*float64(len(sorted))))
	return sorted[at].Round(time.Second).String()
}

func totals(r *engine.Result) (cost float64, billed, idle time.Duration, peak, interrupted int) {
	for _, g := range r.Groups {
		cost += g.Cost
		billed += g.Billed
		idle += g.Idle
		peak += g.Peak
		interrupted += g.Interrupted
	}
	return cost, billed, idle, peak, interrupted
}
