package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	apiruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/utils/clock"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/cluster"
)

// keep runs a cache over the client until the test ends.
func keep(t *testing.T, client *fake.Clientset) *cluster.Cache {
	t.Helper()
	c, err := cluster.NewCache(client, clock.RealClock{}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	run(t, c)
	return c
}

func run(t *testing.T, c *cluster.Cache) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); c.Run(ctx) }()
	t.Cleanup(func() { stop(); <-done })
}

func buildPod(name, node string) *corev1.Pod {
	yes, ran := true, metav1.NewTime(time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC))
	priority := int32(-5)
	limited := requests("1500m", "2Gi")
	limited.Limits = corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("4")}
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "ci", Name: name, UID: "uid-1", Labels: map[string]string{"app": "build"},
			Annotations:     map[string]string{"k8s.aliyun.com/eci-use-specs": "4-8Gi", "other": "annotation"},
			OwnerReferences: []metav1.OwnerReference{{Kind: "Job", Name: "compile", Controller: &yes}},
		},
		Spec: corev1.PodSpec{
			NodeName: node, Priority: &priority, NodeSelector: map[string]string{"pool": "a"},
			InitContainers: []corev1.Container{{Name: "fetch", Resources: requests("3", "1Gi")}},
			Containers:     []corev1.Container{{Name: "a", Resources: limited}, {Name: "b", Resources: requests("500m", "1Gi")}},
		},
		Status: corev1.PodStatus{
			Phase: corev1.PodRunning, StartTime: &ran,
			Conditions: []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionTrue, LastTransitionTime: ran}},
		},
	}
}

func requests(cpu, memory string) corev1.ResourceRequirements {
	return corev1.ResourceRequirements{Requests: corev1.ResourceList{
		corev1.ResourceCPU: resource.MustParse(cpu), corev1.ResourceMemory: resource.MustParse(memory),
	}}
}

func buildNode(name, providerID string) *corev1.Node {
	return &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{cloudprovider.LabelClass: "spot"}},
		Spec:       corev1.NodeSpec{ProviderID: providerID, Taints: []corev1.Taint{{Key: "k", Effect: corev1.TaintEffectNoSchedule}}},
		Status: corev1.NodeStatus{
			Allocatable: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("7900m"), corev1.ResourceMemory: resource.MustParse("14Gi")},
			Conditions:  []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}},
		},
	}
}

func names(pods []*cloudprovider.Pod) []string {
	out := []string{}
	for _, p := range pods {
		out = append(out, p.String())
	}
	return out
}

func TestCacheFollowsPodsAndNodes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := fake.NewClientset(buildPod("one", "node-1"), buildPod("waits", ""), buildNode("node-1", "cn-hangzhou.i-1"))
		c, err := cluster.NewCache(client, clock.RealClock{}, slog.New(slog.DiscardHandler))
		require.NoError(t, err)
		var mu sync.Mutex
		var changes []string
		require.NoError(t, c.OnPod(func(before, after *cloudprovider.Pod) {
			mu.Lock()
			defer mu.Unlock()
			switch {
			case before == nil:
				changes = append(changes, "new "+after.Name)
			case after == nil:
				changes = append(changes, "gone "+before.Name)
			case before.Node != after.Node:
				changes = append(changes, "bound "+after.Name)
			}
		}))
		require.ErrorIs(t, c.Current(), cloudprovider.ErrClusterUnseen, "nothing has been read")
		run(t, c)
		pass(time.Second)
		require.NoError(t, c.Current())

		assert.Equal(t, []string{"ci/one"}, names(c.PodsOn("node-1")))
		assert.Equal(t, []string{"ci/waits"}, names(c.PodsOn("")))
		ran := time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
		got := *c.PodsOn("node-1")[0]
		assert.WithinDuration(t, ran, got.Bound, 0)
		got.Bound, got.Started = ran, ran
		assert.Equal(t, cloudprovider.Pod{
			Namespace: "ci", Name: "one", UID: "uid-1", Node: "node-1", OwnerKind: "Job", OwnerName: "compile",
			Labels: map[string]string{"app": "build"}, Phase: corev1.PodRunning, Priority: -5, Bound: ran, Started: ran,
			NodeSelector: map[string]string{"pool": "a"}, MilliCPU: 3000, MemoryBytes: 3 << 30,
			LimitMilliCPU: 4500, LimitMemoryBytes: 3 << 30, Virtual: map[string]string{"k8s.aliyun.com/eci-use-specs": "4-8Gi"},
		}, got)

		nodes := c.NodesOf("i-1")
		require.Len(t, nodes, 1)
		assert.Equal(t, "node-1", nodes[0].Name)
		assert.Equal(t, corev1.ConditionTrue, nodes[0].Ready)
		assert.EqualValues(t, 7900, nodes[0].MilliCPU)
		assert.Len(t, c.Nodes(), 1)
		assert.Empty(t, c.NodesOf("i-2"))

		bound := buildPod("waits", "node-1")
		_, err = client.CoreV1().Pods("ci").Update(t.Context(), bound, metav1.UpdateOptions{})
		require.NoError(t, err)
		require.NoError(t, client.CoreV1().Pods("ci").Delete(t.Context(), "one", metav1.DeleteOptions{}))
		require.NoError(t, client.CoreV1().Nodes().Delete(t.Context(), "node-1", metav1.DeleteOptions{}))
		synctest.Wait()
		assert.Equal(t, []string{"ci/waits"}, names(c.PodsOn("node-1")))
		assert.Empty(t, c.PodsOn(""))
		assert.Empty(t, c.NodesOf("i-1"))
		mu.Lock()
		defer mu.Unlock()
		assert.ElementsMatch(t, []string{"new one", "new waits", "bound waits", "gone one"}, changes)
	})
}

