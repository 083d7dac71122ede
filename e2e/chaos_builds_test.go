package e2e

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// builds are the builds of TestChaos and what runs them: half of them Jobs, the other
// half bare pods that their CI system starts again when their node is gone, as Jenkins
// does when it loses its agent. It also ends builds: a fake node's kubelet does not
// know how long one takes, nor may one end whose node is gone.
type builds struct {
	s       *scenario
	arrived chan struct{} // closed when the last one has been created
	done    chan struct{}

	mu    sync.Mutex
	err   error
	all   []*build
	tries map[string]*attempt // by the pod's name
}

// build is one build.
type build struct {
	name  string
	job   bool
	needs need
	lasts time.Duration
	at    time.Duration // after the first
	tries int           // bare pods made for it
	ends  int           // attempts that ran to their end
}

// need is where a build may run.
type need int

const (
	onNormal need = iota
	onSpot
	onEither
	needs // how many there are
)

// attempt is one pod of a build.
type attempt struct {
	build       *build
	pod, node   string
	ended, lost bool
}

// buildLabel names the build that a pod is of.
const buildLabel = "e2e.buildpool.io/build"

// startBuilds makes builds arrive, evenly spread in the mean.
func (s *scenario) startBuilds(number int, within time.Duration, random *rand.Rand) *builds {
	b := &builds{s: s, arrived: make(chan struct{}), done: make(chan struct{}), tries: map[string]*attempt{}}
	for n := range number {
		b.all = append(b.all, &build{
			name: fmt.Sprintf("build-%03d", n), job: n%2 == 0, needs: need(random.IntN(int(needs))),
			lasts: 6*time.Second + time.Duration(random.Int64N(int64(12*time.Second))),
			at:    time.Duration(n) * within / time.Duration(number),
		})
	}
	ctx, cancel := context.WithCancel(s.ctx)
	s.t.Cleanup(func() { cancel(); <-b.done })
	go func() {
		defer close(b.done)
		b.run(ctx)
	}()
	return b
}

// run creates what is due and looks after what is there, four times a second.
func (b *builds) run(ctx context.Context) {
	began := time.Now()
	ticker := time.NewTicker(250 * time.Millisecond)
	defer ticker.Stop()
	created := 0
	for {
		for created < len(b.all) && time.Since(began) >= b.all[created].at {
			if err := b.create(ctx, b.all[created]); err != nil {
				b.fail(err)
			}
			if created++; created == len(b.all) {
				close(b.arrived)
			}
		}
		if err := b.lookAfter(ctx); err != nil && ctx.Err() == nil {
			b.fail(err)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

func (b *builds) fail(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.err = errors.Join(b.err, err)
}

// lookAfter ends the pods whose time has come, notes what became of the others, and
// starts lost bare ones again.
func (b *builds) lookAfter(ctx context.Context) error {
	core := b.s.cluster.Client.CoreV1()
	nodes, err := core.Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return fmt.Errorf("list nodes: %w", err)
	}
	alive := map[string]bool{}
	for _, n := range nodes.Items {
		alive[n.Name] = true
	}
	pods, err := core.Pods(b.s.namespace).List(ctx, metav1.ListOptions{LabelSelector: buildLabel})
	if err != nil {
		return fmt.Errorf("list pods: %w", err)
	}
	there := map[string]bool{}
	var again []*build
	for _, pod := range pods.Items {
		there[pod.Name] = true
		over, lost := b.note(&pod, alive)
		switch {
		case over:
			if err := b.end(ctx, &pod); err != nil {
				return err
			}
		case lost && pod.OwnerReferences == nil:
			again = append(again, b.of(pod.Name))
		}
	}
	again = append(again, b.vanished(there)...)
	for _, one := range again {
		if err := b.create(ctx, one); err != nil {
			return err
		}
	}
	return nil
}

// note brings what is known of a pod up to date. It reports whether its build is over
// now, or has just been lost.
func (b *builds) note(pod *corev1.Pod, alive map[string]bool) (over, lost bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	a := b.tries[pod.Name]
	if a == nil {
		a = &attempt{build: b.find(pod.Labels[buildLabel]), pod: pod.Name}
		b.tries[pod.Name] = a
	}
	a.node = pod.Spec.NodeName
	switch {
	case a.lost || a.ended:
	case pod.Status.Phase == corev1.PodSucceeded:
		a.ended = true
		a.build.ends++
	case pod.Status.Phase == corev1.PodFailed || pod.DeletionTimestamp != nil || (a.node != "" && !alive[a.node]):
		a.lost = true
		return false, true
	case pod.Status.Phase == corev1.PodRunning && time.Since(pod.Status.StartTime.Time) >= a.build.lasts:
		return true, false
	}
	return false, false
}

// vanished returns the builds of bare pods that were there and are not, without an end.
func (b *builds) vanished(there map[string]bool) []*build {
	b.mu.Lock()
	defer b.mu.Unlock()
	var found []*build
	for name, a := range b.tries {
		if there[name] || a.ended || a.lost {
			continue
		}
		a.lost = true
		if !a.build.job {
			found = append(found, a.build)
		}
	}
	return found
}

func (b *builds) of(pod string) *build {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.tries[pod].build
}

func (b *builds) find(name string) *build {
	for _, one := range b.all {
		if one.name == name {
			return one
		}
	}
	return nil
}

// end lets a pod's containers end well, as kubelet reports it.
func (b *builds) end(ctx context.Context, pod *corev1.Pod) error {
	pod.Status.Phase = corev1.PodSucceeded
	now := metav1.Now()
	for n := range pod.Status.ContainerStatuses {
		status := &pod.Status.ContainerStatuses[n]
		status.Ready, status.Started = false, new(bool)
		status.State = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
			Reason: "Completed", StartedAt: *pod.Status.StartTime, FinishedAt: now,
		}}
	}
	_, err := b.s.cluster.Client.CoreV1().Pods(b.s.namespace).UpdateStatus(ctx, pod, metav1.UpdateOptions{})
	if apierrors.IsConflict(err) || apierrors.IsNotFound(err) {
		return nil // it has changed meanwhile and is looked at again
	}
	if err != nil {
		return fmt.Errorf("end pod %s: %w", pod.Name, err)
	}
	return nil
}

func (b *builds) allArrived() {
	b.s.t.Helper()
	select {
	case <-b.arrived:
	case <-b.s.ctx.Done():
		require.NoError(b.s.t, b.s.ctx.Err())
	}
}
