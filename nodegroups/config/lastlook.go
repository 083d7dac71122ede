package config

import (
	"fmt"

	"k8s.io/apimachinery/pkg/labels"
)

// LastLook is what is looked at right before an instance is removed: whether a build
// began on its node since cluster-autoscaler looked.
type LastLook struct {
	// WhenUnseen says what becomes of a delete while the cluster cannot be seen: refuse
	// it, and cluster-autoscaler tries again later, or remove all the same. Default:
	// refuse.
	WhenUnseen WhenUnseen `json:"whenUnseen,omitempty"`
	// BuildSelector is a label selector, such as "jenkins/label,tier!=cache": only pods
	// that it selects keep their node. Default: every pod that cluster-autoscaler would
	// have evicted.
	BuildSelector string `json:"buildSelector,omitempty"`
	// ExpendableBelow is cluster-autoscaler's --expendable-pods-priority-cutoff: pods of
	// a lower priority keep no node. Default: -10.
	ExpendableBelow *int `json:"expendableBelow,omitempty"`
}

// WhenUnseen says what becomes of a delete while the cluster cannot be seen.
type WhenUnseen string

// The values of lastLook.whenUnseen.
const (
	RefuseUnseen WhenUnseen = "refuse"
	RemoveUnseen WhenUnseen = "remove"
)

// expendablePriority is cluster-autoscaler's default.
const expendablePriority = -10

// Selector compiles buildSelector; it selects every pod if that is empty.
func (l LastLook) Selector() (labels.Selector, error) {
	selector, err := labels.Parse(l.BuildSelector)
	if err != nil {
		return nil, fmt.Errorf("label selector %q: %w", l.BuildSelector, err)
	}
	return selector, nil
}

func lastLookWithDefaults(l LastLook) LastLook {
	if l.WhenUnseen == "" {
		l.WhenUnseen = RefuseUnseen
	}
	if l.ExpendableBelow == nil {
		standard := expendablePriority
		l.ExpendableBelow = &standard
	}
	return l
}

func (d *decoder) checkLastLook(l LastLook) {
	const at = "lastLook.buildSelector"
	if !d.sound(at) {
		return
	}
	const fix = `write a selector such as "app=build" or "jenkins/label", or remove it`
	if l.BuildSelector == "" {
		d.complain(at, "the selector is empty", fix)
		return
	}
	if _, err := labels.Parse(l.BuildSelector); err != nil {
		d.complain(at, fmt.Sprintf("%s is no label selector: %v", quoted(l.BuildSelector), err), fix)
	}
}
