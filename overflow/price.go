package overflow

// Price is what a pod on the virtual node costs per hour, by what it asks for; the zero
// Price is not known.
type Price struct {
	PerCPU, PerGiB float64
}

const gibibyte = 1 << 30

// The room that Alibaba Cloud gives a pod that asks for none (ECI, "vCPU and memory
// specifications").
const (
	standardMilliCPU    = 2000
	standardMemoryBytes = 4 * gibibyte
)

// PerHour of a pod that asks for so much; negative: not known, as that of a pod with
// GPUs, which is billed by its instance type.
func (p Price) PerHour(ask Resources) float64 {
	if p == (Price{}) || ask.GPUs > 0 {
		return -1
	}
	if ask.MilliCPU == 0 && ask.MemoryBytes == 0 {
		ask.MilliCPU, ask.MemoryBytes = standardMilliCPU, standardMemoryBytes
	}
	spec := roundUp(ask)
	return p.PerCPU*float64(spec.MilliCPU)/1000 + p.PerGiB*float64(spec.MemoryBytes)/gibibyte
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
func roundUp(ask Resources) Resources {
	for _, s := range specs {
		if s.milliCPU < ask.MilliCPU {
			continue
		}
		for _, half := range s.memory {
			if memory := half * gibibyte / 2; memory >= ask.MemoryBytes {
				return Resources{MilliCPU: s.milliCPU, MemoryBytes: memory}
			}
		}
	}
	return ask
}
