package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/buildpool/buildpool/simulations/engine"
	"github.com/buildpool/buildpool/simulations/scenario"
	"github.com/buildpool/buildpool/simulations/scenarios"
)

// simulateFlags are the flags of "buildpool simulate".
type simulateFlags struct {
	config      string
	assume      string
	scenario    string
	account     string
	trace       string
	format      string
	mapping     string
	profile     string
	skipBad     bool
	days        int
	seed        uint64
	caFlags     []string
	caFlagsFrom string
	variant     string
	noProgress  bool
	output      simulateOutput
}

func newSimulateCommand(env environment) *cobra.Command {
	var flags simulateFlags
	cmd := &cobra.Command{
		Use:   "simulate --config nodegroups.yaml --trace FILE | --profile NAME",
		Short: "Play a history of builds against node groups, in virtual time",
		Long: `simulate plays builds against the node groups of a production configuration: how
long would they have waited, and what would it have cost? Nothing is asked of any
account or cluster, and a month takes well under a second.

The builds are a history (--trace; "buildpool trace" converts exports of CI systems)
or a generated demand (--profile). What neither the configuration nor an account
file (--account, as for ess-sim) says comes from a file of assumptions (--assume,
kind Simulation) or from defaults, which the summary lists.

cluster-autoscaler's settings are its own flags: --ca-flags-from a file of flags or the
manifest it is deployed with, then each --ca-flag. Flags that have nothing to do with
capacity are listed and ignored.

The same command gives the same output, byte for byte.

Scenarios that come with buildpool, for --scenario:
` + scenarioList(),
		Example: `  buildpool simulate --config nodegroups.yaml --trace builds.csv
  buildpool simulate --config nodegroups.yaml --profile afternoon --ca-flag=--scale-down-unneeded-time=5m
  buildpool simulate --scenario afternoon`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runSimulate(cmd.Context(), env, flags) },
	}
	f := cmd.Flags()
	f.StringVar(&flags.config, "config", "", "node-group file, as production uses it")
	f.StringVar(&flags.scenario, "scenario", "", "play a scenario that comes with buildpool")
	flags.register(f)
	f.StringVar(&flags.variant, "variant", "", "play only this one of the simulation's variants")
	f.BoolVar(&flags.output.json, "json", false, "print the report as JSON; of several variants their comparison")
	f.StringVar(&flags.output.html, "html", "", "write a page with charts to this file, too")
	f.StringVar(&flags.output.buildsCSV, "builds-csv", "", "write a line per build to this file, too")
	f.StringVar(&flags.output.timelineCSV, "timeline-csv", "", "write a line per step of the run to this file, too")
	return cmd
}

// register adds the flags of whatever plays builds: where they come from, under which
// assumptions, and what is reported of every run.
func (f *simulateFlags) register(set *pflag.FlagSet) {
	f.registerBuilds(set)
	set.DurationVar(&f.output.slo, "slo", 0, "the longest wait that is good enough")
	set.DurationVar(&f.output.timelineStep, "timeline-step", 0, "step of the timeline; 0: about 2000 steps in all")
	set.BoolVar(&f.output.withoutBaselines, "without-baselines", false, "leave out what static pools would do")
	set.BoolVar(&f.noProgress, "no-progress", false, "show no progress on a terminal")
}

// registerBuilds adds the flags that say which builds are played, under which assumptions.
func (f *simulateFlags) registerBuilds(set *pflag.FlagSet) {
	set.StringVar(&f.assume, "assume", "", "file of assumptions (kind Simulation)")
	set.StringVar(&f.account, "account", "", "account file (kind Account) to take instance types, boot times and stock from")
	set.StringVar(&f.trace, "trace", "", "history of builds")
	set.StringVar(&f.format, "format", "", "format of the history, if its name does not tell")
	set.StringVar(&f.mapping, "mapping", "", "mapping file, for the history of another system")
	set.BoolVar(&f.skipBad, "skip-bad", false, "leave builds out that cannot be read, and count them")
	set.StringVar(&f.profile, "profile", "", "generated demand instead of a history")
	set.IntVar(&f.days, "days", 0, "days of the demand to generate, or of the history to play; 0: 7, or all")
	set.Uint64Var(&f.seed, "seed", 1, "seed of all chance")
	set.StringArrayVar(&f.caFlags, "ca-flag", nil, "flag of cluster-autoscaler, such as --ca-flag=--scan-interval=10s; repeatable")
	set.StringVar(&f.caFlagsFrom, "ca-flags-from", "", "file of cluster-autoscaler's flags, or its manifest")
}

func scenarioList() string {
	var out strings.Builder
	for _, s := range scenarios.All() {
		fmt.Fprintf(&out, "  %-18s %s\n", s.Name, s.Question)
	}
	return strings.TrimRight(out.String(), "\n")
}

func runSimulate(ctx context.Context, env environment, flags simulateFlags) error {
	question, runs, err := flags.play(ctx, env)
	if err != nil {
		return err
	}
	return flags.output.write(env, question, runs)
}

// play plays every variant that the flags choose, and returns the question that the
// simulation asks.
func (f simulateFlags) play(ctx context.Context, env environment) (question string, runs []played, err error) {
	in, err := f.inputs(ctx, env)
	if err != nil {
		return "", nil, err
	}
	variants, err := in.chosen(f.variant)
	if err != nil {
		return "", nil, err
	}
	if err := f.output.check(len(variants)); err != nil {
		return "", nil, err
	}
	for _, v := range variants {
		p, err := in.play(ctx, env, v, f)
		if err != nil {
			return "", nil, err
		}
		runs = append(runs, p)
	}
	for _, flag := range in.ignored() {
		fmt.Fprintf(env.stderr, "buildpool: %s changes nothing of a simulation and is ignored\n", flag)
	}
	return in.simulation.Question, runs, nil
}

// played is one run and what it was of.
type played struct {
	name     string
	settings engine.Settings
	result   *engine.Result
}

// play runs one variant.
func (in *inputs) play(ctx context.Context, env environment, v scenario.Variant, flags simulateFlags) (played, error) {
	name := v.Name
	settings, err := in.settings(v)
	if err != nil {
		if name != "" {
			err = fmt.Errorf("variant %q: %w", name, err)
		}
		return played{}, err
	}
	settings.Trace, settings.Seed = in.trace, flags.seed
	settings.TimelineStep = flags.output.stepFor(settings)
	warnOfStranded(env, name, settings)
	bar := newProgressBar(env, name, flags.noProgress)
	result, err := engine.Run(ctx, settings, bar.show)
	bar.clear()
	if err != nil {
		return played{}, err
	}
	return played{name, settings, result}, nil
}

// check complains of flags that contradict each other or of what is missing.
func (f simulateFlags) check() error {
	var errs []error
	if f.scenario != "" && (f.assume != "" || f.config != "") {
		errs = append(errs, errors.New("--scenario brings its own --config and --assume"))
	}
	if f.trace != "" && f.profile != "" {
		errs = append(errs, errors.New("--trace and --profile: use one of them"))
	}
	if f.days < 0 {
		errs = append(errs, fmt.Errorf("--days %d: want 0 or more", f.days))
	}
	return errors.Join(errs...)
}
