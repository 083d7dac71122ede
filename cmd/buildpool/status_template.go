package main

import (
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/nodegroups"
)

// templateReport is the node that a group would add.
type templateReport struct {
	Labels map[string]string `json:"labels"`
	Taints []corev1.Taint    `json:"taints"`
	// Allocatable is in Kubernetes' quantities, by resource.
	Allocatable corev1.ResourceList `json:"allocatable"`
}

// troubleReport is a reason of late for which the expander prefers other groups.
type troubleReport struct {
	Reason string    `json:"reason"`
	Code   string    `json:"code"`
	At     time.Time `json:"at"`
	Until  time.Time `json:"until"`
}

func templateOf(g nodegroups.GroupStatus) *templateReport {
	if g.TemplateProblem != "" || len(g.Template.Labels) == 0 {
		return nil
	}
	t := &templateReport{Labels: g.Template.Labels, Taints: g.Template.Taints, Allocatable: g.Template.Allocatable}
	if t.Taints == nil {
		t.Taints = []corev1.Taint{}
	}
	return t
}

func troublesOf(skips []cloudprovider.Skip) []troubleReport {
	out := make([]troubleReport, 0, len(skips))
	for _, s := range skips {
		out = append(out, troubleReport{Reason: string(s.Reason), Code: s.Code, At: s.At.UTC(), Until: s.Until.UTC()})
	}
	return out
}

// comingReport is a node that is on its way; instance is empty while the cloud lists
// none for it.
type comingReport struct {
	Instance string    `json:"instance"`
	Since    time.Time `json:"since"`
}

func comingOf(coming []nodegroups.Coming) []comingReport {
	out := make([]comingReport, 0, len(coming))
	for _, c := range coming {
		out = append(out, comingReport{Instance: c.InstanceID, Since: c.Since.UTC()})
	}
	return out
}
