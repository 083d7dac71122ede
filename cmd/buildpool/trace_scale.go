package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/buildpool/buildpool/simulations/workload"
)

func newTraceScaleCommand(env environment) *cobra.Command {
	s := traceScaling{}
	cmd := &cobra.Command{
		Use:   "scale [FILE]",
		Short: "Change how many builds come, how long they run, and when",
		Long: `Change a trace. What is asked for is done in this order: a window is cut out, the
rate is changed, durations are stretched, the trace is shifted in time.

--rate keeps the shape of the demand: builds of one push stay together. Below 1
whole bursts are left out; above 1 they come again, up to --jitter earlier or later,
so that the hours of the day stay what they are. What builds really waited is
forgotten when the rate or the durations change.`,
		Example: `  buildpool trace scale --rate 2 --seed 1 builds.csv --out twice.csv
  buildpool trace scale --cut-from 2026-03-02T00:00:00Z --cut-to 2026-03-09T00:00:00Z builds.csv
  buildpool trace scale --durations 0.8 --shift 8h builds.csv`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			trace, err := s.source.read(env, sourceName(args))
			if err != nil {
				return err
			}
			if trace, err = s.apply(trace); err != nil {
				return err
			}
			return s.target.write(env, trace)
		},
	}
	s.source.addFlags(cmd.Flags())
	s.target.addFlags(cmd.Flags())
	flags := cmd.Flags()
	flags.Float64Var(&s.rate, "rate", 1, "multiply the number of builds by this")
	flags.Uint64Var(&s.seed, "seed", 1, "chooses which bursts are left out or come again")
	flags.DurationVar(&s.jitter, "jitter", 30*time.Minute, "how far from the original a burst comes again")
	flags.Float64Var(&s.durations, "durations", 1, "multiply how long builds run by this")
	flags.DurationVar(&s.shift, "shift", 0, "move the trace in time, such as 8h or -24h")
	flags.StringVar(&s.from, "cut-from", "", "leave out builds before this time (RFC 3339), which becomes the start")
	flags.StringVar(&s.to, "cut-to", "", "leave out builds from this time on (RFC 3339)")
	return cmd
}

// traceScaling is one run of the command.
type traceScaling struct {
	source          traceSource
	target          traceTarget
	rate, durations float64
	seed            uint64
	jitter, shift   time.Duration
	from, to        string
}

func (s *traceScaling) apply(trace workload.Trace) (workload.Trace, error) {
	if s.from != "" || s.to != "" {
		from, err := cutTime("--cut-from", s.from)
		if err != nil {
			return trace, err
		}
		to, err := cutTime("--cut-to", s.to)
		if err != nil {
			return trace, err
		}
		if trace, err = workload.Cut(trace, from, to); err != nil {
			return trace, err
		}
	}
	var err error
	if s.rate != 1 {
		if trace, err = workload.Scale(trace, workload.RateOptions{Factor: s.rate, Seed: s.seed, Jitter: s.jitter}); err != nil {
			return trace, err
		}
	}
	if s.durations != 1 {
		if trace, err = workload.Stretch(trace, s.durations); err != nil {
			return trace, err
		}
	}
	return workload.Shift(trace, s.shift), nil
}

func cutTime(flag, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return t, fmt.Errorf("%s %q is no RFC 3339 time such as 2026-03-02T00:00:00Z", flag, text)
	}
	return t, nil
}
