package controller

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/utils/clock"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/nodegroups/explain"
	"github.com/buildpool/buildpool/overflow"
)

const (
	// roundTimeout is how long a look may take.
	roundTimeout = 30 * time.Second
	// movedKept is how long a pod that was moved is watched for its start.
	movedKept = 10 * time.Minute
)

// Settings are what a Controller is made of.
type Settings struct {
	Cluster Cluster
	// Rules are those in force now.
	Rules func() Rules
	// Groups are the node groups as they are now. An error stops the round: what is not
	// known to be surplus stays.
	Groups func(context.Context) ([]Group, error)
	// Leading says whether this replica is the one that moves; nil: it is.
	Leading  func() bool
	Observer Observer
	Clock    clock.WithTicker
	Log      *slog.Logger
}

// Controller moves builds to virtual nodes. One goroutine runs it.
type Controller struct {
	Settings
	cluster Cluster
	bucket  overflow.Bucket
	// told is what has been told of each pod that waits, and moved the pods that were
	// moved and do not run yet.
	told  map[string]map[overflow.Reason]bool
	moved map[string]moved
	// opened is since when nodes have been seen open for builds, by name.
	opened map[string]time.Time
	// latest is what the last round made of each pod.
	latest  atomic.Pointer[map[string]Verdict]
	failing atomic.Pointer[string]
	kicked  chan struct{}
}

// moved is when a pod was moved, and how long a real node was predicted to take; 0: not
// known.
type moved struct {
	at   time.Time
	boot time.Duration
}

// Verdict is what was made of one pod.
type Verdict struct {
	Class  string
	Moves  bool
	Reason overflow.Reason
}

// New makes a controller; nothing happens before Run.
func New(s Settings) *Controller {
	c := &Controller{Settings: s, cluster: s.Cluster, told: map[string]map[overflow.Reason]bool{}, moved: map[string]moved{}, kicked: make(chan struct{}, 1)}
	c.latest.Store(&map[string]Verdict{})
	unknown := "no round yet"
	c.failing.Store(&unknown)
	return c
}

// Failing says why the last round moved nothing; empty: it did what it was to do. A
// replica that stands by fails at nothing.
func (c *Controller) Failing() string { return *c.failing.Load() }

// Latest returns what the last round made of the pods that waited, by namespace/name.
func (c *Controller) Latest() map[string]Verdict { return *c.latest.Load() }

// Kick makes the next round come at once. It does not wait.
func (c *Controller) Kick() {
	select {
	case c.kicked <- struct{}{}:
	default: // one is due already
	}
}

// Run goes round after round until ctx ends. What fails is logged, and looked at again
// in the next round.
func (c *Controller) Run(ctx context.Context) {
	ticker := c.Clock.NewTicker(overflow.Period)
	defer ticker.Stop()
	for {
		err := c.Round(ctx)
		if ctx.Err() != nil {
			return
		}
		c.note(err)
		select {
		case <-ctx.Done():
			return
		case <-ticker.C():
		case <-c.kicked:
		}
	}
}

// note keeps and logs what stops the rounds, once.
func (c *Controller) note(err error) {
	now := ""
	if err != nil {
		now = err.Error()
	}
	before := *c.failing.Swap(&now)
	switch {
	case now != "" && now != before:
		c.Log.Warn("no build moves to the virtual node", "error", err)
	case now == "" && before != "":
		c.Log.Info("builds that real nodes serve too late move to the virtual node")
	}
}

// Round looks once, and moves what is to be moved.
func (c *Controller) Round(ctx context.Context) error {
	if c.Leading != nil && !c.Leading() {
		return nil
	}
	rules := c.Rules()
	if len(rules.Classes) == 0 {
		return nil
	}
	if err := c.cluster.Current(); err != nil {
		return err
	}
	nodes := c.cluster.Nodes()
	c.noteOpen(nodes)
	c.observe(rules, nodes)
	if !c.somebodyWaits(rules) {
		c.latest.Store(&map[string]Verdict{})
		clear(c.told)
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, roundTimeout)
	defer cancel()
	l, err := c.look(ctx, rules, nodes)
	if err != nil {
		return err
	}
	verdicts := map[string]Verdict{}
	var failed []error
	for class := range rules.Classes {
		failed = append(failed, c.decide(ctx, l, rules, class, verdicts))
	}
	c.latest.Store(&verdicts)
	c.forget(l)
	return errors.Join(failed...)
}

// somebodyWaits reports whether a pod that might move waits.
func (c *Controller) somebodyWaits(rules Rules) bool {
	for _, p := range c.cluster.PodsOn("") {
		if p.Phase == corev1.PodPending && !p.Leaving && rules.ClassOf(p.Namespace, p.Labels) >= 0 {
			return true
		}
	}
	return false
}

