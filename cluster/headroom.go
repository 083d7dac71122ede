package cluster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"

	"github.com/buildpool/buildpool/cloudprovider"
)

// fieldManager owns what we apply.
const fieldManager = "buildpool"

// HeadroomForm is what keeps spare room.
type HeadroomForm string

// The forms. HeadroomDetected takes a CapacityBuffer where the cluster has that kind.
const (
	HeadroomDetected HeadroomForm = "auto"
	HeadroomPods     HeadroomForm = "pods"
	HeadroomBuffer   HeadroomForm = "capacity-buffer"
)

// HeadroomSettings are how spare room is kept.
type HeadroomSettings struct {
	Form          HeadroomForm
	Namespace     string
	Image         string
	PriorityClass string
}

// Spare is the room to keep in one node group.
type Spare struct {
	Group string
	Slots int
	// Requests of one slot.
	Requests corev1.ResourceList
	// NodeLabels and Taints are those that the group's nodes register with.
	NodeLabels map[string]string
	Taints     []corev1.Taint
}

// Headroom keeps spare room in node groups: for each group a Deployment of pods that do
// nothing and give way, or a CapacityBuffer, which makes cluster-autoscaler reckon with
// such pods. Both are applied whole, so that what others changed or deleted comes back,
// and nothing has to be remembered.
type Headroom struct {
	client   kubernetes.Interface
	dynamic  dynamic.Interface
	settings HeadroomSettings
	log      *slog.Logger
}

// NewHeadroom makes a keeper of spare room.
func NewHeadroom(client kubernetes.Interface, untyped dynamic.Interface, s HeadroomSettings, log *slog.Logger) *Headroom {
	return &Headroom{client: client, dynamic: untyped, settings: s, log: log}
}

// Keep makes the cluster keep this room and no other. What cannot be kept for one group
// does not stop the others; the error tells of all.
func (h *Headroom) Keep(ctx context.Context, spares []Spare) error {
	buffers, err := h.bufferKind()
	if err != nil {
		return err
	}
	if h.settings.Form == HeadroomBuffer && buffers.Empty() {
		return fmt.Errorf("keep headroom: the cluster has no CapacityBuffer (%s): install cluster-autoscaler's definition of it, or set headroom.by to %s", bufferGroup, HeadroomPods)
	}
	asPods := h.settings.Form == HeadroomPods || buffers.Empty()
	var failed []error
	kept := map[string]bool{}
	for _, s := range spares {
		kept[headroomName(s.Group)] = true
		var err error
		if asPods {
			err = h.applyPods(ctx, s)
		} else {
			err = h.applyBuffer(ctx, buffers, s)
		}
		if err != nil {
			failed = append(failed, fmt.Errorf("keep headroom of group %q: %w", s.Group, err))
		}
	}
	if asPods {
		failed = append(failed, h.sweepPods(ctx, kept), h.sweepBuffers(ctx, buffers, nil))
	} else {
		failed = append(failed, h.sweepPods(ctx, nil), h.sweepBuffers(ctx, buffers, kept))
	}
	return errors.Join(failed...)
}

// sweepPods deletes the Deployments of groups that keep no room any more.
func (h *Headroom) sweepPods(ctx context.Context, kept map[string]bool) error {
	deployments := h.client.AppsV1().Deployments(h.settings.Namespace)
	found, err := deployments.List(ctx, metav1.ListOptions{LabelSelector: cloudprovider.LabelHeadroom})
	if err != nil {
		return fmt.Errorf("list headroom's Deployments: %w", err)
	}
	var failed []error
	for _, d := range found.Items {
		if kept[d.Name] {
			continue
		}
		h.log.Info("headroom is given up", "deployment", d.Name)
		if err := deployments.Delete(ctx, d.Name, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
			failed = append(failed, fmt.Errorf("delete headroom's Deployment %s: %w", d.Name, err))
		}
	}
	return errors.Join(failed...)
}

// sweepBuffers deletes the CapacityBuffers of groups that keep no room any more, and
// their pod templates.
func (h *Headroom) sweepBuffers(ctx context.Context, kind schema.GroupVersionResource, kept map[string]bool) error {
	if kind.Empty() {
		return nil
	}
	buffers := h.dynamic.Resource(kind).Namespace(h.settings.Namespace)
	found, err := buffers.List(ctx, metav1.ListOptions{LabelSelector: cloudprovider.LabelHeadroom})
	if err != nil {
		return fmt.Errorf("list headroom's CapacityBuffers: %w", err)
	}
	var failed []error
	for _, b := range found.Items {
		name := b.GetName()
		if kept[name] {
			continue
		}
		h.log.Info("headroom is given up", "capacity_buffer", name)
		templates := h.client.CoreV1().PodTemplates(h.settings.Namespace)
		for _, err := range []error{
			buffers.Delete(ctx, name, metav1.DeleteOptions{}),
			templates.Delete(ctx, name, metav1.DeleteOptions{}),
		} {
			if err != nil && !apierrors.IsNotFound(err) {
				failed = append(failed, fmt.Errorf("delete headroom's CapacityBuffer %s: %w", name, err))
			}
		}
	}
	return errors.Join(failed...)
}

// bufferGroup is the API group of CapacityBuffer.
const bufferGroup = "autoscaling.x-k8s.io"

// bufferKind finds out whether the cluster has CapacityBuffers, and in which version;
// empty if it has none, or they are not asked for.
func (h *Headroom) bufferKind() (schema.GroupVersionResource, error) {
	groups, err := h.client.Discovery().ServerGroups()
	if err != nil {
		return schema.GroupVersionResource{}, fmt.Errorf("keep headroom: look for CapacityBuffer: %w", err)
	}
	for _, g := range groups.Groups {
		if g.Name != bufferGroup {
			continue
		}
		for _, v := range g.Versions {
			list, err := h.client.Discovery().ServerResourcesForGroupVersion(v.GroupVersion)
			if err != nil {
				return schema.GroupVersionResource{}, fmt.Errorf("keep headroom: look for CapacityBuffer in %s: %w", v.GroupVersion, err)
			}
			for _, r := range list.APIResources {
				if r.Kind == "CapacityBuffer" {
					return schema.GroupVersionResource{Group: bufferGroup, Version: v.Version, Resource: r.Name}, nil
				}
			}
		}
	}
	return schema.GroupVersionResource{}, nil
}
