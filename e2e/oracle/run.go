package oracle

import (
	"context"
	"io"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc/protos"
	"k8s.io/klog/v2"

	"github.com/buildpool/buildpool/simulations/engine"
)

// Run is what the real cluster-autoscaler made of the settings.
type Run struct {
	engine.Result
	// Log is what it did, in order.
	Log []Event
	// Failed are the loops that ended with an error.
	Failed []error
}

// Option makes a world that is not as usual.
type Option func(*world)

// QuickNodes lets nodes be Ready as soon as kube-controller-manager has seen them, as
// those of the end-to-end tests are: the taint of a new node goes amid the attempts that
// its coming has caused. A real kubelet takes seconds, so that all have failed by then.
func QuickNodes(w *world) { w.quickNodes = true }

// Play runs the settings in a bubble of virtual time. It fails the test if the oracle
// cannot be put together or leaves something running.
func Play(t *testing.T, s engine.Settings, options ...Option) Run {
	t.Helper()
	quiet()
	parts, err := newUpstream(t.Context())
	if err != nil {
		t.Fatalf("play the oracle: %v", err)
	}
	var run Run
	synctest.Test(t, func(*testing.T) { run, err = play(s, parts, options) })
	if err != nil {
		t.Fatalf("play the oracle: %v", err)
	}
	return run
}

var quiet = sync.OnceFunc(func() {
	klog.LogToStderr(false)
	klog.SetOutput(io.Discard)
})

func play(s engine.Settings, parts upstream, options []Option) (Run, error) {
	time.Sleep(untilWeekday(s.Trace.Start))
	account, err := newAccount(s, func(g engine.Group) int { return g.Config.Min })
	if err != nil {
		return Run{}, err
	}
	w := newWorld(s, account, parts)
	for _, set := range options {
		set(w)
	}
	p, err := newProvider(s, watched{account.Transport(), w}, w)
	if err != nil {
		return Run{}, err
	}
	defer p.close()
	if err := p.checkTemplates(context.Background(), s); err != nil {
		return Run{}, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer drain(cancel)
	a, err := newAutoscaler(ctx, w, p, w.overhear(p.inProcess()), parts.handle)
	if err != nil {
		return Run{}, err
	}
	w.mu.Lock()
	w.planMarket()
	w.look(w.start)
	w.mu.Unlock()
	ended := make(chan struct{})
	var running sync.WaitGroup
	running.Go(func() { w.run(ended) })
	a.loop(ctx, w.done)
	close(ended)
	running.Wait()
	a.stop()
	return w.conclude(a), nil
}

// drain ends the bubble's background: some of it looks at its context only when its
// own timer wakes it.
func drain(cancel context.CancelFunc) {
	cancel()
	time.Sleep(time.Minute)
	synctest.Wait()
}

// untilWeekday is how long a bubble has to wait for the weekday and the hour at which
// a trace starts: bubbles begin on Saturday, 1 January 2000, and schedules know weeks.
func untilWeekday(start time.Time) time.Duration {
	if start.IsZero() {
		return 0
	}
	const week = 7 * 24 * time.Hour
	behind := time.Until(start) % week
	if behind < 0 {
		behind += week
	}
	return behind
}

// done reports whether all builds are done and the groups are at their floors again,
// or the horizon is reached.
func (w *world) done() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.since(time.Now())
	if now >= w.horizon() {
		return true
	}
	if w.left > 0 {
		return false
	}
	alive := make([]int, len(w.settings.Groups))
	for _, m := range w.machines {
		alive[m.group]++
	}
	for n, g := range w.settings.Groups {
		if alive[n] > g.Config.Min {
			return false
		}
	}
	return true
}

func (w *world) horizon() time.Duration {
	if w.settings.Horizon > 0 {
		return w.settings.Horizon
	}
	builds := w.settings.Trace.Builds
	if len(builds) == 0 {
		return 24 * time.Hour
	}
	return builds[len(builds)-1].Arrival + 24*time.Hour
}

// watched tells the world that something may have been written to the account.
type watched struct {
	http.RoundTripper
	world *world
}

func (t watched) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := t.RoundTripper.RoundTrip(r)
	switch r.URL.Query().Get("Action") {
	case "ScaleWithAdjustment", "RemoveInstances", "ModifyScalingGroup":
		t.world.mu.Lock()
		t.world.look(time.Now())
		t.world.mu.Unlock()
	}
	return answer, err
}

// overhear records what cluster-autoscaler asks of the provider.
func (w *world) overhear(connection grpc.ClientConnInterface) grpc.ClientConnInterface {
	return overheard{connection, func(request any, err error) {
		w.mu.Lock()
		defer w.mu.Unlock()
		now := time.Now()
		switch r := request.(type) {
		case *protos.NodeGroupIncreaseSizeRequest:
			w.note(now, Event{Kind: ScaleUp, Group: r.GetId(), Nodes: int(r.GetDelta()), Error: errorText(err)})
		case *protos.NodeGroupDeleteNodesRequest:
			w.note(now, Event{Kind: Delete, Group: r.GetId(), Nodes: len(r.GetNodes()), Of: namesOf(r.GetNodes()), Error: errorText(err)})
		case *protos.NodeGroupDecreaseTargetSizeRequest:
			w.note(now, Event{Kind: Decrease, Group: r.GetId(), Nodes: int(r.GetDelta()), Error: errorText(err)})
		}
	}}
}

func namesOf(nodes []*protos.ExternalGrpcNode) string {
	text := ""
	for _, n := range nodes {
		text += " " + n.GetName()
	}
	return text
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
