package nodegroups

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/nodegroups/config"
)

var (
	c7 = cloudprovider.InstanceType{Name: "ecs.c7.2xlarge", CPUs: 8, MemoryGiB: 16, Arch: "amd64", ENIs: 4, IPsPerENI: 15}
	g7 = cloudprovider.InstanceType{Name: "ecs.g7.2xlarge", CPUs: 8, MemoryGiB: 32, Arch: "amd64", ENIs: 4, IPsPerENI: 15}
	r7 = cloudprovider.InstanceType{Name: "ecs.r7.xlarge", CPUs: 4, MemoryGiB: 32, Arch: "amd64", ENIs: 3, IPsPerENI: 10}
	gn = cloudprovider.InstanceType{Name: "ecs.gn7i-c8g1.2xlarge", CPUs: 8, MemoryGiB: 30, Arch: "amd64", GPUs: 1, GPUModel: "NVIDIA A10"}
	y8 = cloudprovider.InstanceType{Name: "ecs.c8y.2xlarge", CPUs: 8, MemoryGiB: 16, Arch: "arm64"}

	hangzhou = cloudprovider.Launch{Source: "asc-a", Zones: []string{"cn-hangzhou-h", "cn-hangzhou-i"}, SystemDiskGiB: 120, SpotStrategy: "SpotAsPriceGo"}
)

func quantities(l corev1.ResourceList) map[string]string {
	out := map[string]string{}
	for name, q := range l {
		out[string(name)] = q.String()
	}
	return out
}

func TestTemplateOfASpotGroup(t *testing.T) {
	group := config.Group{
		Name: "spot", Class: config.ClassSpot, Labels: map[string]string{"workload_type": "spot"},
		Taints: []config.Taint{{Key: "buildpool.io/class", Value: "spot", Effect: corev1.TaintEffectNoSchedule}},
	}
	got, err := nodeTemplate(group, "cn-hangzhou", hangzhou, []cloudprovider.InstanceType{c7})
	require.NoError(t, err)
	assert.Equal(t, map[string]string{
		"kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64", "node.kubernetes.io/instance-type": "ecs.c7.2xlarge",
		"topology.kubernetes.io/region": "cn-hangzhou", "topology.kubernetes.io/zone": "cn-hangzhou-h",
		"buildpool.io/class": "spot", "workload_type": "spot",
		"node.alibabacloud.com/instance-charge-type": "PostPaid", "node.alibabacloud.com/spot-strategy": "SpotAsPriceGo",
	}, got.Labels)
	assert.Equal(t, []corev1.Taint{{Key: "buildpool.io/class", Value: "spot", Effect: "NoSchedule"}}, got.Taints)
	// 16 GiB less 5 % for the kernel = 15938355 KiB; ACK keeps min(11*110+255 MiB,
	// a quarter) + 200 MiB = 1665 MiB and 60+10+5+5+4*2.5 = 90 milli-CPU; kubelet
	// keeps a float32's tenth of the disk, 12,884,902,080 bytes.
	assert.Equal(t, map[string]string{"cpu": "8", "memory": "15938355Ki", "pods": "110", "ephemeral-storage": "120Gi"}, quantities(got.Capacity))
	assert.Equal(t, map[string]string{"cpu": "7910m", "memory": "14233395Ki", "pods": "110", "ephemeral-storage": "115964116800"}, quantities(got.Allocatable))
}

func TestTemplateOfAGPUGroup(t *testing.T) {
	group := config.Group{Name: "gpu", Class: config.ClassGPU, Template: config.Template{GPU: &config.GPU{Type: "NVIDIA-A10"}}}
	got, err := nodeTemplate(group, "cn-hangzhou", hangzhou, []cloudprovider.InstanceType{gn})
	require.NoError(t, err)
	assert.Equal(t, "NVIDIA-A10", got.Labels[cloudprovider.LabelGPU])
	assert.Equal(t, "1", quantities(got.Capacity)["nvidia.com/gpu"])
	assert.Equal(t, "1", quantities(got.Allocatable)["nvidia.com/gpu"])
}

