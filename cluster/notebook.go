package cluster

import (
	"context"
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
)

// Notebook is a ConfigMap in which a text outlives the process that wrote it.
type Notebook struct {
	client               kubernetes.Interface
	namespace, name, key string
}

// NewNotebook needs the rights to get, create and patch the ConfigMap; nothing is sent.
func NewNotebook(client kubernetes.Interface, namespace, name, key string) *Notebook {
	return &Notebook{client: client, namespace: namespace, name: name, key: key}
}

// Read returns the text; it is empty if nothing was written yet.
func (n *Notebook) Read(ctx context.Context) (string, error) {
	found, err := n.client.CoreV1().ConfigMaps(n.namespace).Get(ctx, n.name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		return "", nil
	case err != nil:
		return "", fmt.Errorf("read ConfigMap %s/%s: %w", n.namespace, n.name, err)
	}
	return found.Data[n.key], nil
}

// Write replaces the text, and makes the ConfigMap if there is none. What else stands in
// it stays.
func (n *Notebook) Write(ctx context.Context, text string) error {
	data := map[string]string{n.key: text}
	change, err := json.Marshal(map[string]any{"data": data})
	if err != nil {
		return fmt.Errorf("encode the text: %w", err)
	}
	maps := n.client.CoreV1().ConfigMaps(n.namespace)
	_, err = maps.Patch(ctx, n.name, types.MergePatchType, change, metav1.PatchOptions{})
	if apierrors.IsNotFound(err) {
		_, err = maps.Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: n.namespace, Name: n.name}, Data: data}, metav1.CreateOptions{})
	}
	if err != nil {
		return fmt.Errorf("write ConfigMap %s/%s: %w", n.namespace, n.name, err)
	}
	return nil
}
