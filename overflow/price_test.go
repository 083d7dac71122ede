package overflow_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/buildpool/buildpool/overflow"
)

func TestPriceOfAPod(t *testing.T) {
	const gib = 1 << 30
	price := overflow.Price{PerCPU: 1, PerGiB: 0.1}
	for name, test := range map[string]struct {
		price overflow.Price
		ask   overflow.Resources
		want  float64
	}{
		"a size that there is":        {price, overflow.Resources{MilliCPU: 2000, MemoryBytes: 4 * gib}, 2.4},
		"memory is rounded up":        {price, overflow.Resources{MilliCPU: 2000, MemoryBytes: 5 * gib}, 2.8},
		"cpu is rounded up":           {price, overflow.Resources{MilliCPU: 1100, MemoryBytes: gib}, 2.1},
		"much memory needs more cpu":  {price, overflow.Resources{MilliCPU: 1000, MemoryBytes: 20 * gib}, 7.2},
		"half a GiB":                  {price, overflow.Resources{MilliCPU: 100, MemoryBytes: gib / 2}, 0.3},
		"one byte above the smallest": {price, overflow.Resources{MilliCPU: 250, MemoryBytes: gib/2 + 1}, 0.35},
		"nothing is asked for":        {price, overflow.Resources{}, 2.4},
		"larger than all sizes":       {price, overflow.Resources{MilliCPU: 80000, MemoryBytes: 10 * gib}, 81},
		"a GPU":                       {price, overflow.Resources{MilliCPU: 2000, GPUs: 1}, -1},
		"no price":                    {overflow.Price{}, overflow.Resources{MilliCPU: 2000}, -1},
	} {
		t.Run(name, func(t *testing.T) { assert.InDelta(t, test.want, test.price.PerHour(test.ask), 1e-9) })
	}
}
