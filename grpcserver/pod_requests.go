package grpcserver

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
	corev1 "k8s.io/api/core/v1"

	"github.com/buildpool/buildpool/cloudprovider"
)

// A request of the expander holds every pod once per option, tens of megabytes when
// thousands of builds wait, and a choice needs no more of a pod than three numbers.
// Decoding whole pods would take most of CA's deadline, so the encoded objects are
// walked for their resource requests alone.

// The fields of k8s.io/api/core/v1 (generated.proto) on the way to a quantity.
const (
	podSpec                protowire.Number = 2
	specContainers         protowire.Number = 2
	specInitContainers     protowire.Number = 20
	specOverhead           protowire.Number = 32
	specResources          protowire.Number = 40
	containerResources     protowire.Number = 8
	containerRestartPolicy protowire.Number = 24
	resourcesRequests      protowire.Number = 2
	nodeStatus             protowire.Number = 3
	statusCapacity         protowire.Number = 1
	entryKey               protowire.Number = 1
	entryValue             protowire.Number = 2
	quantityString         protowire.Number = 1
)

// amounts are the resources that a choice depends on.
type amounts struct {
	milliCPU, memory, gpus int64
	// cpuSet and memorySet: the resource is named, if only with 0.
	cpuSet, memorySet bool
}

func (a *amounts) add(b amounts) {
	a.milliCPU, a.memory, a.gpus = sum(a.milliCPU, b.milliCPU), sum(a.memory, b.memory), sum(a.gpus, b.gpus)
}

func (a *amounts) raiseTo(b amounts) {
	a.milliCPU, a.memory, a.gpus = max(a.milliCPU, b.milliCPU), max(a.memory, b.memory), max(a.gpus, b.gpus)
}

// podRequests returns what an encoded v1.Pod asks for, as the scheduler counts:
// containers and sidecars together or, if that is more, an init container beside the
// sidecars that started before it; the pod's own figures before those of its
// containers; and the overhead on top.
func podRequests(encoded []byte) (amounts, error) {
	var p podWalk
	err := eachField(encoded, func(number protowire.Number, value []byte) error {
		if number != podSpec {
			return nil
		}
		return eachField(value, p.field)
	})
	if err != nil {
		return amounts{}, fmt.Errorf("read a pod's requests: %w", err)
	}
	return p.total(), nil
}

// podWalk gathers a pod's requests from the fields of its spec, which may come in any
// order.
type podWalk struct {
	together amounts // containers and sidecars
	sidecars amounts // those seen so far
	starting amounts // the most at one moment of the start
	own      amounts // of the pod as a whole
	overhead amounts
}

func (p *podWalk) field(number protowire.Number, value []byte) error {
	switch number {
	case specContainers:
		c, _, err := containerRequests(value)
		p.together.add(c)
		return err
	case specInitContainers:
		c, sidecar, err := containerRequests(value)
		if sidecar {
			p.together.add(c)
			p.sidecars.add(c)
			c = p.sidecars
		} else {
			c.add(p.sidecars)
		}
		p.starting.raiseTo(c)
		return err
	case specResources:
		return eachField(value, p.own.request)
	case specOverhead:
		return p.overhead.entry(value)
	}
	return nil
}

func (p *podWalk) total() amounts {
	total := p.together
	total.raiseTo(p.starting)
	if p.own.cpuSet {
		total.milliCPU = p.own.milliCPU
	}
	if p.own.memorySet {
		total.memory = p.own.memory
	}
	total.add(p.overhead)
	return total
}

// containerRequests reads one container; a sidecar is an init container that keeps
// running.
func containerRequests(encoded []byte) (requests amounts, sidecar bool, err error) {
	err = eachField(encoded, func(number protowire.Number, value []byte) error {
		switch number {
		case containerResources:
			return eachField(value, requests.request)
		case containerRestartPolicy:
			sidecar = string(value) == string(corev1.ContainerRestartPolicyAlways)
		}
		return nil
	})
	return requests, sidecar, err
}

// request takes a field of v1.ResourceRequirements.
func (a *amounts) request(number protowire.Number, value []byte) error {
	if number != resourcesRequests {
		return nil
	}
	return a.entry(value)
}

// entry takes one entry of a v1.ResourceList.
func (a *amounts) entry(encoded []byte) error {
	var key, quantity []byte
	if err := eachField(encoded, func(number protowire.Number, value []byte) error {
		switch number {
		case entryKey:
			key = value
		case entryValue:
			quantity = value
		}
		return nil
	}); err != nil {
		return err
	}
	switch string(key) {
	case string(corev1.ResourceCPU):
		return a.take(&a.milliCPU, &a.cpuSet, quantity, 1000)
	case string(corev1.ResourceMemory):
		return a.take(&a.memory, &a.memorySet, quantity, 1)
	case string(cloudprovider.GPUResource):
		var set bool
		return a.take(&a.gpus, &set, quantity, 1)
	}
	return nil
}

// take reads an encoded Quantity, in units of which one whole has so many.
func (a *amounts) take(to *int64, set *bool, encoded []byte, units int64) error {
	var text []byte
	err := eachField(encoded, func(number protowire.Number, value []byte) error {
		if number == quantityString {
			text = value
		}
		return nil
	})
	if err != nil {
		return err
	}
	*to, err = parseQuantity(text, units)
	*set = true
	return err
}

// nodeOffer returns the capacity of an encoded v1.Node.
func nodeOffer(encoded []byte) (cloudprovider.NodeOffer, error) {
	var capacity amounts
	err := eachField(encoded, func(number protowire.Number, value []byte) error {
		if number != nodeStatus {
			return nil
		}
		return eachField(value, func(number protowire.Number, value []byte) error {
			if number != statusCapacity {
				return nil
			}
			return capacity.entry(value)
		})
	})
	if err != nil {
		return cloudprovider.NodeOffer{}, fmt.Errorf("read a node's capacity: %w", err)
	}
	return cloudprovider.NodeOffer{MilliCPU: capacity.milliCPU, MemoryBytes: capacity.memory}, nil
}

// eachField visits the length-delimited fields of an encoded message: messages,
// strings and maps' entries. All others are passed over.
func eachField(raw []byte, visit func(protowire.Number, []byte) error) error {
	for len(raw) > 0 {
		number, kind, n := protowire.ConsumeTag(raw)
		if n < 0 {
			return invalid("malformed object: %v", protowire.ParseError(n))
		}
		raw = raw[n:]
		if kind != protowire.BytesType {
			if n = protowire.ConsumeFieldValue(number, kind, raw); n < 0 {
				return invalid("malformed object: %v", protowire.ParseError(n))
			}
			raw = raw[n:]
			continue
		}
		value, n := protowire.ConsumeBytes(raw)
		if n < 0 {
			return invalid("malformed object: %v", protowire.ParseError(n))
		}
		raw = raw[n:]
		if err := visit(number, value); err != nil {
			return err
		}
	}
	return nil
}
