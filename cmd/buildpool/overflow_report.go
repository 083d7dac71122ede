package main

import (
	"maps"
	"slices"
)

// overflowReport is what moving builds to a virtual node is at.
type overflowReport struct {
	// Failing says why none moves; empty: they do.
	Failing string `json:"failing"`
	// Pods are those that wait and that a class selects.
	Pods []overflowPodReport `json:"pods"`
}

// overflowPodReport is what was made of one pod in the last round.
type overflowPodReport struct {
	Pod    string `json:"pod"`
	Class  string `json:"class"`
	Moves  bool   `json:"moves"`
	Reason string `json:"reason"`
	Text   string `json:"text"`
}

func (m *mover) report() *overflowReport {
	r := &overflowReport{Failing: m.controller.Failing(), Pods: []overflowPodReport{}}
	latest := m.controller.Latest()
	for _, pod := range slices.Sorted(maps.Keys(latest)) {
		v := latest[pod]
		r.Pods = append(r.Pods, overflowPodReport{Pod: pod, Class: v.Class, Moves: v.Moves, Reason: string(v.Reason), Text: v.Reason.String()})
	}
	return r
}
