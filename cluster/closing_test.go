package cluster

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
	"pgregory.net/rapid"

	"github.com/buildpool/buildpool/cloudprovider"
)

// seenNow is a cluster as the fake client holds it.
type seenNow struct {
	cloudprovider.Cluster // what is not asked
	client                *fake.Clientset
	away                  bool
}

func (s *seenNow) Current() error {
	if s.away {
		return cloudprovider.ErrClusterUnseen
	}
	return nil
}

func (s *seenNow) Nodes() (nodes []*cloudprovider.ClusterNode) {
	list, _ := s.client.CoreV1().Nodes().List(context.Background(), metav1.ListOptions{})
	for _, n := range list.Items {
		kept := toNode(&n)
		nodes = append(nodes, &kept)
	}
	return nodes
}

func (s *seenNow) NodesOf(id string) (nodes []*cloudprovider.ClusterNode) {
	for _, n := range s.Nodes() {
		if n.InstanceID == id {
			nodes = append(nodes, n)
		}
	}
	return nodes
}

func (s *seenNow) PodsOn(node string) (pods []*cloudprovider.Pod) {
	list, _ := s.client.CoreV1().Pods("").List(context.Background(), metav1.ListOptions{})
	for _, p := range list.Items {
		if kept := toPod(&p); kept.Node == node {
			pods = append(pods, &kept)
		}
	}
	return pods
}

func nodeObject(name string, cordoned bool) *corev1.Node {
	return &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: name, UID: "uid-1"},
		Spec:       corev1.NodeSpec{ProviderID: "cn-hangzhou.i-" + name, Unschedulable: cordoned},
	}
}

func podObject(name, node string) *corev1.Pod {
	return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "ci", Name: name, UID: "uid-1"}, Spec: corev1.PodSpec{NodeName: node}}
}

var toldAt = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

func isAgent(p *cloudprovider.Pod) bool { return p.Name != "daemon" }

func TestNodesAreClosedAndOpenedAgain(t *testing.T) {
	client := fake.NewClientset(nodeObject("a", false), nodeObject("b", false), nodeObject("byhand", true), nodeObject("other", false),
		podObject("compile", "a"), podObject("daemon", "a"), podObject("elsewhere", "b"))
	seen := &seenNow{client: client}
	c := NewCloser(client, seen, nil, slog.New(slog.DiscardHandler))
	closing := map[string]Closing{
		"i-a":      {Group: "builds", Why: "reclaim-notice", Reclaimed: true, Since: toldAt},
		"i-b":      {Group: "builds", Why: "drain-after", Since: toldAt},
		"i-byhand": {Group: "builds", Why: "reclaim-notice", Reclaimed: true, Since: toldAt},
		"i-gone":   {Group: "builds", Why: "reclaim-notice", Reclaimed: true, Since: toldAt},
	}
	state := func() map[string]string {
		out := map[string]string{}
		for _, n := range seen.Nodes() {
			out[n.Name] = n.Closed
			if n.Unschedulable {
				out[n.Name] += " cordoned"
			}
		}
		return out
	}
	require.NoError(t, c.Keep(t.Context(), closing, nil, isAgent))
	want := map[string]string{"a": "reclaim-notice cordoned", "b": "drain-after cordoned", "byhand": " cordoned", "other": ""}
	assert.Equal(t, want, state())
	pod, err := client.CoreV1().Pods("ci").Get(t.Context(), "compile", metav1.GetOptions{})
	require.NoError(t, err)
	assert.Equal(t, "2026-03-01T09:00:00Z", pod.Annotations[cloudprovider.AnnotationReclaimed])
	for _, name := range []string{"daemon", "elsewhere"} {
		pod, err := client.CoreV1().Pods("ci").Get(t.Context(), name, metav1.GetOptions{})
		require.NoError(t, err)
		assert.Empty(t, pod.Annotations, name)
	}

	before := len(client.Actions())
	require.NoError(t, NewCloser(client, seen, nil, slog.New(slog.DiscardHandler)).Keep(t.Context(), closing, nil, isAgent))
	for _, a := range client.Actions()[before:] {
		assert.Equal(t, "list", a.GetVerb(), "a restart does nothing twice")
	}

	require.NoError(t, c.Keep(t.Context(), nil, nil, isAgent))
	assert.Equal(t, want, state(), "what nothing is known of stays closed")
	require.NoError(t, c.Keep(t.Context(), nil, map[string]bool{"i-a": true, "i-byhand": true}, isAgent))
	assert.Equal(t, map[string]string{"a": "", "b": "drain-after cordoned", "byhand": " cordoned", "other": ""}, state(), "only what is ours is opened")
}

func TestNothingIsClosedBlindly(t *testing.T) {
	client := fake.NewClientset(nodeObject("a", false))
	c := NewCloser(client, &seenNow{client: client, away: true}, nil, slog.New(slog.DiscardHandler))
	require.ErrorIs(t, c.Keep(t.Context(), map[string]Closing{"i-a": {Why: "drain-after"}}, nil, isAgent), cloudprovider.ErrClusterUnseen)
	assert.Empty(t, client.Actions())
}

// Whatever the nodes are: no node is both closed and opened, what others have cordoned
// is left alone, and doing the steps leaves none to do.
func TestPlanOfClosing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var nodes []*cloudprovider.ClusterNode
		closing, open := map[string]Closing{}, map[string]bool{}
		for n := range rapid.IntRange(0, 6).Draw(t, "nodes") {
			id := rapid.SampledFrom([]string{"", "i-1", "i-2", "i-3", "i-4"}).Draw(t, "instance")
			node := &cloudprovider.ClusterNode{
				Name: string(rune('a' + n)), InstanceID: id, Leaving: rapid.IntRange(0, 5).Draw(t, "leaving") == 0,
				Closed: rapid.SampledFrom([]string{"", "", "drain-after", "reclaim-notice"}).Draw(t, "closed"),
			}
			node.Unschedulable = node.Closed != "" || rapid.IntRange(0, 3).Draw(t, "cordoned") == 0
			nodes = append(nodes, node)
			switch rapid.IntRange(0, 3).Draw(t, "fate") {
			case 0:
				closing[id] = Closing{Why: rapid.SampledFrom([]string{"drain-after", "reclaim-notice"}).Draw(t, "why")}
			case 1:
				open[id] = true
			}
		}
		for id := range closing {
			delete(open, id) // as Closings promises
		}
		for _, s := range planClosing(nodes, closing, open) {
			require.NotEmpty(t, s.node.InstanceID)
			require.False(t, s.node.Leaving)
			require.False(t, s.node.Closed == "" && s.node.Unschedulable, "somebody else's cordon")
			if s.why.Why == "" {
				require.True(t, open[s.node.InstanceID])
				require.NotEmpty(t, s.node.Closed)
			}
			s.node.Closed, s.node.Unschedulable = s.why.Why, s.why.Why != ""
		}
		require.Empty(t, planClosing(nodes, closing, open))
	})
}
