package grpcserver

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"

	"github.com/buildpool/buildpool/cloudprovider"
)

func list(cpu, memory, gpus string) corev1.ResourceList {
	l := corev1.ResourceList{"ephemeral-storage": resource.MustParse("10Gi")}
	for name, text := range map[corev1.ResourceName]string{corev1.ResourceCPU: cpu, corev1.ResourceMemory: memory, cloudprovider.GPUResource: gpus} {
		if text != "" {
			l[name] = resource.MustParse(text)
		}
	}
	return l
}

func container(requests corev1.ResourceList) corev1.Container {
	return corev1.Container{
		Name: "build", Image: "maven:3", Command: []string{"mvn", "verify"},
		Env:       []corev1.EnvVar{{Name: "CPU", Value: "cpu"}},
		Resources: corev1.ResourceRequirements{Requests: requests, Limits: list("64", "99Gi", "")},
	}
}

func sidecar(requests corev1.ResourceList) corev1.Container {
	c := container(requests)
	always := corev1.ContainerRestartPolicyAlways
	c.RestartPolicy = &always
	return c
}

func encodePod(t require.TestingT, spec corev1.PodSpec) []byte {
	spec.NodeSelector = map[string]string{"workload_type": "normal"}
	spec.RestartPolicy = corev1.RestartPolicyAlways
	pod := corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "build-1", Namespace: "ci", Labels: map[string]string{"cpu": "1"}}, Spec: spec}
	encoded, err := pod.Marshal()
	require.NoError(t, err)
	return encoded
}

func TestPodRequests(t *testing.T) {
	const mib = 1 << 20
	for name, test := range map[string]struct {
		spec                      corev1.PodSpec
		milliCPU, memoryMiB, gpus int64
	}{
		"none": {},
		"one container": {
			spec:     corev1.PodSpec{Containers: []corev1.Container{container(list("500m", "1Gi", ""))}},
			milliCPU: 500, memoryMiB: 1024,
		},
		"containers add up": {
			spec:     corev1.PodSpec{Containers: []corev1.Container{container(list("500m", "1Gi", "")), container(list("2", "512Mi", "1"))}},
			milliCPU: 2500, memoryMiB: 1536, gpus: 1,
		},
		"a large init container counts alone": {
			spec: corev1.PodSpec{
				InitContainers: []corev1.Container{container(list("4", "256Mi", ""))},
				Containers:     []corev1.Container{container(list("1", "1Gi", ""))},
			},
			milliCPU: 4000, memoryMiB: 1024,
		},
		"a sidecar runs beside them": {
			spec: corev1.PodSpec{
				InitContainers: []corev1.Container{sidecar(list("1", "1Gi", "")), container(list("3", "", ""))},
				Containers:     []corev1.Container{container(list("2", "1Gi", ""))},
			},
			milliCPU: 4000, memoryMiB: 2048,
		},
		"but not beside an init container before it": {
			spec: corev1.PodSpec{
				InitContainers: []corev1.Container{container(list("3", "", "")), sidecar(list("1", "1Gi", ""))},
				Containers:     []corev1.Container{container(list("2", "1Gi", ""))},
			},
			milliCPU: 3000, memoryMiB: 2048,
		},
		"the pod's own figures hold": {
			spec: corev1.PodSpec{
				Containers: []corev1.Container{container(list("2", "1Gi", "1"))},
				Resources:  &corev1.ResourceRequirements{Requests: list("6", "", "")},
				Overhead:   list("250m", "120Mi", ""),
			},
			milliCPU: 6250, memoryMiB: 1144, gpus: 1,
		},
		"if only 0": {
			spec: corev1.PodSpec{
				Containers: []corev1.Container{container(list("2", "1Gi", ""))},
				Resources:  &corev1.ResourceRequirements{Requests: list("0", "0", "")},
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := podRequests(encodePod(t, test.spec))
			require.NoError(t, err)
			assert.Equal(t, []int64{test.milliCPU, test.memoryMiB * mib, test.gpus}, []int64{got.milliCPU, got.memory, got.gpus})
		})
	}
}

// decodedRequests is what podRequests returns, worked out from the decoded object.
func decodedRequests(pod *corev1.Pod) amounts {
	of := func(l corev1.ResourceList) amounts {
		gpus := l[cloudprovider.GPUResource]
		return amounts{milliCPU: max(0, l.Cpu().MilliValue()), memory: max(0, l.Memory().Value()), gpus: max(0, gpus.Value())}
	}
	var together, sidecars, starting amounts
	for _, c := range pod.Spec.Containers {
		together.add(of(c.Resources.Requests))
	}
	for _, c := range pod.Spec.InitContainers {
		now := of(c.Resources.Requests)
		if c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways {
			together.add(now)
			sidecars.add(now)
			now = sidecars
		} else {
			now.add(sidecars)
		}
		starting.raiseTo(now)
	}
	together.raiseTo(starting)
	if r := pod.Spec.Resources; r != nil {
		if _, set := r.Requests[corev1.ResourceCPU]; set {
			together.milliCPU = of(r.Requests).milliCPU
		}
		if _, set := r.Requests[corev1.ResourceMemory]; set {
			together.memory = of(r.Requests).memory
		}
	}
	together.add(of(pod.Spec.Overhead))
	return together
}

