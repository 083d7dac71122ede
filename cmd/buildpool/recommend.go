package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/buildpool/buildpool/simulations/recommend"
)

// recommendFlags are the flags of "buildpool recommend".
type recommendFlags struct {
	inputs   simulateFlags
	slos     []string
	budget   string
	settings int
	seeds    int
	weeks    int
	workers  int
	output   string
	yaml     string
	shard    string
	shardOut string
}

func newRecommendCommand(env environment) *cobra.Command {
	var flags recommendFlags
	cmd := &cobra.Command{
		Use:   "recommend --config nodegroups.yaml --trace FILE | --profile NAME",
		Short: "Search for the cheapest settings that keep builds from waiting",
		Long: `recommend plays a history of builds against about a thousand settings and tells
which are worth their money: the cheapest that keeps a service level, what others
would cost, how sure that is, and what to write where.

Searched are each group's min and max, the share of spot, warm windows taken from the
history's own week, cluster-autoscaler's --scale-down-unneeded-time and --expander,
kube-scheduler's strategy, and, where the file has an overflow section, when builds move
to the virtual node, if at all: first on a coarse grid, then around the best. The cheapest
settings are then played again with other seeds, and on histories made of the trace's
own weeks (or days) drawn at random.

Everything else is as for simulate: node groups, assumptions, account file, flags.
The same command gives the same output, byte for byte, on any number of cores. Ctrl-C
ends the search early and prints what is done.

With --shard i/n (i from 0) the coarse grid's i-th part is written to a file, and
"buildpool recommend merge" goes on from all of them: deploy/examples/recommend is a
Job that does so.`,
		Example: `  buildpool recommend --config nodegroups.yaml --trace builds.csv --slo 'p95<60s'
  buildpool recommend --config nodegroups.yaml --trace builds.csv --slo 'p95<60s' --slo 'gpu:p99<5m' --budget 1200/week
  buildpool recommend --config nodegroups.yaml --profile afternoon --shard 0/4 --shard-out part-0.json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runRecommend(cmd.Context(), env, flags, argumentsOf(cmd.Flags()))
		},
	}
	flags.add(cmd.Flags())
	cmd.AddCommand(newRecommendMergeCommand(env))
	return cmd
}

func (f *recommendFlags) add(set *pflag.FlagSet) {
	set.StringVar(&f.inputs.config, "config", "", "node-group file, as production uses it")
	set.StringVar(&f.inputs.scenario, "scenario", "", "search from a scenario that comes with buildpool")
	set.StringVar(&f.inputs.variant, "variant", "", "start from this one of the simulation's variants")
	f.inputs.registerBuilds(set)
	set.StringArrayVar(&f.slos, "slo", []string{"p95<60s"}, "service level such as p95<60s, mean<30s or gpu:p99<=5m; repeatable, the first is what the front is drawn over")
	set.StringVar(&f.budget, "budget", "", "the most that may be spent: for all builds, or such as 1200/week")
	set.IntVar(&f.settings, "settings", 1000, "settings to try")
	set.IntVar(&f.seeds, "seeds", 5, "play each finalist with so many seeds")
	set.IntVar(&f.weeks, "weeks-bootstrap", 20, "play each finalist on so many histories made of the trace's weeks, drawn at random")
	set.IntVar(&f.workers, "workers", 0, "settings to play at once; 0: one per core")
	set.StringVarP(&f.output, "output", "o", outputText, "form of the output: text or json")
	set.StringVar(&f.yaml, "yaml", "", "write the recommended keys of the node-group file to this file, too")
	set.StringVar(&f.shard, "shard", "", "play only the i-th of n parts of the coarse grid, as i/n with i from 0")
	set.StringVar(&f.shardOut, "shard-out", "", "file to write the shard to; empty: standard output")
	set.BoolVar(&f.inputs.noProgress, "no-progress", false, "show no progress on a terminal")
}

func runRecommend(ctx context.Context, env environment, f recommendFlags, arguments []string) error {
	search, clear, err := f.search(ctx, env)
	if err != nil {
		return err
	}
	if f.shard != "" {
		return f.runShard(ctx, env, search, clear, arguments)
	}
	outcome, err := search.Run(ctx)
	clear()
	if err != nil {
		return err
	}
	return f.write(env, outcome)
}

// search prepares what the flags ask for; clear takes its progress off the screen.
func (f recommendFlags) search(ctx context.Context, env environment) (s *recommend.Search, clear func(), err error) {
	options, err := f.options()
	if err != nil {
		return nil, nil, err
	}
	in, err := f.inputs.inputs(ctx, env)
	if err != nil {
		return nil, nil, err
	}
	variants, err := in.chosen(f.inputs.variant)
	if err != nil {
		return nil, nil, err
	}
	if len(variants) > 1 {
		return nil, nil, errors.New("the simulation has several variants: choose one with --variant")
	}
	settings, err := in.settings(variants[0])
	if err != nil {
		return nil, nil, err
	}
	settings.Trace, settings.Seed = in.trace, f.inputs.seed
	for _, flag := range in.ignored() {
		fmt.Fprintf(env.stderr, "buildpool: %s changes nothing of a simulation and is ignored\n", flag)
	}
	warnOfStranded(env, "", settings)
	bar := newProgressBar(env, "recommend", f.inputs.noProgress)
	options.Progress = bar.showCount
	s, err = recommend.New(settings, options)
	return s, bar.clear, err
}

func (f recommendFlags) options() (recommend.Options, error) {
	o := recommend.Options{Settings: f.settings, Seeds: f.seeds, Weeks: f.weeks, Workers: f.workers}
	if o.Workers == 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	var errs []error
	if f.output != outputText && f.output != outputJSON {
		errs = append(errs, fmt.Errorf("--output is %q, but must be %s or %s", f.output, outputText, outputJSON))
	}
	for _, text := range f.slos {
		level, err := recommend.ParseSLO(text)
		if err != nil {
			errs = append(errs, fmt.Errorf("--slo: %w", err))
		}
		o.SLOs = append(o.SLOs, level)
	}
	if f.budget != "" {
		var err error
		if o.Budget, err = recommend.ParseBudget(f.budget); err != nil {
			errs = append(errs, fmt.Errorf("--budget: %w", err))
		}
	}
	if f.settings < 1 || f.seeds < 0 || f.weeks < 0 || f.workers < 0 {
		errs = append(errs, errors.New("--settings must be 1 or more; --seeds, --weeks-bootstrap and --workers 0 or more"))
	}
	return o, errors.Join(errs...)
}

// write prints the outcome; one that was cut short is an error all the same.
func (f recommendFlags) write(env environment, o recommend.Outcome) error {
	if f.yaml != "" {
		err := writeFile(f.yaml, func(w io.Writer) error {
			_, err := io.WriteString(w, o.NodeGroups)
			return err
		})
		if err != nil {
			return err
		}
	}
	print := recommend.WriteText
	if f.output == outputJSON {
		print = recommend.WriteJSON
	}
	if err := print(env.stdout, o); err != nil {
		return err
	}
	if o.Interrupted {
		return fmt.Errorf("cut short after %s: %w", plural(o.Tried, "setting"), context.Canceled)
	}
	return nil
}
