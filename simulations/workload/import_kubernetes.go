package workload

import (
	"bufio"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// kubeObject is a pod or an event: what their kinds have is read from one struct.
type kubeObject struct {
	Kind     string   `json:"kind"`
	Metadata metadata `json:"metadata"`
	Spec     podSpec  `json:"spec"`
	Status   struct {
		ContainerStatuses []struct {
			State     containerState `json:"state"`
			LastState containerState `json:"lastState"`
		} `json:"containerStatuses"`
	} `json:"status"`

	// An event's.
	Reason         string    `json:"reason"`
	FirstTimestamp time.Time `json:"firstTimestamp"`
	LastTimestamp  time.Time `json:"lastTimestamp"`
	EventTime      time.Time `json:"eventTime"`
	InvolvedObject struct {
		Kind      string `json:"kind"`
		Name      string `json:"name"`
		Namespace string `json:"namespace"`
		UID       string `json:"uid"`
	} `json:"involvedObject"`
}

type containerState struct {
	Running *struct {
		StartedAt time.Time `json:"startedAt"`
	} `json:"running"`
	Terminated *struct {
		StartedAt  time.Time `json:"startedAt"`
		FinishedAt time.Time `json:"finishedAt"`
	} `json:"terminated"`
}

// podFacts is what all objects together say of a pod.
type podFacts struct {
	at   place
	seen bool // the pod itself, not only its events
	meta metadata
	spec podSpec

	created, started, ended, killed time.Time
	// firstEvent is the first thing that was heard of it.
	firstEvent time.Time
}

// readKubernetes reads pods, their watch events, and events about them, in lists or one
// after the other. The last that is said of a pod holds.
func readKubernetes(c *collector, source *bufio.Reader) error {
	k := kubernetes{exporter: newExporter(c), pods: map[string]*podFacts{}}
	err := objects(c, source, []string{"items", "object"}, func(at place, object jsontext.Value) {
		var o kubeObject
		if f := decode(object, &o); f != nil {
			k.bad(at.line, at.column, f)
			return
		}
		switch o.Kind {
		case "Event":
			k.event(at, o)
		case "Pod":
			k.pod(at, o)
		case "List", "PodList", "EventList", "Status": // a list of nothing, a watch's end
		default:
			k.bad(at.line, at.column, &fault{"kind", "is neither Pod nor Event", o.Kind, "export with kubectl get pods,events -o json"})
		}
	})
	for _, p := range k.order {
		k.build(p)
	}
	return err
}

type kubernetes struct {
	*exporter
	pods  map[string]*podFacts
	order []*podFacts
}

func (k *kubernetes) facts(at place, uid, namespace, name string) *podFacts {
	if uid == "" {
		uid = namespace + "/" + name
	}
	p, ok := k.pods[uid]
	if !ok {
		p = &podFacts{at: at}
		k.pods[uid] = p
		k.order = append(k.order, p)
	}
	return p
}

func (k *kubernetes) pod(at place, o kubeObject) {
	p := k.facts(at, o.Metadata.UID, o.Metadata.Namespace, o.Metadata.Name)
	p.seen, p.meta, p.spec = true, o.Metadata, o.Spec
	p.created = o.Metadata.CreationTimestamp
	running := len(o.Status.ContainerStatuses) == 0
	for _, s := range o.Status.ContainerStatuses {
		switch {
		case s.State.Terminated != nil:
			p.started = earlier(p.started, s.State.Terminated.StartedAt)
			p.ended = later(p.ended, s.State.Terminated.FinishedAt)
		case s.State.Running != nil:
			p.started = earlier(p.started, s.State.Running.StartedAt)
			running = true
		default:
			running = true
		}
		if t := s.LastState.Terminated; t != nil {
			p.started = earlier(p.started, t.StartedAt)
		}
	}
	if running {
		p.ended = time.Time{}
	}
	if d := o.Metadata.DeletionTimestamp; !d.IsZero() {
		// The timestamp is when the grace period ends; the build was told to stop before.
		p.killed = d.Add(-time.Duration(o.Metadata.DeletionGracePeriodSeconds) * time.Second)
	}
}

func (k *kubernetes) event(at place, o kubeObject) {
	about := o.InvolvedObject
	if about.Kind != "Pod" {
		return
	}
	first := o.FirstTimestamp
	if first.IsZero() {
		first = o.EventTime
	}
	if first.IsZero() {
		k.bad(at.line, at.column, &fault{"firstTimestamp", "is missing", "", "export it again"})
		return
	}
	p := k.facts(at, about.UID, about.Namespace, about.Name)
	if !p.seen {
		p.meta.Name, p.meta.Namespace = about.Name, about.Namespace
	}
	p.firstEvent = earlier(p.firstEvent, first)
	switch o.Reason {
	case "Started":
		p.started = earlier(p.started, first)
	case "Killing":
		p.killed = earlier(p.killed, first)
	}
}

func (k *kubernetes) build(p *podFacts) {
	if p.created.IsZero() {
		p.created = p.firstEvent
	}
	if p.ended.IsZero() {
		p.ended = p.killed
	}
	_, mirror := p.meta.Annotations["kubernetes.io/config.mirror"]
	switch {
	case p.created.IsZero():
		k.bad(p.at.line, p.at.column, &fault{"metadata.creationTimestamp", "is missing", "", "export whole objects, with -o json"})
		return
	case mirror || p.meta.ownedBy("DaemonSet"):
		k.skip(p.at, &fault{"", "it belongs to its node: no build", "", ""})
		return
	case p.started.IsZero():
		k.skip(p.at, &fault{"", "it never ran", "", ""})
		return
	case p.ended.IsZero():
		k.skip(p.at, &fault{"", "it has not ended", "", ""})
		return
	}
	said, f := p.spec.said()
	if f != nil {
		k.bad(p.at.line, p.at.column, f)
		return
	}
	k.add(p.at, exported{
		job: p.meta.job(k.mapping.JobLabel), tags: p.spec.tags(p.meta), said: said,
		arrival: p.created, start: p.started, end: p.ended,
	})
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
