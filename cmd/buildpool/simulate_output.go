package main

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/buildpool/buildpool/simulations/baseline"
	"github.com/buildpool/buildpool/simulations/engine"
	"github.com/buildpool/buildpool/simulations/report"
)

// simulateOutput says in which forms a simulation's result is wanted.
type simulateOutput struct {
	json                   bool
	html                   string
	buildsCSV, timelineCSV string
	slo, timelineStep      time.Duration
	withoutBaselines       bool
}

// check complains of forms that only one run can take.
func (o simulateOutput) check(runs int) error {
	if runs < 2 || o.buildsCSV == "" && o.timelineCSV == "" {
		return nil
	}
	return errors.New("--builds-csv and --timeline-csv are of one run: choose one with --variant")
}

// write gives the runs out in every form that is wanted.
func (o simulateOutput) write(env environment, question string, runs []played) error {
	reports := make([]report.Report, len(runs))
	for i, r := range runs {
		reports[i] = o.report(r)
	}
	if o.html != "" {
		if err := writeFile(o.html, func(w io.Writer) error { return report.WriteHTML(w, reports...) }); err != nil {
			return err
		}
	}
	for _, r := range runs {
		if o.buildsCSV != "" {
			if err := writeFile(o.buildsCSV, func(w io.Writer) error { return report.WriteBuildsCSV(w, r.settings, *r.result) }); err != nil {
				return err
			}
		}
		if o.timelineCSV != "" {
			if err := writeFile(o.timelineCSV, func(w io.Writer) error { return report.WriteTimelineCSV(w, r.settings, *r.result) }); err != nil {
				return err
			}
		}
	}
	return o.print(env, question, reports)
}

// print writes to the output: one run's report, or a comparison of several.
func (o simulateOutput) print(env environment, question string, reports []report.Report) error {
	options := report.TextOptions{Colour: inColour(env)}
	switch {
	case o.json && len(reports) == 1:
		return report.WriteJSON(env.stdout, reports[0])
	case o.json:
		return report.WriteJSON(env.stdout, report.Compare(reports...))
	}
	if question != "" {
		fmt.Fprintf(env.stdout, "%s\n\n", question)
	}
	if len(reports) == 1 {
		return report.WriteText(env.stdout, reports[0], options)
	}
	return report.WriteComparisonText(env.stdout, report.Compare(reports...), options)
}

func (o simulateOutput) report(r played) report.Report {
	options := report.Options{Name: cmp.Or(r.name, "simulation"), SLO: o.slo}
	if !o.withoutBaselines {
		options.Baselines = baseline.Compute(r.settings, report.WaitTimes(r.settings.Trace, *r.result), r.result.End)
	}
	return report.Summarize(r.settings, *r.result, options)
}

// writeFile writes a file whole, or not at all where the content cannot be made.
func writeFile(name string, write func(io.Writer) error) error {
	var content bytes.Buffer
	w := bufio.NewWriter(&content)
	if err := errors.Join(write(w), w.Flush()); err != nil {
		return err
	}
	if err := os.WriteFile(name, content.Bytes(), 0o644); err != nil { //nolint:gosec // a report is made to be shown
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

// stepFor is how far the timeline's points lie apart: about two thousand over the
// builds' time, in steps of ten seconds.
func (o simulateOutput) stepFor(s engine.Settings) time.Duration {
	if o.timelineStep > 0 {
		return o.timelineStep
	}
	const points, grain = 2000, 10 * time.Second
	var span time.Duration
	if n := len(s.Trace.Builds); n > 0 {
		span = s.Trace.Builds[n-1].Arrival
	}
	return max(grain, (span/points/grain)*grain)
}
