package cluster

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"

	"github.com/buildpool/buildpool/cloudprovider"
)

// Nodes does what we do to Node objects. It implements cloudprovider.NodeDeleter.
type Nodes struct{ client kubernetes.Interface }

var _ cloudprovider.NodeDeleter = Nodes{}

// NewNodes needs the right to delete nodes.
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
