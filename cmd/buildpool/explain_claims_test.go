package main

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/fake"
	ktesting "k8s.io/client-go/testing"

	"github.com/buildpool/buildpool/nodegroups/explain"
)

// Claims are read of pods that wait, each once, and whoever may not read them is told.
func TestClaimsOfADump(t *testing.T) {
	nodes := &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{}}}
	claim := func(name, volume string) *corev1.PersistentVolumeClaim {
		return &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Namespace: "ci", Name: name}, Spec: corev1.PersistentVolumeClaimSpec{VolumeName: volume}}
	}
	client := fake.NewClientset(claim("bound", "pv-1"), claim("open", ""), claim("lost", "pv-0"),
		&corev1.PersistentVolume{ObjectMeta: metav1.ObjectMeta{Name: "pv-1"}, Spec: corev1.PersistentVolumeSpec{NodeAffinity: &corev1.VolumeNodeAffinity{Required: nodes}}})
	pod := func(node string, claims ...string) corev1.Pod {
		p := corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "ci", Name: "build"}, Spec: corev1.PodSpec{NodeName: node}}
		for _, name := range claims {
			p.Spec.Volumes = append(p.Spec.Volumes, corev1.Volume{VolumeSource: corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: name}}})
		}
		return p
	}
	pods := []corev1.Pod{pod("n", "of-a-pod-that-runs"), pod("", "bound", "open", "lost", "none"), pod("", "bound")}
	claims, err := readClaims(context.Background(), client.CoreV1(), pods)
	require.NoError(t, err)
	assert.Equal(t, []explain.Claim{
		{Name: "ci/bound", Volume: "pv-1", Nodes: nodes},
		{Name: "ci/open"},
		{Name: "ci/lost", Volume: "pv-0", Unread: "its volume pv-0 is gone"},
		{Name: "ci/none", Missing: true},
	}, claims)

	client.PrependReactor("get", "persistentvolumes", func(ktesting.Action) (bool, runtime.Object, error) {
		return true, nil, apierrors.NewForbidden(schema.GroupResource{Resource: "persistentvolumes"}, "pv-1", nil)
	})
	claims, err = readClaims(context.Background(), client.CoreV1(), pods[2:])
	require.NoError(t, err)
	assert.Equal(t, []explain.Claim{{Name: "ci/bound", Volume: "pv-1", Unread: "no right to get persistentvolumes"}}, claims)
}
