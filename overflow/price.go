package overflow

import (
	"maps"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/buildpool/buildpool/cloudprovider"
)

// Price is what pods on the virtual node cost per hour; the zero Price is not known.
type Price struct {
	// PerCPU and PerGiB are for pods that ask for processors and memory.
	PerCPU, PerGiB float64
	// InstanceTypes are for pods that name an instance type, as those with GPUs do.
	InstanceTypes map[string]float64
	// SpotDiscount is the share by which preemptible pods are taken to be cheaper.
	SpotDiscount float64
}

// Known reports whether there is a price for anything.
func (p Price) Known() bool { return p.PerCPU > 0 || p.PerGiB > 0 || len(p.InstanceTypes) > 0 }

// The annotations on which a pod's price depends (ECI, "Pod annotations").
const (
	annotationSpecs        = cloudprovider.AnnotationsVirtual + "use-specs"
	annotationSpotStrategy = cloudprovider.AnnotationsVirtual + "spot-strategy"
	annotationSpotLimit    = cloudprovider.AnnotationsVirtual + "spot-price-limit"
	annotationSpotFallback = cloudprovider.AnnotationsVirtual + "spot-fallback"

	spotAtMarketPrice = "SpotAsPriceGo"
	spotBelowLimit    = "SpotWithPriceLimit"
)

const gibibyte = 1 << 30

// The room that Alibaba Cloud gives a pod that asks for none (ECI, "vCPU and memory
// specifications").
const (
	standardMilliCPU    = 2000
	standardMemoryBytes = 4 * gibibyte
)

// Billed is what a pod's price depends on: its limits, where it has any, else its
// requests, and its annotations.
type Billed struct {
	MilliCPU, MemoryBytes, GPUs int64
	Annotations                 map[string]string
}

// BilledOf is what the price of the pod depends on once it has the annotations, but for
// those that it has already.
func BilledOf(pod *corev1.Pod, added map[string]string) Billed {
	room := ResourcesOf(atLimits(pod), 1)
	b := Billed{MilliCPU: room.MilliCPU, MemoryBytes: room.MemoryBytes, GPUs: room.GPUs, Annotations: pod.Annotations}
	if len(added) > 0 {
		b.Annotations = maps.Clone(added)
		maps.Copy(b.Annotations, pod.Annotations)
	}
	return b
}

// PerHour is what the pod costs at most; negative: not known. Of several sizes that it
// names it may get any, and one that is not preemptible if none is left.
func (p Price) PerHour(b Billed) float64 {
	cost := p.full(b)
	if cost < 0 || b.Annotations[annotationSpotFallback] == "true" {
		return cost
	}
	switch b.Annotations[annotationSpotStrategy] {
	case spotAtMarketPrice:
		return cost * (1 - p.SpotDiscount)
	case spotBelowLimit:
		cost *= 1 - p.SpotDiscount
		if limit, err := strconv.ParseFloat(b.Annotations[annotationSpotLimit], 64); err == nil && limit > 0 {
			cost = min(cost, limit)
		}
	}
	return cost
}

// full is the price of the pod if it is not preemptible.
func (p Price) full(b Billed) float64 {
	specs := b.Annotations[annotationSpecs]
	if specs == "" {
		if b.GPUs > 0 {
			return -1 // billed by an instance type, and it names none
		}
		return p.ofSize(b.MilliCPU, b.MemoryBytes)
	}
	most := 0.0
	for _, spec := range strings.Split(specs, ",") {
		cost := p.ofSpec(strings.TrimSpace(spec))
		if cost < 0 {
			return -1
		}
		most = max(most, cost)
	}
	return most
}

// ofSpec is the price of a size such as "2-4Gi" or "ecs.c7.xlarge".
func (p Price) ofSpec(spec string) float64 {
	if strings.HasPrefix(spec, "ecs.") {
		if cost, known := p.InstanceTypes[spec]; known {
			return cost
		}
		return -1
	}
	cpus, memory, _ := strings.Cut(spec, "-")
	cpu, err := resource.ParseQuantity(cpus)
	if err != nil {
		return -1
	}
	bytes, err := resource.ParseQuantity(memory)
	if err != nil {
		return -1
	}
	return p.ofSize(cpu.MilliValue(), bytes.Value())
}

func (p Price) ofSize(milliCPU, memory int64) float64 {
	if p.PerCPU == 0 && p.PerGiB == 0 {
		return -1
	}
	if milliCPU == 0 && memory == 0 {
		milliCPU, memory = standardMilliCPU, standardMemoryBytes
	}
	milliCPU, memory = roundUp(milliCPU, memory)
	return p.PerCPU*float64(milliCPU)/1000 + p.PerGiB*float64(memory)/gibibyte
}

// specs are the sizes in which room is given and billed in every region, the smallest
// first (ECI, "vCPU and memory specifications"). Some regions have sizes between them.
var specs = []struct {
	milliCPU int64
	memory   []int64 // halves of a GiB
}{
	{250, []int64{1, 2}},
	{500, []int64{2, 4}},
	{1000, []int64{4, 8, 16}},
	{2000, []int64{2, 4, 8, 16, 32}},
	{4000, []int64{4, 8, 16, 32, 64}},
	{8000, []int64{8, 16, 32, 64, 128}},
	{12000, []int64{24, 48, 96, 192}},
	{16000, []int64{32, 64, 128, 256}},
	{24000, []int64{48, 96, 192, 384}},
	{32000, []int64{64, 128, 256, 512}},
	{52000, []int64{192, 384, 768}},
	{64000, []int64{256, 512, 1024}},
}

// roundUp is the smallest size that holds what is asked for; what is larger than all of
// them is taken as it is.
func roundUp(milliCPU, memory int64) (int64, int64) {
	for _, s := range specs {
		if s.milliCPU < milliCPU {
			continue
		}
		for _, half := range s.memory {
			if size := half * gibibyte / 2; size >= memory {
				return s.milliCPU, size
			}
		}
	}
	return milliCPU, memory
}
