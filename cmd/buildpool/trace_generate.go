package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/buildpool/buildpool/simulations/workload"
)

func newTraceGenerateCommand(env environment) *cobra.Command {
	g := traceGeneration{}
	cmd := &cobra.Command{
		Use:   "generate PROFILE",
		Short: "Make a trace with the shape of real CI demand",
		Long: `Make a trace of a profile:

` + profileList() + `
Builds come in pushes of many jobs within a minute; durations are log-normal for each
job. The same profile, flags and seed give the same trace.

--class says what builds ask for, and may be given several times: the classes that
would do, their share of the builds, and what each build requests. Without it all
builds are of class normal and request 1800m cpu and 3Gi memory.`,
		Example: `  buildpool trace generate afternoon --days 28 --location Asia/Shanghai --out builds.csv
  buildpool trace generate single-timezone --builds 2000 --seed 7 \
    --class 'spot|normal=0.9,cpu=2,memory=4Gi' --class gpu=0.1,cpu=8,memory=32Gi,gpu=1`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			p, err := g.params()
			if err != nil {
				return err
			}
			trace, err := workload.Generate(args[0], p)
			if err != nil {
				return err
			}
			return g.target.write(env, trace)
		},
	}
	g.target.addFlags(cmd.Flags())
	flags := cmd.Flags()
	flags.IntVar(&g.days, "days", 7, "how many days")
	flags.Float64Var(&g.builds, "builds", 0, "mean number of builds from Monday to Friday; 0: the profile's")
	flags.Uint64Var(&g.seed, "seed", 1, "chooses among the histories that the profile allows")
	flags.StringVar(&g.start, "start", "", "when the trace begins (RFC 3339); a Monday if not given")
	flags.StringVar(&g.location, "location", "", "where the office is, such as Asia/Shanghai; UTC if not given")
	flags.StringArrayVar(&g.classes, "class", nil, "classes=share,cpu=…,memory=…[,gpu=…]")
	return cmd
}

func profileList() string {
	var t table
	for _, p := range workload.Profiles() {
		t.add(" ", p.Name, p.Summary, fmt.Sprintf("(%.0f builds a weekday)", p.BuildsPerWeekday))
	}
	return t.String()
}

// traceGeneration is one run of the command.
type traceGeneration struct {
	target          traceTarget
	days            int
	builds          float64
	seed            uint64
	start, location string
	classes         []string
}

func (g *traceGeneration) params() (workload.Params, error) {
	p := workload.Params{Days: g.days, BuildsPerWeekday: g.builds, Seed: g.seed}
	start, location, err := startAndLocation(g.start, g.location)
	if err != nil {
		return p, err
	}
	p.Start = start
	if start.IsZero() && location != nil {
		// Midnight of the default Monday, there.
		y, m, d := workload.DefaultStart.Date()
		p.Start = time.Date(y, m, d, 0, 0, 0, 0, location)
	}
	for _, text := range g.classes {
		c, err := parseClassShare(text)
		if err != nil {
			return p, fmt.Errorf("--class %q: %w", text, err)
		}
		p.Classes = append(p.Classes, c)
	}
	return p, nil
}

// parseClassShare reads spot|normal=0.9,cpu=2,memory=4Gi,gpu=1.
func parseClassShare(text string) (workload.ClassShare, error) {
	var c workload.ClassShare
	parts := strings.Split(text, ",")
	classes, share, ok := strings.Cut(parts[0], "=")
	if !ok {
		return c, errors.New("begin with the classes and their share, such as normal=1")
	}
	c.Classes = strings.Split(classes, "|")
	var err error
	if c.Share, err = strconv.ParseFloat(share, 64); err != nil {
		return c, fmt.Errorf("the share %q is no number", share)
	}
	has := map[string]bool{}
	for _, part := range parts[1:] {
		name, value, _ := strings.Cut(part, "=")
		q, err := resource.ParseQuantity(value)
		if err != nil {
			return c, fmt.Errorf("%s %q is no Kubernetes quantity", name, value)
		}
		has[name] = true
		switch name {
		case "cpu":
			c.MilliCPU = q.MilliValue()
		case "memory":
			c.MemoryBytes = q.Value()
		case "gpu":
			c.GPUs = q.Value()
		default:
			return c, fmt.Errorf("%q is none of cpu, memory and gpu", name)
		}
	}
	if !has["cpu"] || !has["memory"] {
		return c, errors.New("cpu and memory are needed, such as cpu=2,memory=4Gi")
	}
	return c, nil
}
