package engine

import (
	corev1 "k8s.io/api/core/v1"

	"github.com/buildpool/buildpool/cloudprovider"
)

// room is an amount of what a node offers and builds ask for. Comparable, so that
// nodes with the same room left are told by it.
type room struct {
	milliCPU, memory int64
	gpus, pods       int32
}

func roomOf(list corev1.ResourceList) room {
	r := room{milliCPU: list.Cpu().MilliValue(), memory: list.Memory().Value(), pods: int32(list.Pods().Value())}
	if q, ok := list[cloudprovider.GPUResource]; ok {
		r.gpus = int32(q.Value())
	}
	return r
}

func (r room) holds(ask room) bool {
	return ask.milliCPU <= r.milliCPU && ask.memory <= r.memory && ask.gpus <= r.gpus && ask.pods <= r.pods
}

// times is how often the ask fits.
func (r room) times(ask room) int {
	n := int64(r.pods) / int64(max(ask.pods, 1))
	if ask.milliCPU > 0 {
		n = min(n, r.milliCPU/ask.milliCPU)
	}
	if ask.memory > 0 {
		n = min(n, r.memory/ask.memory)
	}
	if ask.gpus > 0 {
		n = min(n, int64(r.gpus)/int64(ask.gpus))
	}
	return int(max(n, 0))
}

func (r room) less(ask room, times int) room {
	r.milliCPU -= ask.milliCPU * int64(times)
	r.memory -= ask.memory * int64(times)
	r.gpus -= ask.gpus * int32(times)
	r.pods -= ask.pods * int32(times)
	return r
}

func (r room) plus(ask room) room { return r.less(ask, -1) }
