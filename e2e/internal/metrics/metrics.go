// Package metrics reads Prometheus' text format.
//
// It must not know whose metrics they are.
package metrics

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Labels of a series, or those that a series is to have.
type Labels map[string]string

// Sample is one line of the format.
type Sample struct {
	Name   string
	Labels Labels
	Value  float64
}

// Samples are all of one reading.
type Samples []Sample

var labelPattern = regexp.MustCompile(`([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"`)

// Parse reads the samples and leaves out comments.
func Parse(text string) (Samples, error) {
	var samples Samples
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		series, value, ok := cutLast(line)
		if !ok {
			return nil, fmt.Errorf("read metrics: no value in %q", line)
		}
		number, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return nil, fmt.Errorf("read metrics: %q: %w", line, err)
		}
		name, labels, _ := strings.Cut(series, "{")
		sample := Sample{Name: name, Labels: Labels{}, Value: number}
		for _, found := range labelPattern.FindAllStringSubmatch(labels, -1) {
			sample.Labels[found[1]] = found[2]
		}
		samples = append(samples, sample)
	}
	return samples, nil
}

func cutLast(line string) (series, value string, ok bool) {
	i := strings.LastIndexByte(line, ' ')
	if i < 0 {
		return "", "", false
	}
	return strings.TrimSpace(line[:i]), line[i+1:], true
}

// Sum adds up the series of the name that have these labels and any others.
func (s Samples) Sum(name string, labels Labels) float64 {
	sum := 0.0
	for _, sample := range s {
		if sample.Name == name && sample.Labels.have(labels) {
			sum += sample.Value
		}
	}
	return sum
}

// By adds up the series of the name by the values of one label.
func (s Samples) By(name, label string) map[string]float64 {
	sums := map[string]float64{}
	for _, sample := range s {
		if sample.Name == name {
			sums[sample.Labels[label]] += sample.Value
		}
	}
	return sums
}

func (l Labels) have(want Labels) bool {
	for name, value := range want {
		if l[name] != value {
			return false
		}
	}
	return true
}
