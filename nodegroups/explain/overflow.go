package explain

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
)

// Overflow is what a running server that moves builds to a virtual node says.
type Overflow struct {
	// Failing says why it moves none; empty: it does.
	Failing string
	// Pods are what it made of each that waits, by namespace/name, as a sentence without
	// its full stop.
	Pods map[string]string
}

// The reasons of our own events on pods about the virtual node.
const (
	Overflowed      = "Overflowed"
	OverflowRefused = "OverflowRefused"
)

// overflowNotes tell of the virtual node: what was said of the pod, or what would be
// made of it now.
func (f Facts) overflowNotes(pod *corev1.Pod) []string {
	name := pod.Namespace + "/" + pod.Name
	var last Event
	for _, e := range f.Events {
		if e.Pod == name && (e.Reason == Overflowed || e.Reason == OverflowRefused) && e.At.After(last.At) {
			last = e
		}
	}
	if f.Overflow != nil && f.Overflow.Failing != "" {
		return []string{fmt.Sprintf("No build moves to the virtual node: %s.", f.Overflow.Failing)}
	}
	if f.Overflow != nil && last.Reason != Overflowed {
		verdict, judged := f.Overflow.Pods[name]
		if !judged {
			verdict = "no class of overflow selects it"
		}
		return []string{fmt.Sprintf("It is not let onto the virtual node: %s.", verdict)}
	}
	if last.Reason == "" {
		return nil
	}
	return []string{fmt.Sprintf("%s ago: %s", age(f.Now.Sub(last.At)), last.Message)}
}
