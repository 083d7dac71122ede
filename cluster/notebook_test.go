package cluster_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"

	"github.com/buildpool/buildpool/cluster"
)

func TestNotebookKeepsAText(t *testing.T) {
	client := fake.NewClientset()
	first := cluster.NewNotebook(client, "buildpool", "memory", "a")
	text, err := first.Read(t.Context())
	require.NoError(t, err)
	assert.Empty(t, text, "nothing was written yet")
	require.NoError(t, first.Write(t.Context(), "one"))
	require.NoError(t, cluster.NewNotebook(client, "buildpool", "memory", "b").Write(t.Context(), "two"))
	require.NoError(t, first.Write(t.Context(), "three"))
	kept, err := client.CoreV1().ConfigMaps("buildpool").Get(t.Context(), "memory", metav1.GetOptions{})
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"a": "three", "b": "two"}, kept.Data)
	text, err = cluster.NewNotebook(client, "buildpool", "memory", "a").Read(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "three", text)
}

func TestNotebookTellsWhatFailed(t *testing.T) {
	client := fake.NewClientset()
	client.PrependReactor("*", "configmaps", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, nil, errors.New("away")
	})
	n := cluster.NewNotebook(client, "buildpool", "memory", "a")
	_, err := n.Read(t.Context())
	require.EqualError(t, err, "read ConfigMap buildpool/memory: away")
	require.EqualError(t, n.Write(t.Context(), "x"), "write ConfigMap buildpool/memory: away")
}
