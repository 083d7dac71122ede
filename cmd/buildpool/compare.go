package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/buildpool/buildpool/simulations/report"
)

// compareFlags are the flags of compare.
type compareFlags struct {
	output string
	html   string
}

func newCompareCommand(env environment) *cobra.Command {
	var f compareFlags
	command := &cobra.Command{
		Use:   "compare A B…",
		Short: "Put simulations side by side: waits, cost, nodes, and what they were set to",
		Long: `Put simulations side by side. Each argument is the report of a run, as
"buildpool simulate --json" writes it. The first is what the others are compared with:
their figures stand with what they are more or less, absolute and in percent. One
report alone is told again as simulate told it.

The page of --html lays the runs over one another. docs/simulation-report.md says what
each figure means.`,
		Example: `  buildpool compare before.json after.json
  buildpool compare before.json after.json --html both.html
  buildpool compare saved.json --html page.html
  buildpool compare -o json a.json b.json c.json | jq '.figures[] | select(.name == "cost")'`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if f.output != outputText && f.output != outputJSON {
				return fmt.Errorf("--output is %q, but must be %s or %s", f.output, outputText, outputJSON)
			}
			runs, err := readReports(args)
			if err != nil {
				return err
			}
			return writeComparison(env, f, runs)
		},
	}
	command.Flags().StringVarP(&f.output, "output", "o", outputText, "form of the output: text or json")
	command.Flags().StringVar(&f.html, "html", "", "write a page to this file, too")
	return command
}

// readReports reads every file, so that all that is wrong is told at once.
func readReports(files []string) ([]report.Report, error) {
	var runs []report.Report
	var errs []error
	for _, file := range files {
		r, err := readReport(file)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		runs = append(runs, r)
	}
	return distinctlyNamed(runs, files), errors.Join(errs...)
}

func readReport(file string) (report.Report, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return report.Report{}, fmt.Errorf("read report: %w", err)
	}
	r, err := report.Read(bytes.NewReader(data))
	if err != nil {
		return report.Report{}, fmt.Errorf("%s: %w", file, err)
	}
	return r, nil
}

// distinctlyNamed names runs by their files where two have one name or one has none.
func distinctlyNamed(runs []report.Report, files []string) []report.Report {
	if len(runs) != len(files) {
		return nil
	}
	var names []string
	for _, r := range runs {
		if r.Name == "" || slices.Contains(names, r.Name) {
			for n, file := range files {
				runs[n].Name = strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
			}
			return runs
		}
		names = append(names, r.Name)
	}
	return runs
}

func writeComparison(env environment, f compareFlags, runs []report.Report) error {
	if f.html != "" {
		var page bytes.Buffer
		if err := report.WriteHTML(&page, runs...); err != nil {
			return err
		}
		if err := os.WriteFile(f.html, page.Bytes(), 0o644); err != nil { //nolint:gosec // a report is made to be shown
			return fmt.Errorf("write page: %w", err)
		}
	}
	comparison := report.Compare(runs...)
	if len(runs) == 1 && f.output == outputText {
		return report.WriteText(env.stdout, runs[0], report.TextOptions{Colour: inColour(env)})
	}
	if f.output == outputJSON {
		return report.WriteJSON(env.stdout, comparison)
	}
	return report.WriteComparisonText(env.stdout, comparison, report.TextOptions{Colour: inColour(env)})
}

// inColour reports whether the output is a terminal whose user has not asked for none
// (no-color.org).
func inColour(env environment) bool { return isTerminal(env.stdout) && env.getenv("NO_COLOR") == "" }