// TestCacheSaysThatItIsBlind: what is known of a cluster whose apiserver is away stays,
// and does not count as the cluster as it is.
func TestCacheSaysThatItIsBlind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := fake.NewClientset(buildPod("one", "node-1"))
		var away atomic.Bool
		opened := make(chan *watch.FakeWatcher, 100)
		client.PrependWatchReactor("pods", func(clienttesting.Action) (bool, watch.Interface, error) {
			if away.Load() {
				return true, nil, errors.New("connection refused")
			}
			w := watch.NewFake()
			opened <- w
			return true, w, nil
		})
		c := keep(t, client)
		pass(time.Second)
		require.NoError(t, c.Current())

		(<-opened).Stop() // as the apiserver does every few minutes
		require.NoError(t, c.Current(), "a watch that ends begins again")
		pass(3 * time.Second)
		require.NoError(t, c.Current())

		away.Store(true)
		(<-opened).Stop()
		pass(3 * time.Second)
		err := c.Current()
		require.ErrorIs(t, err, cloudprovider.ErrClusterUnseen)
		require.ErrorContains(t, err, "its pods cannot be watched: connection refused")
		assert.Equal(t, []string{"ci/one"}, names(c.PodsOn("node-1")))

		away.Store(false)
		pass(2 * time.Minute)
		require.NoError(t, c.Current())
	})
}

// TestCacheSaysThatTheApiserverIsSilent: a connection that died without a word leaves
// the watches open.
func TestCacheSaysThatTheApiserverIsSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := fake.NewClientset()
		var silent atomic.Bool
		client.PrependReactor("list", "nodes", func(clienttesting.Action) (bool, apiruntime.Object, error) {
			return silent.Load(), nil, context.DeadlineExceeded
		})
		c := keep(t, client)
		pass(time.Minute)
		require.NoError(t, c.Current())
		silent.Store(true)
		pass(21 * time.Second)
		require.ErrorIs(t, c.Current(), cloudprovider.ErrClusterUnseen)
		silent.Store(false)
		pass(6 * time.Second)
		require.NoError(t, c.Current())
	})
}

// BenchmarkKeptPod measures what a pod costs in memory once it is kept.
func BenchmarkKeptPod(b *testing.B) {
	const pods = 20_000
	objects := make([]apiruntime.Object, pods)
	for n := range objects {
		p := buildPod(fmt.Sprintf("build-%d", n), fmt.Sprintf("node-%d", n/10))
		p.UID = "0b1f8b1e-3c53-4f0e-9f0a-4d1f8b1e3c53"
		p.Labels = map[string]string{"app": "build", "jenkins/label": "maven", "batch.kubernetes.io/job-name": p.Name, "controller-uid": string(p.UID)}
		objects[n] = p
	}
	client := fake.NewClientset(objects...)
	for b.Loop() {
		b.StopTimer()
		before := heap()
		b.StartTimer()
		c, err := cluster.NewCache(client, clock.RealClock{}, slog.New(slog.DiscardHandler))
		if err != nil {
			b.Fatal(err)
		}
		ctx, stop := context.WithCancel(context.Background())
		done := make(chan struct{})
		go func() { defer close(done); c.Run(ctx) }()
		for c.Current() != nil {
			runtime.Gosched()
		}
		b.StopTimer()
		b.ReportMetric(float64(heap()-before)/pods, "B/pod")
		stop()
		<-done
		runtime.KeepAlive(c)
		b.StartTimer()
	}
	runtime.KeepAlive(client)
}

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