// look reads the pods first, the groups after them and the nodes last: what was asked for
// in between counts as coming, and a node that joins in between is seen by the one or the
// other.
func (c *Controller) look(ctx context.Context, rules Rules, nodes []*cloudprovider.ClusterNode) (*look, error) {
	l := &look{now: c.Clock.Now(), bound: map[string][]corev1.Pod{}, moved: map[string]bool{}}
	waiting, err := c.cluster.Waiting(ctx)
	if err != nil {
		return nil, err
	}
	margin := time.Duration(0)
	for _, class := range rules.Classes {
		margin = max(margin, class.Policy.Margin)
		virtual := virtualNodes(nodes, class)
		l.virtual = append(l.virtual, virtual)
		for _, node := range virtual {
			if _, read := l.bound[node.Name]; read {
				continue
			}
			if l.bound[node.Name], err = c.cluster.Bound(ctx, node.Name); err != nil {
				return nil, err
			}
		}
	}
	if l.groups, err = c.Groups(ctx); err != nil {
		return nil, fmt.Errorf("look at the node groups: %w", err)
	}
	l.nodes = c.cluster.Nodes()
	c.noteOpen(l.nodes)
	l.take(waiting, rules, c.cluster)
	l.upcoming = l.onTheirWay(c.opened, c.cluster, margin)
	return l, nil
}

// decide lets one class's policy decide, and does what it says.
func (c *Controller) decide(ctx context.Context, l *look, rules Rules, class int, verdicts map[string]Verdict) error {
	r := rules.Classes[class]
	decided, bucket := r.Policy.Decide(l.situation(rules, class, c.bucket))
	c.bucket = bucket
	pods := map[string]*corev1.Pod{}
	for n := range l.waiting {
		pods[string(l.waiting[n].pod.UID)] = l.waiting[n].pod
	}
	var failed []error
	for _, v := range decided {
		pod := pods[v.Name]
		if rules.classOf(pod) != class || l.moved[v.Name] {
			continue
		}
		verdicts[pod.Namespace+"/"+pod.Name] = Verdict{Class: r.Name, Moves: v.Moves, Reason: v.Reason}
		if v.Moves {
			failed = append(failed, c.move(ctx, l, r, pod, v.Reason))
			continue
		}
		c.tell(r, pod, v.Reason)
		failed = append(failed, c.delay(ctx, r, pod, v.Reason))
	}
	return errors.Join(failed...)
}

// move lets the pod onto the virtual node. Somebody else may have changed it meanwhile:
// then the next round looks at it again.
func (c *Controller) move(ctx context.Context, l *look, r Class, pod *corev1.Pod, why overflow.Reason) error {
	l.moved[string(pod.UID)] = true
	err := c.cluster.Tolerate(ctx, pod, r.Policy.Toleration(), r.Policy.Annotations)
	switch {
	case errors.Is(err, cloudprovider.ErrPodChanged):
		c.Log.Debug("a pod has changed since it was read", "pod", pod.Namespace+"/"+pod.Name)
		return nil
	case err != nil:
		return err
	}
	c.Log.Info("build may run on the virtual node", "pod", pod.Namespace+"/"+pod.Name, "class", r.Name, "reason", why)
	c.Observer.Moved(r.Name, why)
	c.cluster.Tell(pod, explain.Overflowed, "It may run on the virtual node now: "+why.String()+".")
	c.moved[string(pod.UID)] = moved{at: l.now, boot: l.bootFor(pod)}
	return nil
}

// bootFor is how long the quickest group that could serve the pod takes; 0: not known.
func (l *look) bootFor(pod *corev1.Pod) time.Duration {
	quickest := time.Duration(0)
	for _, w := range l.waiting {
		if w.pod != pod {
			continue
		}
		for _, g := range l.groups {
			if slices.Contains(w.groups, g.Name) && g.Boot > 0 && (quickest == 0 || g.Boot < quickest) {
				quickest = g.Boot
			}
		}
	}
	return quickest
}

// delay keeps cluster-autoscaler from a build that goes to the virtual node first.
func (c *Controller) delay(ctx context.Context, r Class, pod *corev1.Pod, why overflow.Reason) error {
	if _, has := pod.Annotations[AnnotationScaleUpDelay]; r.ScaleUpDelay == 0 || has || why != overflow.NotDue {
		return nil
	}
	err := c.cluster.Annotate(ctx, pod, map[string]string{AnnotationScaleUpDelay: r.ScaleUpDelay.String()})
	if errors.Is(err, cloudprovider.ErrPodChanged) {
		return nil
	}
	return err
}

func labelSet(m map[string]string) labels.Set { return m }
