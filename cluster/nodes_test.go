package cluster_test

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/cluster"
)

// TestNodeIsDeletedAsItWasSeen: the apiserver is told which node is meant, and in which
// version; one that has gone or changed is no error, anything else is.
func TestNodeIsDeletedAsItWasSeen(t *testing.T) {
	node := &cloudprovider.ClusterNode{Name: "node-1", UID: "uid-1", Version: "42"}
	for status, want := range map[int]struct {
		deleted bool
		err     string
	}{
		http.StatusOK:        {deleted: true},
		http.StatusNotFound:  {},
		http.StatusConflict:  {},
		http.StatusForbidden: {err: "delete node node-1: "},
	} {
		var asked metav1.DeleteOptions
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			assert.Equal(t, "DELETE /api/v1/nodes/node-1", r.Method+" "+r.URL.Path)
			body, err := io.ReadAll(r.Body)
			assert.NoError(t, err)
			assert.NoError(t, json.Unmarshal(body, &asked))
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			_ = json.NewEncoder(w).Encode(metav1.Status{
				TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Code: int32(status),
				Reason: map[int]metav1.StatusReason{404: metav1.StatusReasonNotFound, 409: metav1.StatusReasonConflict, 403: metav1.StatusReasonForbidden}[status],
			})
		}))
		client, err := kubernetes.NewForConfig(&rest.Config{Host: server.URL, ContentConfig: rest.ContentConfig{ContentType: "application/json"}})
		require.NoError(t, err)
		deleted, err := cluster.NewNodes(client).DeleteNode(t.Context(), node)
		client.CoreV1().RESTClient().(*rest.RESTClient).Client.CloseIdleConnections()
		server.Close()
		assert.Equal(t, want.deleted, deleted, "%d", status)
		if want.err == "" {
			require.NoError(t, err, "%d", status)
		} else {
			require.ErrorContains(t, err, want.err)
		}
		require.NotNil(t, asked.Preconditions, "%d", status)
		assert.EqualValues(t, "uid-1", *asked.Preconditions.UID)
		assert.Equal(t, "42", *asked.Preconditions.ResourceVersion)
	}
}

// TestCacheKeepsTheVersion: without it every delete of a node would be refused.
func TestCacheKeepsTheVersion(t *testing.T) {
	node := buildNode("node-1", "cn-hangzhou.i-1")
	node.ResourceVersion = "42"
	client := fake.NewClientset(node)
	c, err := cluster.NewCache(client, clock.RealClock{}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	run(t, c)
	require.Eventually(t, func() bool { return c.Current() == nil }, 10*time.Second, time.Millisecond)
	assert.Equal(t, "42", c.NodesOf("i-1")[0].Version)
}

// TestNodeIsReopenedAsItWasSeen: CA's taint and the cordon go, others stay; in another
// version nothing happens.
func TestNodeIsReopenedAsItWasSeen(t *testing.T) {
	for status, want := range map[int]struct {
		reopened bool
		err      string
	}{
		http.StatusOK:        {reopened: true},
		http.StatusNotFound:  {},
		http.StatusConflict:  {},
		http.StatusForbidden: {err: "reopen node node-1: "},
	} {
		var patch string
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			assert.Equal(t, "PATCH /api/v1/nodes/node-1", r.Method+" "+r.URL.Path)
			assert.Equal(t, "application/merge-patch+json", r.Header.Get("Content-Type"))
			body, err := io.ReadAll(r.Body)
			assert.NoError(t, err)
			patch = string(body)
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			if status == http.StatusOK {
				_ = json.NewEncoder(w).Encode(corev1.Node{TypeMeta: metav1.TypeMeta{Kind: "Node", APIVersion: "v1"}})
				return
			}
			_ = json.NewEncoder(w).Encode(metav1.Status{
				TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Code: int32(status),
				Reason: map[int]metav1.StatusReason{404: metav1.StatusReasonNotFound, 409: metav1.StatusReasonConflict, 403: metav1.StatusReasonForbidden}[status],
			})
		}))
		client, err := kubernetes.NewForConfig(&rest.Config{Host: server.URL, ContentConfig: rest.ContentConfig{ContentType: "application/json"}})
		require.NoError(t, err)
		reopened, err := cluster.NewNodes(client).ReopenNode(t.Context(), &cloudprovider.ClusterNode{Name: "node-1", UID: "uid-1", Version: "42", Taints: []corev1.Taint{
			{Key: "builds", Effect: corev1.TaintEffectNoSchedule}, {Key: cloudprovider.TaintToBeDeleted, Value: "1"}, {Key: corev1.TaintNodeUnschedulable},
		}})
		client.CoreV1().RESTClient().(*rest.RESTClient).Client.CloseIdleConnections()
		server.Close()
		assert.Equal(t, want.reopened, reopened, "%d", status)
		if want.err == "" {
			require.NoError(t, err, "%d", status)
		} else {
			require.ErrorContains(t, err, want.err)
		}
		assert.JSONEq(t, `{"metadata": {"uid": "uid-1", "resourceVersion": "42"}, "spec": {"taints": [{"key": "builds", "effect": "NoSchedule"}], "unschedulable": null}}`, patch)
	}
}
