package main

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/buildpool/buildpool/simulations/report"
)

// compareFlags are the flags of compare.
type compareFlags struct {
	json bool
	html string
	// simulate plays what is not a report yet.
	simulate simulateFlags
}

func newCompareCommand(env environment) *cobra.Command {
	var f compareFlags
	command := &cobra.Command{
		Use:   "compare A B… [--trace FILE | --profile NAME]",
		Short: "Put simulations side by side: waits, cost, nodes, and what they were set to",
		Long: `Put simulations side by side. Each argument is one of

  - a saved report, as "buildpool simulate --json" writes it
  - a node-group file: it is played against --trace or --profile
  - a file of assumptions (kind Simulation): each of its variants is played

All that is played has the same builds, the same seed and the same flags. The first run
is what the others are compared with: their figures stand with what they are more or
less, absolute and in percent. One run alone is told as simulate tells it.

The page of --html lays the runs over one another. docs/simulation-report.md says what
each figure means.`,
		Example: `  buildpool compare before.json after.json --html both.html
  buildpool compare nodegroups.yaml warm.yaml --assume assumptions.yaml --trace builds.csv
  buildpool compare today.json nodegroups.yaml --profile afternoon --slo 1m
  buildpool compare a.json b.json --json | jq '.figures[] | select(.name == "cost")'`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			runs, err := f.runs(command.Context(), env, args)
			if err != nil {
				return err
			}
			return writeComparison(env, f, runs)
		},
	}
	command.Flags().BoolVar(&f.json, "json", false, "print the comparison as JSON")
	command.Flags().StringVar(&f.html, "html", "", "write a page with charts to this file, too")
	f.simulate.register(command.Flags())
	return command
}

func writeComparison(env environment, f compareFlags, runs []report.Report) error {
	if f.html != "" {
		if err := writeFile(f.html, func(w io.Writer) error { return report.WriteHTML(w, runs...) }); err != nil {
			return err
		}
	}
	comparison := report.Compare(runs...)
	options := report.TextOptions{Colour: inColour(env)}
	switch {
	case f.json:
		return report.WriteJSON(env.stdout, comparison)
	case len(runs) == 1:
		return report.WriteText(env.stdout, runs[0], options)
	}
	return report.WriteComparisonText(env.stdout, comparison, options)
}

// inColour reports whether the output is a terminal whose user has not asked for none
// (no-color.org).
func inColour(env environment) bool { return isTerminal(env.stdout) && env.getenv("NO_COLOR") == "" }