func TestTemplateOverrides(t *testing.T) {
	none := 0
	disk, cpu, memory, scratch := resource.MustParse("50Gi"), resource.MustParse("500m"), resource.MustParse("1Gi"), resource.MustParse("2Gi")
	group := config.Group{Name: "normal", Class: config.ClassNormal, Template: config.Template{
		MemoryOverheadPercent: &none, MaxPods: 30, EphemeralStorage: &disk,
		Reserved: config.Reserved{CPU: &cpu, Memory: &memory, EphemeralStorage: &scratch},
		GPU:      &config.GPU{Type: "NVIDIA-A10", Count: 4},
	}}
	got, err := nodeTemplate(group, "cn-hangzhou", hangzhou, []cloudprovider.InstanceType{gn})
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"cpu": "7500m", "memory": "29Gi", "pods": "30", "ephemeral-storage": "48Gi", "nvidia.com/gpu": "4"}, quantities(got.Allocatable))
}

func TestTemplateOfSeveralTypesPromisesOnlyWhatEachHas(t *testing.T) {
	got, err := nodeTemplate(config.Group{Class: config.ClassNormal}, "cn-hangzhou", hangzhou, []cloudprovider.InstanceType{g7, r7, c7})
	require.NoError(t, err)
	assert.Equal(t, "ecs.r7.xlarge", got.Labels["node.kubernetes.io/instance-type"])
	assert.Equal(t, "4", quantities(got.Capacity)["cpu"])
	assert.Equal(t, "15938355Ki", quantities(got.Capacity)["memory"])

	got, err = nodeTemplate(config.Group{Class: config.ClassNormal}, "cn-hangzhou", hangzhou, []cloudprovider.InstanceType{gn, c7})
	require.NoError(t, err)
	assert.NotContains(t, quantities(got.Capacity), "nvidia.com/gpu", "one of the types has none")
	assert.NotContains(t, quantities(got.Allocatable), "nvidia.com/gpu")
}

func TestTemplateRefusesToGuess(t *testing.T) {
	_, err := nodeTemplate(config.Group{}, "cn-hangzhou", hangzhou, nil)
	require.ErrorIs(t, err, cloudprovider.ErrNoTemplate)
	_, err = nodeTemplate(config.Group{}, "cn-hangzhou", hangzhou, []cloudprovider.InstanceType{c7, y8})
	require.ErrorIs(t, err, cloudprovider.ErrNoTemplate)
	assert.ErrorContains(t, err, "mixes")
}

func TestPodsByNetwork(t *testing.T) {
	assert.Equal(t, 110, maxPods(config.Template{}, c7))
	assert.Equal(t, 48, maxPods(config.Template{PodNetwork: config.PodNetworkTerway}, c7), "(4-1)*15+3")
	assert.Equal(t, 110, maxPods(config.Template{PodNetwork: config.PodNetworkFlannel}, c7))
	assert.Equal(t, 20, maxPods(config.Template{PodNetwork: config.PodNetworkTerway, MaxPods: 20}, c7))
}

func TestReservedByACKsFormula(t *testing.T) {
	for cores, want := range map[int64]string{1: "60m", 2: "70m", 4: "80m", 8: "90m", 9: "93m", 64: "230m"} {
		q := ackReservedCPU(cores)
		assert.Equal(t, want, q.String(), "%d cores", cores)
	}
	small := ackReservedMemory(2*gib, 110)
	assert.Equal(t, "712Mi", small.String(), "a quarter of 2 GiB and 200 MiB")
	large := ackReservedMemory(64*gib, 64)
	assert.Equal(t, "1159Mi", large.String(), "11*64+255+200 MiB")
}

func TestAllocatableIsNeverNegative(t *testing.T) {
	got := allocatable(corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("1")}, corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("2")})
	assert.Equal(t, map[string]string{"cpu": "0"}, quantities(got))
}
