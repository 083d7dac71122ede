package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"

	"github.com/buildpool/buildpool/cloudprovider"
)

// Nodes does what we do to Node objects. It implements cloudprovider.NodeDeleter and
// cloudprovider.NodeReopener.
type Nodes struct{ client kubernetes.Interface }

var (
	_ cloudprovider.NodeDeleter  = Nodes{}
	_ cloudprovider.NodeReopener = Nodes{}
)

// NewNodes needs the rights to delete and to patch nodes, each for what it is used for.
func NewNodes(client kubernetes.Interface) Nodes { return Nodes{client: client} }

// DeleteNode implements cloudprovider.NodeDeleter. The apiserver compares versions: a
// kubelet that has come back since is not robbed of its node.
func (n Nodes) DeleteNode(ctx context.Context, node *cloudprovider.ClusterNode) (deleted bool, err error) {
	is, version := types.UID(node.UID), node.Version
	err = n.client.CoreV1().Nodes().Delete(ctx, node.Name, metav1.DeleteOptions{
		Preconditions: &metav1.Preconditions{UID: &is, ResourceVersion: &version},
	})
	switch {
	case err == nil:
		return true, nil
	case apierrors.IsNotFound(err), apierrors.IsConflict(err):
		return false, nil
	}
	return false, fmt.Errorf("delete node %s: %w", node.Name, err)
}

// ReopenNode implements cloudprovider.NodeReopener. The apiserver compares versions, so
// that a taint of another's that is new is not lost.
func (n Nodes) ReopenNode(ctx context.Context, node *cloudprovider.ClusterNode) (reopened bool, err error) {
	kept := slices.DeleteFunc(slices.Clone(node.Taints), func(t corev1.Taint) bool {
		return t.Key == cloudprovider.TaintToBeDeleted || t.Key == corev1.TaintNodeUnschedulable
	})
	body, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"uid": node.UID, "resourceVersion": node.Version},
		"spec":     map[string]any{"taints": kept, "unschedulable": nil},
	})
	if err != nil {
		return false, fmt.Errorf("encode the taints of node %s: %w", node.Name, err)
	}
	_, err = n.client.CoreV1().Nodes().Patch(ctx, node.Name, types.MergePatchType, body, metav1.PatchOptions{})
	switch {
	case err == nil:
		return true, nil
	case apierrors.IsNotFound(err), apierrors.IsConflict(err):
		return false, nil
	}
	return false, fmt.Errorf("reopen node %s: %w", node.Name, err)
}
