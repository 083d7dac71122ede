package workload

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
)

// metadata is what Kubernetes objects have in common.
type metadata struct {
	Name                       string            `json:"name"`
	GenerateName               string            `json:"generateName"`
	Namespace                  string            `json:"namespace"`
	UID                        string            `json:"uid"`
	CreationTimestamp          time.Time         `json:"creationTimestamp"`
	DeletionTimestamp          time.Time         `json:"deletionTimestamp"`
	DeletionGracePeriodSeconds int64             `json:"deletionGracePeriodSeconds"`
	Labels                     map[string]string `json:"labels"`
	Annotations                map[string]string `json:"annotations"`
	OwnerReferences            []struct {
		Kind string `json:"kind"`
	} `json:"ownerReferences"`
}

// job is what the object's builds are called: by a label or annotation, else by the
// object's name without what was generated of it.
func (m metadata) job(label string) string {
	if label != "" {
		if v := m.Labels[label]; v != "" {
			return v
		}
		if v := m.Annotations[label]; v != "" {
			return v
		}
	}
	if m.GenerateName != "" {
		return strings.TrimSuffix(m.GenerateName, "-")
	}
	return withoutSuffix(m.Name)
}

// generatedLetters are those that Kubernetes makes random names of.
const generatedLetters = "bcdfghjklmnpqrstvwxz2456789"

// withoutSuffix cuts a generated end of five letters off.
func withoutSuffix(name string) string {
	i := len(name) - 6
	if i <= 0 || name[i] != '-' || strings.Trim(name[i+1:], generatedLetters) != "" {
		return name
	}
	return name[:i]
}

func (m metadata) ownedBy(kind string) bool {
	for _, o := range m.OwnerReferences {
		if o.Kind == kind {
			return true
		}
	}
	return false
}

// resources are requests by name.
type resources struct {
	Requests map[string]resource.Quantity `json:"requests"`
}

type container struct {
	Image         string    `json:"image"`
	Resources     resources `json:"resources"`
	RestartPolicy string    `json:"restartPolicy"`
}

type podSpec struct {
	NodeSelector   map[string]string            `json:"nodeSelector"`
	Containers     []container                  `json:"containers"`
	InitContainers []container                  `json:"initContainers"`
	Overhead       map[string]resource.Quantity `json:"overhead"`
	Resources      resources                    `json:"resources"`
}

// gpuResource is how pods ask for GPUs.
const gpuResource = "nvidia.com/gpu"

// said is what the pod asks for as the scheduler counts it.
func (s podSpec) said() (Requests, *fault) {
	r := Requests{Labels: s.NodeSelector}
	for k, v := range s.NodeSelector {
		if f := checkLabel("spec.nodeSelector", k, v); f != nil {
			return r, f
		}
	}
	for _, one := range []struct {
		name  string
		to    **int64
		parse func(field, s string) (int64, *fault)
	}{{"cpu", &r.MilliCPU, parseCPU}, {"memory", &r.MemoryBytes, parseMemory}, {gpuResource, &r.GPUs, parseGPUs}} {
		q, asked := s.request(one.name)
		if !asked {
			continue
		}
		amount, f := one.parse("spec.resources."+one.name, q.String())
		if f != nil {
			return r, f
		}
		*one.to = &amount
	}
	for _, c := range s.Containers {
		// The first image that says something; which of them is the big one is not known.
		if r.Image == "" && checkText("image", c.Image) == nil {
			r.Image = c.Image
		}
	}
	return r, nil
}

// request is the scheduler's rule: containers and side-cars together, or an init
// container beside the side-cars before it, whichever is more; the pod's own request
// instead if it has one; and the overhead.
func (s podSpec) request(name string) (resource.Quantity, bool) {
	var sum, most, sidecars resource.Quantity
	asked := false
	of := func(c container) resource.Quantity {
		q, ok := c.Resources.Requests[name]
		asked = asked || ok
		return q
	}
	for _, c := range s.InitContainers {
		q := of(c)
		if c.RestartPolicy == "Always" {
			sidecars.Add(q)
			q = sidecars.DeepCopy()
		} else {
			q.Add(sidecars)
		}
		if q.Cmp(most) > 0 {
			most = q
		}
	}
	sum.Add(sidecars)
	for _, c := range s.Containers {
		sum.Add(of(c))
	}
	if most.Cmp(sum) > 0 {
		sum = most
	}
	if q, ok := s.Resources.Requests[name]; ok {
		sum, asked = q.DeepCopy(), true
	}
	if q, ok := s.Overhead[name]; ok {
		sum.Add(q)
	}
	return sum, asked
}

// tags are the pod's node selectors, its namespace and its owners.
func (s podSpec) tags(m metadata) []string {
	var tags []string
	for _, k := range slices.Sorted(maps.Keys(s.NodeSelector)) {
		tags = append(tags, fmt.Sprintf("%s=%s", k, s.NodeSelector[k]))
	}
	if m.Namespace != "" {
		tags = append(tags, "namespace="+m.Namespace)
	}
	for _, o := range m.OwnerReferences {
		tags = append(tags, "owner="+o.Kind)
	}
	return tags
}