func drawList(t *rapid.T) corev1.ResourceList {
	cpu := rapid.SampledFrom([]string{"", "0", "1", "250m", "1500m", "2k", "0.1", "1e1", "3u"}).Draw(t, "cpu")
	memory := rapid.SampledFrom([]string{"", "0", "128974848", "1Gi", "512Mi", "1.5Gi", "2G", "129e6", "100Ki", "1Ti", "7m"}).Draw(t, "memory")
	gpus := rapid.SampledFrom([]string{"", "", "0", "1", "8"}).Draw(t, "gpus")
	return list(cpu, memory, gpus)
}

// TestWalkedPodsAreAsDecodedOnes: the shortcut reads what the long way would.
func TestWalkedPodsAreAsDecodedOnes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var spec corev1.PodSpec
		for range rapid.IntRange(0, 3).Draw(t, "containers") {
			spec.Containers = append(spec.Containers, container(drawList(t)))
		}
		for range rapid.IntRange(0, 3).Draw(t, "init") {
			c := container(drawList(t))
			if rapid.Bool().Draw(t, "sidecar") {
				c = sidecar(c.Resources.Requests)
			}
			spec.InitContainers = append(spec.InitContainers, c)
		}
		if rapid.Bool().Draw(t, "own") {
			spec.Resources = &corev1.ResourceRequirements{Requests: drawList(t)}
		}
		if rapid.Bool().Draw(t, "overhead") {
			spec.Overhead = drawList(t)
		}
		encoded := encodePod(t, spec)
		got, err := podRequests(encoded)
		require.NoError(t, err)
		var decoded corev1.Pod
		require.NoError(t, decoded.Unmarshal(encoded))
		assert.Equal(t, decodedRequests(&decoded), got)
	})
}

func TestQuantities(t *testing.T) {
	for text, want := range map[string]int64{
		"0": 0, "1": 1000, "250m": 250, "1500m": 1500, "0.1": 100, ".5": 500, "2k": 2_000_000, "1e2": 100_000, "1u": 1, "100n": 1,
		"1Ki": 1_024_000, "-1": 0, "-5m": 0, "+2": 2000,
		"9007199254740993m": 9007199254740993, "999999999999999Ti": math.MaxInt64, "99E": math.MaxInt64, "1e99": math.MaxInt64,
	} {
		got, err := parseQuantity([]byte(text), 1000)
		require.NoError(t, err, text)
		assert.Equal(t, want, got, text)
	}
	for text, want := range map[string]int64{
		"1Gi": 1 << 30, "1.5Gi": 3 << 29, "128974848": 128974848, "129M": 129_000_000, "100m": 1, "1Ti": 1 << 40, "1Pi": 1 << 50,
	} {
		got, err := parseQuantity([]byte(text), 1)
		require.NoError(t, err, text)
		assert.Equal(t, want, got, text)
	}
	for _, text := range []string{"", "x", "1Zi", "1 Gi", "--1", "1e1000000000", "1e-1000000000", "0.00000000000000000000000000000000000001"} {
		_, err := parseQuantity([]byte(text), 1)
		assert.ErrorIs(t, err, cloudprovider.ErrInvalidArgument, text)
	}
	assert.Equal(t, int64(math.MaxInt64), sum(math.MaxInt64, 1))
	assert.Equal(t, int64(math.MaxInt64), sum(1, math.MaxInt64))
	assert.Equal(t, int64(math.MaxInt64), sum(math.MaxInt64-1, 1))
}

// FuzzPodRequests: no bytes make it panic, and what decodes is read alike.
func FuzzPodRequests(f *testing.F) {
	f.Add([]byte(nil))
	f.Add(encodePod(f, corev1.PodSpec{Containers: []corev1.Container{container(list("500m", "1Gi", "1"))}}))
	f.Add(encodePod(f, corev1.PodSpec{
		InitContainers: []corev1.Container{sidecar(list("1", "1Gi", "")), container(list("3", "1.5Gi", ""))},
		Resources:      &corev1.ResourceRequirements{Requests: list("6", "1e3", "")},
		Overhead:       list("250m", "120Mi", ""),
	}))
	f.Fuzz(func(t *testing.T, encoded []byte) {
		got, err := podRequests(encoded)
		if err != nil {
			return
		}
		for what, n := range map[string]int64{"cpu": got.milliCPU, "memory": got.memory, "gpus": got.gpus} {
			assert.GreaterOrEqual(t, n, int64(0), what)
		}
		var decoded corev1.Pod
		if decoded.Unmarshal(encoded) != nil {
			return
		}
		want := decodedRequests(&decoded)
		if large := int64(1) << 53; max(want.milliCPU, want.memory, want.gpus, got.milliCPU, got.memory, got.gpus) > large {
			return // beyond it Kubernetes' own arithmetic wraps around
		}
		assert.Equal(t, fmt.Sprint(want.milliCPU, want.memory, want.gpus), fmt.Sprint(got.milliCPU, got.memory, got.gpus))
	})
}

func TestNodeOffer(t *testing.T) {
	node := corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: "template-a"},
		Status:     corev1.NodeStatus{Capacity: list("8", "15Gi", "1"), Allocatable: list("7", "12Gi", "1")},
	}
	encoded, err := node.Marshal()
	require.NoError(t, err)
	offer, err := nodeOffer(encoded)
	require.NoError(t, err)
	assert.Equal(t, cloudprovider.NodeOffer{MilliCPU: 8000, MemoryBytes: 15 << 30}, offer)
	_, err = nodeOffer(encoded[:len(encoded)-1])
	assert.ErrorIs(t, err, cloudprovider.ErrInvalidArgument)
}
