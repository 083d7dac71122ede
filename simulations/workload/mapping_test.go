package workload

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParseMapping(t *testing.T) {
	m, err := ParseMapping("m.yaml", []byte(`
default: &d {class: normal, cpu: 500m, memory: 1Gi}
jobLabel: team
rules:
  - {job: "build-?", class: [spot, normal], cpu: 2, gpu: 1}
  - {job: /^(unit|lint)$/, tag: "k=*", as: quick, image: golang, labels: {disk: ssd}}
  - {tag: macos, drop: true}
`))
	require.NoError(t, err)
	assert.Equal(t, []string{"normal"}, m.Default.Classes)
	assert.Equal(t, int64(500), *m.Default.MilliCPU)
	assert.Equal(t, "team", m.JobLabel)
	for _, tt := range []struct {
		job  string
		tags []string
		rule int
	}{
		{"build-1", nil, 0},
		{"build-10", nil, -1},
		{"build-1\n", nil, -1},
		{"unit", nil, -1},
		{"unit", []string{"x", "k=v"}, 1},
		{"unittest", []string{"k=v"}, -1},
		{"anything", []string{"macos"}, 2},
	} {
		got := m.rule(tt.job, tt.tags)
		if tt.rule < 0 {
			assert.Nil(t, got, tt.job)
			continue
		}
		assert.Same(t, &m.Rules[tt.rule], got, tt.job)
	}
	assert.Equal(t, "quick", m.Rules[1].As)
	assert.Equal(t, map[string]string{"disk": "ssd"}, m.Rules[1].Labels)
	assert.Equal(t, []string{"spot", "normal"}, m.Rules[0].Classes)
}

// A rule goes before the export, and that before the default; empty labels of a rule
// take the export's away.
func TestRequestsInOrder(t *testing.T) {
	one, two := int64(1), int64(2)
	rule := Requests{MilliCPU: &one, Labels: map[string]string{}}
	said := Requests{MilliCPU: &two, MemoryBytes: &two, Labels: map[string]string{"a": "b"}, Image: "said"}
	fallback := Requests{Classes: []string{"normal"}, MemoryBytes: &one, GPUs: &one, Image: "default"}
	s, f := rule.over(said).over(fallback).shape("j")
	require.Nil(t, f)
	assert.Equal(t, Shape{Job: "j", Classes: []string{"normal"}, MilliCPU: 1, MemoryBytes: 2, GPUs: 1, Labels: map[string]string{}, Image: "said"}, s)
	_, f = rule.shape("j")
	assert.Equal(t, `"j" has no class`, f.message())
}

func TestProblemsOfMappings(t *testing.T) {
	_, err := ParseMapping("m.yaml", []byte(`defaults: {}
default: {class: "a||b", cpu: -1, memory: lots, gpu: 0.5, labels: {"a b": c}, image: null}
rules:
  - {class: normal}
  - {job: "/(/", drop: maybe, cpu: [1]}
  - just text
  - {job: a, job: b}
columns: {end: e, separator: ";;", tags: x}
curve: []
`))
	require.Error(t, err)
	want := []string{
		`m.yaml:1:1: defaults: is no key here; use columns, curve, default, jobLabel, rules`,
		`m.yaml:2:18: default.class: "a||b" has an empty class; write one class, or several as spot|normal`,
		`m.yaml:2:31: default.cpu: "-1" is negative; write 0 or more`,
		`m.yaml:2:43: default.memory: "lots" is no Kubernetes quantity; write one such as 500m, 2 or 4Gi`,
		`m.yaml:2:54: default.gpu: "0.5" is no whole number of GPUs; write a number such as 1, or nothing`,
		`m.yaml:2:68: default.labels.a b: "a b" is no label key; write a Kubernetes label key such as example.com/disk`,
		`m.yaml:2:86: default.image: is no text; write a value`,
		`m.yaml:4:5: rules[0]: has neither job nor tag; write job: "*" for every build, or use the default`,
		"m.yaml:5:11: rules[1].job: is no regular expression: missing closing ): `(`; mend it, or write text with * and ? without slashes",
		`m.yaml:5:24: rules[1].drop: "maybe" is neither true nor false; write true, or take it out`,
		`m.yaml:5:36: rules[1].cpu: is no text; write a value`,
		`m.yaml:5:5: rules[1]: has neither job nor tag; write job: "*" for every build, or use the default`,
		`m.yaml:6:5: rules[2]: "just text" is no mapping of keys to values; write key: value`,
		`m.yaml:6:5: rules[2]: has neither job nor tag; write job: "*" for every build, or use the default`,
		`m.yaml:7:14: rules[3].job: is there twice; write it once`,
		`m.yaml:8:30: columns.separator: ";;" is not one character; write one such as ";" or "\t"`,
		`m.yaml:8:42: columns.tags: "x" is no list; start each item with "- "`,
		`m.yaml:8:10: columns.arrival: is missing; name the column that says when a build was asked for`,
		`m.yaml:8:10: columns.duration: is missing; name the column of the duration, or those of start and end`,
		`m.yaml:9:8: curve: is no mapping of keys to values; write key: value`,
	}
	assert.Equal(t, strings.Join(want, "\n"), err.Error())
	for text, want := range map[string]string{
		"":               "m.yaml:1:1: the file is empty",
		"a: [":           "m.yaml:1:1: line 1: ",
		"rules: []\n---": "m.yaml:2:1: there is a second document",
		"a: &a [*a]":     "m.yaml:1:1: a: is no key here",
	} {
		_, err := ParseMapping("m.yaml", []byte(text))
		assert.ErrorContains(t, err, want, text)
	}
}

func TestExampleMappingsAreOfImportsOnly(t *testing.T) {
	for _, f := range imports {
		exampleMapping(t, f)
	}
	_, err := ExampleMapping(CSV)
	require.ErrorIs(t, err, ErrUnknownFormat)
	_, err = ExampleMapping("../mapping")
	require.ErrorIs(t, err, ErrUnknownFormat)
}
