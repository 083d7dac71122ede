package e2e

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/buildpool/buildpool/e2e/internal/autoscaler"
)

// wallFlags are cluster-autoscaler's, with its own loop; only what takes ten minutes by
// default is quicker. e2e/oracle/wall_test.go says the same to the oracle and the engine.
var wallFlags = autoscaler.Flags{
	"scan-interval": "10s", "scale-down-unneeded-time": "2m", "scale-down-delay-after-add": "1m",
	"unremovable-node-recheck-timeout": "1m", "node-delete-delay-after-taint": "5s", "max-node-provision-time": "15m",
}

const (
	// wallSpan is for how long builds come. The last of them ends before wallEnd, later
	// the fewer nodes there may be.
	wallSpan, wallEnd = 11 * time.Minute, 25 * time.Minute
	// wallBoot is how long a node takes from the request to Ready.
	wallBoot = time.Minute
)

// wallBuild is a build of the trace, and what became of it.
type wallBuild struct {
	arrival, duration time.Duration
	size              int
	created, started  time.Time
	finished          bool
}

var wallSizes = []corev1.ResourceList{requests("800m", "1Gi"), requests("1500m", "2Gi"), requests("3", "4Gi")}

// wallTrace is a push of up to nine builds every minute or so.
func wallTrace(seed uint64) []*wallBuild {
	chance := rand.New(rand.NewPCG(seed, 15))
	var all []*wallBuild
	for at := 5.0; at < wallSpan.Seconds(); at += 15 + 45*chance.ExpFloat64() {
		for range 1 + chance.IntN(9) {
			duration := min(75*math.Exp(0.6*chance.NormFloat64()), 150)
			all = append(all, &wallBuild{
				arrival:  time.Duration((at + 2*chance.Float64()) * float64(time.Second)).Round(time.Millisecond),
				duration: time.Duration(duration * float64(time.Second)).Round(time.Millisecond),
				size:     min(chance.IntN(5)/2, 2),
			})
		}
	}
	slices.SortStableFunc(all, func(a, b *wallBuild) int { return cmp.Compare(a.arrival, b.arrival) })
	return all
}

// TestFidelityOnTheWallClock plays a quarter of an hour of builds on the real control
// plane under the real cluster-autoscaler, and writes how long each waited to the file
// that BUILDPOOL_E2E_WALL names. `make fidelity-wall` then holds the oracle and the
// engine against it: the oracle's scheduler, kubelet and API server are models.
// BUILDPOOL_E2E_WALL_SEED makes other builds, BUILDPOOL_E2E_WALL_MAX a group that is too
// small for them.
func TestFidelityOnTheWallClock(t *testing.T) {
	path := os.Getenv("BUILDPOOL_E2E_WALL")
	if path == "" {
		t.Skip("takes a quarter of an hour: make fidelity-wall")
	}
	w := newWorld()
	w.Create, w.Join = wallBoot-5*time.Second, 5*time.Second
	w.Normal.Max = int(wallNumber(t, "BUILDPOOL_E2E_WALL_MAX", uint64(w.Normal.Max)))
	s := newScenario(t, w)
	// In a cluster without any node kube-scheduler takes a pod's failure for an error, and
	// tries again by the clock only.
	s.createNode("where-the-autoscaler-runs", nil)
	s.startAutoscaler(wallFlags)
	time.Sleep(15 * time.Second) // its first loops find nothing
	trace := wallTrace(wallNumber(t, "BUILDPOOL_E2E_WALL_SEED", 11))
	node := s.playOnTheWall(trace)
	require.NoError(t, os.WriteFile(path, wallRecord(trace, node, w.Normal.Max), 0o600))
}

func wallNumber(t *testing.T, name string, otherwise uint64) uint64 {
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(text, 10, 31)
	require.NoError(t, err, "%s is no number", name)
	return n
}

// playOnTheWall creates each pod at its time and deletes it when its build is done. It
// returns one of the nodes that came.
func (s *scenario) playOnTheWall(trace []*wallBuild) corev1.Node {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.ctx, wallEnd)
	defer cancel()
	pods := s.cluster.Client.CoreV1().Pods(s.namespace)
	watching, err := pods.Watch(ctx, metav1.ListOptions{})
	require.NoError(s.t, err)
	defer watching.Stop()
	var node corev1.Node
	began, next, left := time.Now(), 0, len(trace)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for left > 0 {
		select {
		case <-ctx.Done():
			require.FailNow(s.t, "builds are left", "%d of %d", left, len(trace))
		case e, open := <-watching.ResultChan():
			require.True(s.t, open, "the watch has ended")
			noteStart(trace, e, time.Now())
		case now := <-tick.C:
			for ; next < len(trace) && now.Sub(began) >= trace[next].arrival; next++ {
				trace[next].created = time.Now()
				s.create(buildPod(fmt.Sprintf("wall-%d", next), normal, wallSizes[trace[next].size]))
			}
			for n, b := range trace {
				if b.started.IsZero() || b.finished || now.Sub(b.started) < b.duration {
					continue
				}
				if node.Name == "" {
					nodes, err := s.nodes(ctx, normal)
					require.NoError(s.t, err)
					node = nodes[0]
				}
				none := int64(0)
				require.NoError(s.t, pods.Delete(ctx, fmt.Sprintf("wall-%d", n), metav1.DeleteOptions{GracePeriodSeconds: &none}))
				b.finished = true
				left--
			}
		}
	}
	return node
}

func noteStart(trace []*wallBuild, e watch.Event, now time.Time) {
	pod, ok := e.Object.(*corev1.Pod)
	if !ok || pod.Status.Phase != corev1.PodRunning {
		return
	}
	if n, err := strconv.Atoi(pod.Name[len("wall-"):]); err == nil && trace[n].started.IsZero() {
		trace[n].started = now
	}
}

// wallRecord is a trace with the waits as they were, and what a node was like.
func wallRecord(trace []*wallBuild, node corev1.Node, most int) []byte {
	var out bytes.Buffer
	offer := node.Status.Allocatable
	fmt.Fprintf(&out, "# node %dm %d %v max %d\narrival,duration,wait,class,cpu,memory\n", offer.Cpu().MilliValue(), offer.Memory().Value(), wallBoot, most)
	origin := trace[0].created.Add(-trace[0].arrival)
	text := func(q resource.Quantity) string { return strconv.FormatInt(q.Value(), 10) }
	for _, b := range trace {
		fmt.Fprintf(&out, "%.3f,%.3f,%.3f,normal,%dm,%s\n", b.created.Sub(origin).Seconds(), b.duration.Seconds(), b.started.Sub(b.created).Seconds(),
			wallSizes[b.size].Cpu().MilliValue(), text(*wallSizes[b.size].Memory()))
	}
	return out.Bytes()
}
