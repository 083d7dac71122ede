package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/buildpool/buildpool/nodegroups/config"
	"github.com/buildpool/buildpool/simulations/report"
	"github.com/buildpool/buildpool/simulations/scenario"
)

// comparand is an argument of compare, not yet played.
type comparand struct {
	file string
	kind string // of the file; empty for a report
	data []byte
}

// runs makes a report of every argument. What can be known to be wrong before anything
// is played is told at once and together.
func (f compareFlags) runs(ctx context.Context, env environment, files []string) ([]report.Report, error) {
	var all []comparand
	var errs []error
	for _, file := range files {
		c, err := readComparand(file)
		if err == nil && c.kind == "" {
			_, err = c.saved()
		}
		all, errs = append(all, c), append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	var runs []report.Report
	var names []string
	for _, c := range all {
		made, err := f.make(ctx, env, c)
		if err != nil {
			return nil, err
		}
		for _, r := range made {
			name := strings.TrimSuffix(filepath.Base(c.file), filepath.Ext(c.file))
			if len(made) > 1 {
				name += ": " + r.Name
			}
			runs, names = append(runs, r), append(names, name)
		}
	}
	return distinctlyNamed(runs, names), nil
}

func readComparand(file string) (comparand, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return comparand{}, fmt.Errorf("read %s: %w", file, err)
	}
	c := comparand{file: file, data: data}
	if bytes.HasPrefix(bytes.TrimSpace(data), []byte("{")) && strings.EqualFold(filepath.Ext(file), ".json") {
		return c, nil
	}
	var head struct {
		Kind string `json:"kind"`
	}
	// A file that is no YAML is told of by whoever parses it strictly.
	if err := yaml.Unmarshal(data, &head); err == nil && head.Kind != config.Kind && head.Kind != scenario.Kind {
		return c, fmt.Errorf("%s: its kind is %q: want a report (.json), %s or %s", file, head.Kind, config.Kind, scenario.Kind)
	}
	if c.kind = head.Kind; c.kind == "" {
		c.kind = config.Kind
	}
	return c, nil
}

func (c comparand) saved() (report.Report, error) {
	r, err := report.Read(bytes.NewReader(c.data))
	if err != nil {
		return report.Report{}, fmt.Errorf("%s: %w", c.file, err)
	}
	return r, nil
}

// make reads a report, or plays what is none yet.
func (f compareFlags) make(ctx context.Context, env environment, c comparand) ([]report.Report, error) {
	if c.kind == "" {
		r, err := c.saved()
		return []report.Report{r}, err
	}
	flags := f.simulate
	if c.kind == scenario.Kind {
		if flags.assume != "" {
			return nil, fmt.Errorf("%s: --assume brings assumptions, and so does this file: use one of them", c.file)
		}
		flags.assume = c.file
	} else {
		flags.config = c.file
	}
	_, played, err := flags.play(ctx, env)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.file, err)
	}
	reports := make([]report.Report, len(played))
	for n, p := range played {
		reports[n] = flags.output.report(p)
		if p.name == "" {
			reports[n].Name = ""
		}
	}
	return reports, nil
}

// distinctlyNamed gives runs names of which no two are the same: their own, or where
// that does not tell them apart those of their files.
func distinctlyNamed(runs []report.Report, names []string) []report.Report {
	own := map[string]bool{}
	for _, r := range runs {
		own[r.Name] = true
	}
	if len(own) == len(runs) && !own[""] {
		return runs
	}
	for n := range runs {
		runs[n].Name = names[n]
	}
	return runs
}
