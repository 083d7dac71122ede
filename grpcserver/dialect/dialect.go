package dialect

import "k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc/protos"

// Dialect is a range of CA releases that speak alike.
type Dialect int

// The dialects, named by their first release.
const (
	// Unknown: no request has told, or its fields are those of no release.
	Unknown Dialect = iota
	// CA125 is CA 1.25 to 1.28, whose options lack the time that a node may take to
	// be provisioned: any answer sets it to 0, and CA deletes booting instances at
	// once (autoscaler#5935).
	CA125
	// CA129 is CA 1.29 to 1.34.1, which stops with a nil dereference on options
	// without the old durations.
	CA129
	// CA134 is CA 1.34.2 to the last 1.34, which writes all fields twice and reads
	// the new ones first.
	CA134
	// CA135 is CA 1.35 and later, which reads the new fields only. Any options
	// answered set its time for a node's start to 0 (autoscaler#10245).
	CA135
)

// All are the dialects that a request can tell, oldest first.
var All = []Dialect{CA125, CA129, CA134, CA135}

func (d Dialect) String() string {
	switch d {
	case CA125:
		return "1.25-1.28"
	case CA129:
		return "1.29-1.34.1"
	case CA134:
		return "1.34.2-1.34.x"
	case CA135:
		return "1.35+"
	}
	return "unknown"
}

// Of tells who sent these default options: every release sends each duration it
// knows, so the numbers of the duration fields are its signature. No other request
// of the protocol tells as much.
func Of(defaults *protos.NodeGroupAutoscalingOptions) Dialect {
	return signatures[signatureOf(defaults)]
}

// signature is a set of fields by number: bit n stands for field n.
type signature uint16

const (
	oldScaleDown signature = 1<<oldUnneeded | 1<<oldUnready
	oldDurations           = oldScaleDown | 1<<oldProvision
	newDurations signature = 1<<8 | 1<<9 | 1<<10
)

var signatures = map[signature]Dialect{
	oldScaleDown:                CA125,
	oldDurations:                CA129,
	oldDurations | newDurations: CA134,
	newDurations:                CA135,
}

func signatureOf(options *protos.NodeGroupAutoscalingOptions) signature {
	var s signature
	if options == nil {
		return s
	}
	if options.ScaleDownUnneededDuration != nil {
		s |= 1 << 8
	}
	if options.ScaleDownUnreadyDuration != nil {
		s |= 1 << 9
	}
	if options.MaxNodeProvisionDuration != nil {
		s |= 1 << 10
	}
	for old, _, rest := next(unknown(options)); old != 0; old, _, rest = next(rest) {
		if old >= oldUnneeded && old <= oldProvision {
			s |= 1 << old
		}
	}
	return s
}
