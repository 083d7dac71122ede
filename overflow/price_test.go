package overflow_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/buildpool/buildpool/overflow"
)

func TestPriceOfAPod(t *testing.T) {
	const gib = 1 << 30
	price := overflow.Price{PerCPU: 1, PerGiB: 0.1, InstanceTypes: map[string]float64{"ecs.gn6i-c4g1.xlarge": 9, "ecs.c7.xlarge": 3}, SpotDiscount: 0.75}
	specs := func(s string) map[string]string { return map[string]string{"k8s.aliyun.com/eci-use-specs": s} }
	spot := func(strategy, limit, fallback string) map[string]string {
		return map[string]string{
			"k8s.aliyun.com/eci-spot-strategy": strategy, "k8s.aliyun.com/eci-spot-price-limit": limit, "k8s.aliyun.com/eci-spot-fallback": fallback,
		}
	}
	small := overflow.Billed{MilliCPU: 2000, MemoryBytes: 4 * gib}
	with := func(annotations map[string]string) overflow.Billed {
		return overflow.Billed{MilliCPU: 2000, MemoryBytes: 4 * gib, Annotations: annotations}
	}
	for name, test := range map[string]struct {
		price overflow.Price
		pod   overflow.Billed
		want  float64
	}{
		"a size that there is":        {price, small, 2.4},
		"memory is rounded up":        {price, overflow.Billed{MilliCPU: 2000, MemoryBytes: 5 * gib}, 2.8},
		"cpu is rounded up":           {price, overflow.Billed{MilliCPU: 1100, MemoryBytes: gib}, 2.1},
		"much memory needs more cpu":  {price, overflow.Billed{MilliCPU: 1000, MemoryBytes: 20 * gib}, 7.2},
		"half a GiB":                  {price, overflow.Billed{MilliCPU: 100, MemoryBytes: gib / 2}, 0.3},
		"one byte above the smallest": {price, overflow.Billed{MilliCPU: 250, MemoryBytes: gib/2 + 1}, 0.35},
		"nothing is asked for":        {price, overflow.Billed{}, 2.4},
		"larger than all sizes":       {price, overflow.Billed{MilliCPU: 80000, MemoryBytes: 10 * gib}, 81},
		"no price":                    {overflow.Price{}, small, -1},

		"a GPU without a type":         {price, overflow.Billed{MilliCPU: 2000, GPUs: 1}, -1},
		"a GPU":                        {price, overflow.Billed{GPUs: 1, Annotations: specs("ecs.gn6i-c4g1.xlarge")}, 9},
		"a size by annotation":         {price, with(specs("4-8Gi")), 4.8},
		"that is rounded up, too":      {price, with(specs("3-5Gi")), 4.8},
		"the dearest of several":       {price, with(specs("2-4Gi, 4-8Gi,ecs.c7.xlarge")), 4.8},
		"a type without a price":       {price, with(specs("2-4Gi,ecs.c7.2xlarge")), -1},
		"what is no size":              {price, with(specs("large")), -1},
		"a size, and types are priced": {overflow.Price{InstanceTypes: price.InstanceTypes}, with(specs("2-4Gi")), -1},
		"only types are priced":        {overflow.Price{InstanceTypes: price.InstanceTypes}, with(specs("ecs.c7.xlarge")), 3},

		"preemptible":                {price, with(spot("SpotAsPriceGo", "", "")), 0.6},
		"not preemptible":            {price, with(spot("NoSpot", "", "")), 2.4},
		"preemptible, to a limit":    {price, with(spot("SpotWithPriceLimit", "0.5", "")), 0.5},
		"a limit above the price":    {price, with(spot("SpotWithPriceLimit", "2", "")), 0.6},
		"a limit that is none":       {price, with(spot("SpotWithPriceLimit", "low", "")), 0.6},
		"preemptible or not":         {price, with(spot("SpotAsPriceGo", "", "true")), 2.4},
		"preemptible of no discount": {overflow.Price{PerCPU: 1}, with(spot("SpotAsPriceGo", "", "")), 2},
	} {
		t.Run(name, func(t *testing.T) { assert.InDelta(t, test.want, test.price.PerHour(test.pod), 1e-9) })
	}
}

// What is billed are limits, where there are any, and what a pod says itself goes before
// what it is given.
func TestWhatIsBilled(t *testing.T) {
	list := func(cpu, memory string) corev1.ResourceList {
		return corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(cpu), corev1.ResourceMemory: resource.MustParse(memory)}
	}
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Annotations: map[string]string{"a": "its own"}},
		Spec: corev1.PodSpec{Containers: []corev1.Container{
			{Resources: corev1.ResourceRequirements{Requests: list("1", "1Gi"), Limits: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("3")}}},
			{Resources: corev1.ResourceRequirements{Requests: list("1", "1Gi")}},
		}},
	}
	assert.Equal(t, overflow.Billed{MilliCPU: 4000, MemoryBytes: 2 << 30, Annotations: map[string]string{"a": "its own", "b": "new"}},
		overflow.BilledOf(pod, map[string]string{"a": "given", "b": "new"}))
	assert.Equal(t, map[string]string{"a": "its own"}, pod.Annotations)
	assert.Equal(t, overflow.Resources{MilliCPU: 2000, MemoryBytes: 2 << 30, Pods: 1}, overflow.AskOf(pod))
	policy := overflow.Policy{Price: overflow.Price{PerCPU: 1, SpotDiscount: 0.5}, Annotations: map[string]string{"k8s.aliyun.com/eci-spot-strategy": "SpotAsPriceGo"}}
	assert.InDelta(t, 2, policy.CostPerHour(pod), 1e-9)
}
