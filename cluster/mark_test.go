package cluster_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"

	"github.com/buildpool/buildpool/cluster"
)

const leaderLabel = "buildpool.io/leader"

func pod(name string, labels map[string]string) *corev1.Pod {
	return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "buildpool", Name: name, Labels: labels}}
}

func labelsOf(t *testing.T, client *fake.Clientset) map[string]map[string]string {
	t.Helper()
	list, err := client.CoreV1().Pods("buildpool").List(t.Context(), metav1.ListOptions{})
	require.NoError(t, err)
	out := map[string]map[string]string{}
	for _, p := range list.Items {
		out[p.Name] = p.Labels
	}
	return out
}

// TestMarkMovesWithTheLeader: of all pods one carries the mark, also after its former
// bearer died with it; labels of other meaning stay.
func TestMarkMovesWithTheLeader(t *testing.T) {
	client := fake.NewClientset(
		pod("a", map[string]string{"app": "buildpool", leaderLabel: "true"}),
		pod("b", map[string]string{"app": "buildpool"}),
	)
	require.NoError(t, cluster.NewMark(client, "buildpool", "b", leaderLabel).Set(t.Context()))
	assert.Equal(t, map[string]map[string]string{
		"a": {"app": "buildpool"},
		"b": {"app": "buildpool", leaderLabel: "true"},
	}, labelsOf(t, client))

	require.NoError(t, cluster.NewMark(client, "buildpool", "b", leaderLabel).Clear(t.Context()))
	assert.Equal(t, map[string]string{"app": "buildpool"}, labelsOf(t, client)["b"])
}

func TestMarkOfAPodThatHasGone(t *testing.T) {
	mark := cluster.NewMark(fake.NewClientset(), "buildpool", "gone", leaderLabel)
	require.NoError(t, mark.Clear(t.Context()), "it carries no mark")
	require.ErrorContains(t, mark.Set(t.Context()), "mark the leader's pod")
}

// TestMarkWithoutTheRight: our own mark is set although the others' cannot be seen, and
// the error says so.
func TestMarkWithoutTheRight(t *testing.T) {
	client := fake.NewClientset(pod("b", nil))
	forbidden := errors.New("may not list pods")
	client.PrependReactor("list", "pods", func(clienttesting.Action) (bool, runtime.Object, error) { return true, nil, forbidden })
	require.ErrorIs(t, cluster.NewMark(client, "buildpool", "b", leaderLabel).Set(t.Context()), forbidden)
	got, err := client.CoreV1().Pods("buildpool").Get(t.Context(), "b", metav1.GetOptions{})
	require.NoError(t, err)
	assert.Equal(t, "true", got.Labels[leaderLabel])
}
