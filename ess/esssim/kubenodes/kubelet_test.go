package kubenodes

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/buildpool/buildpool/ess/esssim/account"
)

func TestKubeletFlagsAreFound(t *testing.T) {
	k, err := readUserData(`#!/bin/sh
# --max-pods=1 in a comment is no flag
KUBELET_EXTRA_ARGS="--node-labels=a=1,b/c=2 --register-with-taints=k=v:NoSchedule,k2:NoExecute --kube-reserved=cpu=90m,memory=1665Mi,ephemeral-storage=1Gi --max-pods=64"
kubelet --node-labels d=3 \
  --eviction-hard='memory.available<300Mi,nodefs.available<5%' --system-reserved="cpu=100m" --unknown-flag=x
`)
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"a": "1", "b/c": "2", "d": "3"}, k.labels)
	assert.Equal(t, []corev1.Taint{
		{Key: "k", Value: "v", Effect: corev1.TaintEffectNoSchedule},
		{Key: "k2", Effect: corev1.TaintEffectNoExecute},
	}, k.taints)
	assert.Equal(t, map[corev1.ResourceName]resource.Quantity{
		"cpu": resource.MustParse("90m"), "memory": resource.MustParse("1665Mi"), "ephemeral-storage": resource.MustParse("1Gi"),
	}, k.kubeReserved)
	assert.Equal(t, map[corev1.ResourceName]resource.Quantity{"cpu": resource.MustParse("100m")}, k.systemReserved)
	assert.Equal(t, map[string]string{"memory.available": "300Mi", "nodefs.available": "5%"}, k.evictionHard)
	assert.EqualValues(t, 64, k.maxPods)
}

func TestKubeletDefaults(t *testing.T) {
	k, err := readUserData("")
	require.NoError(t, err)
	assert.EqualValues(t, 110, k.maxPods)
	assert.Equal(t, "100Mi", k.evictionHard["memory.available"])
	assert.Equal(t, "10%", k.evictionHard["nodefs.available"])
}

func TestBadFlagsAreNamed(t *testing.T) {
	for _, flag := range []string{
		"--node-labels=novalue", "--node-labels=bad key=1", "--node-labels=-x=1",
		"--register-with-taints=k=v", "--register-with-taints=k=v:Sometimes", "--register-with-taints=-:NoSchedule",
		"--kube-reserved=cpu", "--kube-reserved=cpu=lots", "--system-reserved=cpu=-1",
		"--eviction-hard=memory.available", "--eviction-hard=memory.available<x", "--eviction-hard=memory.available<101%",
		"--max-pods=many", "--max-pods=-1",
	} {
		_, err := readUserData(flag)
		assert.ErrorContains(t, err, "read kubelet flag --", flag)
	}
}

func FuzzReadUserData(f *testing.F) {
	f.Add(`KUBELET_EXTRA_ARGS="--node-labels=a=1 --register-with-taints=k=v:NoSchedule --max-pods=10"`)
	f.Add("--eviction-hard='memory.available<1%' --kube-reserved=cpu=1,memory=1e3")
	f.Fuzz(func(t *testing.T, userData string) {
		k, err := readUserData(userData)
		if err != nil {
			return
		}
		m := machine{region: "r", form: ProviderIDDot, kernelMemoryPercent: 5}
		i := account.Instance{ID: "i-1", UserData: userData, Type: account.InstanceType{Name: "t", CPUs: 8, MemoryGiB: 16, Arch: "X86"}}
		node, err := m.node(i)
		require.NoError(t, err)
		for name, left := range node.Status.Allocatable {
			assert.GreaterOrEqual(t, left.Sign(), 0, name)
			total := node.Status.Capacity[name]
			assert.LessOrEqual(t, left.Cmp(total), 0, name)
		}
		assert.GreaterOrEqual(t, k.maxPods, int64(0))
	})
}
