package main

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"

	"github.com/buildpool/buildpool/nodegroups/explain"
)

// readClaims reads the claims that waiting pods name, and on which nodes the volumes
// behind them can be used. Somebody who may not read them is told so in their place.
func readClaims(ctx context.Context, core typedcorev1.CoreV1Interface, pods []corev1.Pod) ([]explain.Claim, error) {
	claims, seen := []explain.Claim{}, map[string]bool{}
	for _, pod := range pods {
		if pod.Spec.NodeName != "" {
			continue
		}
		for _, name := range explain.ClaimNames(&pod) {
			if key := pod.Namespace + "/" + name; !seen[key] {
				seen[key] = true
				c, err := readClaim(ctx, core, pod.Namespace, name)
				if err != nil {
					return nil, err
				}
				claims = append(claims, c)
			}
		}
	}
	return claims, nil
}

func readClaim(ctx context.Context, core typedcorev1.CoreV1Interface, namespace, name string) (explain.Claim, error) {
	c := explain.Claim{Name: namespace + "/" + name}
	claim, err := core.PersistentVolumeClaims(namespace).Get(ctx, name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		c.Missing = true
		return c, nil
	case apierrors.IsForbidden(err):
		c.Unread = "no right to get persistentvolumeclaims"
		return c, nil
	case err != nil:
		return c, fmt.Errorf("read claim %s: %w", c.Name, err)
	}
	if c.Volume = claim.Spec.VolumeName; c.Volume == "" {
		return c, nil
	}
	volume, err := core.PersistentVolumes().Get(ctx, c.Volume, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		c.Unread = fmt.Sprintf("its volume %s is gone", c.Volume)
	case apierrors.IsForbidden(err):
		c.Unread = "no right to get persistentvolumes"
	case err != nil:
		return c, fmt.Errorf("read volume %s: %w", c.Volume, err)
	case volume.Spec.NodeAffinity != nil:
		c.Nodes = volume.Spec.NodeAffinity.Required
	}
	return c, nil
}

// keptVolumes keeps of a pod's volumes the claims that they name.
func keptVolumes(volumes []corev1.Volume) []corev1.Volume {
	var out []corev1.Volume
	for _, v := range volumes {
		switch {
		case v.PersistentVolumeClaim != nil:
			out = append(out, corev1.Volume{Name: v.Name, VolumeSource: corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: v.PersistentVolumeClaim.ClaimName}}})
		case v.Ephemeral != nil:
			out = append(out, corev1.Volume{Name: v.Name, VolumeSource: corev1.VolumeSource{Ephemeral: &corev1.EphemeralVolumeSource{}}})
		}
	}
	return out
}
