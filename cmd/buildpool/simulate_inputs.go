package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/buildpool/buildpool/nodegroups/config"
	"github.com/buildpool/buildpool/simulations/engine"
	"github.com/buildpool/buildpool/simulations/scenario"
	"github.com/buildpool/buildpool/simulations/scenarios"
	"github.com/buildpool/buildpool/simulations/workload"
)

// inputs are what a simulation is made of.
type inputs struct {
	simulation scenario.Simulation
	// read opens a file that the simulation names.
	read  func(name string) ([]byte, error)
	files map[string]config.Config // by name
	// config is the file of the command line; empty: as the simulation says.
	config string
	trace  workload.Trace
	facts  map[string]scenario.Facts
	caArgs []string
	flags  scenario.Flags
}

// inputs reads everything that the flags name.
func (f simulateFlags) inputs(ctx context.Context, env environment) (*inputs, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	in := &inputs{files: map[string]config.Config{}, config: f.config, read: os.ReadFile}
	if err := in.readSimulation(f); err != nil {
		return nil, err
	}
	for _, v := range in.variants() {
		name := in.configOf(v)
		if name == "" {
			return nil, errors.New("which node groups? give --config FILE, or --scenario NAME")
		}
		if err := in.readConfig(name); err != nil {
			return nil, err
		}
	}
	if err := in.simulation.CheckGroups(slices.Collect(maps.Values(in.files))); err != nil {
		return nil, fmt.Errorf("check assumptions: %w", err)
	}
	if err := in.readFlags(f); err != nil {
		return nil, err
	}
	if f.account != "" {
		var err error
		if in.facts, err = accountFacts(ctx, env, f.account, in.files[in.configOf(in.variants()[0])]); err != nil {
			return nil, err
		}
	}
	return in, in.readTrace(f, env)
}

// readSimulation reads the assumptions: the scenario's, the file's, or none.
func (in *inputs) readSimulation(f simulateFlags) error {
	name, data := "", []byte(nil)
	switch {
	case f.scenario != "":
		s, err := scenarios.Named(f.scenario)
		if err != nil {
			return err
		}
		name, data = s.File, s.Text
		in.read = func(name string) ([]byte, error) { return fs.ReadFile(scenarios.Files, name) }
	case f.assume != "":
		var err error
		if name, data, err = readBeside(f.assume, in); err != nil {
			return err
		}
	default:
		return nil
	}
	var err error
	in.simulation, err = scenario.Parse(name, data)
	return err
}

// readBeside reads the file of assumptions; the files that it names lie beside it.
func readBeside(file string, in *inputs) (string, []byte, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return "", nil, fmt.Errorf("read assumptions: %w", err)
	}
	dir := filepath.Dir(file)
	in.read = func(name string) ([]byte, error) {
		if !filepath.IsAbs(name) {
			name = filepath.Join(dir, name)
		}
		return os.ReadFile(name)
	}
	return file, data, nil
}

// variants are the runs to play: the simulation's, or one with all its settings.
func (in *inputs) variants() []scenario.Variant {
	if len(in.simulation.Variants) == 0 {
		return []scenario.Variant{{}}
	}
	return in.simulation.Variants
}

// chosen are the variants to play: all, or the one of that name.
func (in *inputs) chosen(name string) ([]scenario.Variant, error) {
	if name == "" {
		return in.variants(), nil
	}
	var names []string
	for _, v := range in.simulation.Variants {
		if v.Name == name {
			return []scenario.Variant{v}, nil
		}
		names = append(names, v.Name)
	}
	return nil, fmt.Errorf("--variant: there is no %q; the simulation has %s", name, cmp.Or(strings.Join(names, ", "), "none"))
}

// configOf is the node-group file of a variant.
func (in *inputs) configOf(v scenario.Variant) string {
	return cmp.Or(in.config, v.NodeGroups, in.simulation.NodeGroups)
}

func (in *inputs) readConfig(name string) error {
	if _, known := in.files[name]; known {
		return nil
	}
	read := in.read
	if name == in.config {
		read = os.ReadFile
	}
	data, err := read(name)
	if err != nil {
		return fmt.Errorf("read node groups: %w", err)
	}
	cfg, err := config.Parse(name, data)
	if err != nil {
		return err
	}
	in.files[name] = cfg
	return nil
}

func (in *inputs) readFlags(f simulateFlags) error {
	if f.caFlagsFrom != "" {
		data, err := os.ReadFile(f.caFlagsFrom)
		if err != nil {
			return fmt.Errorf("read cluster-autoscaler's flags: %w", err)
		}
		if in.caArgs, err = scenario.FlagsOf(data); err != nil {
			return fmt.Errorf("%s: %w", f.caFlagsFrom, err)
		}
	}
	in.caArgs = append(in.caArgs, f.caFlags...)
	var err error
	if in.flags, err = scenario.ParseFlags(in.caArgs); err != nil {
		return fmt.Errorf("cluster-autoscaler's flags: %w", err)
	}
	return nil
}

// ignored are the flags of all sources that change nothing, each once.
func (in *inputs) ignored() []string {
	all := slices.Clone(in.flags.Ignored)
	lists := [][]string{in.simulation.Autoscaler.Flags}
	for _, v := range in.simulation.Variants {
		lists = append(lists, v.Flags)
	}
	for _, list := range lists {
		if f, err := scenario.ParseFlags(list); err == nil { // they were read before
			all = append(all, f.Ignored...)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// settings are a variant's, without builds and seed.
func (in *inputs) settings(v scenario.Variant) (engine.Settings, error) {
	return in.simulation.Settings(in.files[in.configOf(v)], in.facts, v, in.flags)
}

// readTrace reads or generates the builds.
func (in *inputs) readTrace(f simulateFlags, env environment) error {
	w := in.simulation.Workload
	switch {
	case f.trace != "":
		return in.readHistory(f.trace, f, env)
	case f.profile != "":
		w.Trace, w.Profile = "", f.profile
	case w.Trace != "":
		return in.readHistory(w.Trace, f, env)
	case w.Profile == "":
		return errors.New("which builds? give --trace FILE or --profile NAME")
	}
	if f.days > 0 {
		w.Days = f.days
	}
	var err error
	in.trace, err = w.Generate(f.seed)
	return err
}

func (in *inputs) readHistory(name string, f simulateFlags, env environment) error {
	options := workload.Options{Format: workload.Format(f.format), SkipBad: f.skipBad}
	if f.mapping != "" {
		data, err := os.ReadFile(f.mapping)
		if err != nil {
			return fmt.Errorf("read mapping: %w", err)
		}
		if options.Mapping, err = workload.ParseMapping(f.mapping, data); err != nil {
			return err
		}
	}
	trace, dropped, err := workload.ReadFile(name, options)
	if err != nil {
		return err
	}
	if dropped.Count > 0 {
		fmt.Fprintf(env.stderr, "buildpool: left out %s that cannot be read\n", plural(dropped.Count, "build"))
	}
	if f.days > 0 {
		end := time.Duration(f.days) * 24 * time.Hour
		n := sort.Search(len(trace.Builds), func(i int) bool { return trace.Builds[i].Arrival >= end })
		trace.Builds = trace.Builds[:n]
	}
	in.trace = trace
	return nil
}
