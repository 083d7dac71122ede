package scenario

import (
	"regexp"
	"strconv"

	"github.com/buildpool/buildpool/cloudprovider"
)

// typeName is how ECS names a type: family, generation, and size.
var typeName = regexp.MustCompile(`^ecs\.([cgr])[0-9]+[a-z]*\.(?:(large)|([0-9]*)xlarge)$`)

// gibPerCPU is the memory of the families for computing, general use and memory.
var gibPerCPU = map[string]float64{"c": 2, "g": 4, "r": 8}

// shapeOf tells a type's size from its name, which follows a rule in the families c, g
// and r; ok is false for all others.
func shapeOf(name string) (t cloudprovider.InstanceType, ok bool) {
	m := typeName.FindStringSubmatch(name)
	if m == nil {
		return cloudprovider.InstanceType{}, false
	}
	cpus := 2
	if m[2] == "" {
		times := 1
		if m[3] != "" {
			times, _ = strconv.Atoi(m[3]) // digits by the expression
		}
		cpus = 4 * times
	}
	return cloudprovider.InstanceType{Name: name, CPUs: cpus, MemoryGiB: float64(cpus) * gibPerCPU[m[1]], Arch: "amd64"}, true
}
