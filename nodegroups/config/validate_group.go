package config

import (
	"fmt"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation"
)

func (d *decoder) checkGroup(path string, g Group, defaults Defaults) {
	if at := path + ".name"; d.sound(at) && len(validation.IsDNS1123Label(g.Name)) > 0 {
		d.complain(at, fmt.Sprintf("%s is no group name", quoted(g.Name)), "use lower-case letters, digits and -, with a letter or digit at both ends, at most 63 characters")
	}
	d.checkScalingGroup(path+".scalingGroup", g.ScalingGroup)
	d.checkBounds(path, g)
	d.checkLabels(path+".labels", g.Labels)
	d.checkTaints(path+".taints", g.Taints)
	d.checkTemplate(path+".template", g.Template)
	d.checkClass(path, g, defaults)
	d.checkOptions(path+".options", g.Options)
	if g.Price != nil {
		if at := path + ".price.perHour"; d.sound(at) && g.Price.PerHour < 0 {
			d.complain(at, "the price is negative", "write what a node costs per hour, 0 or more")
		}
		d.checkForm(path+".price.currency", g.Price.Currency, currencyForm, "no currency code", "write an ISO 4217 code such as CNY")
	}
}

func (d *decoder) checkScalingGroup(path string, s ScalingGroup) {
	if !d.sound(path) {
		return
	}
	_, id := d.places[path+".id"]
	_, tags := d.places[path+".tags"]
	switch {
	case id && tags:
		d.complain(path, "has both id and tags", "keep one of them")
	case !id && !tags:
		d.complain(path, "has neither id nor tags", "write the scaling group's id, or tags that only it carries")
	}
	d.checkForm(path+".id", s.ID, scalingGroupForm, "no scaling group ID", "write the ID that begins with asg-")
	at := path + ".tags"
	if !d.sound(at) {
		return
	}
	if len(s.Tags) == 0 {
		d.complain(at, "has no tag", "write tags that only this scaling group carries")
	}
	if len(s.Tags) > maxTags {
		d.complain(at, fmt.Sprintf("has %d tags, more than the %d a query takes", len(s.Tags), maxTags), "keep those that tell the group apart")
	}
	if _, empty := s.Tags[""]; empty {
		d.complain(entry(at, ""), "the tag's key is empty", "name the tag")
	}
}

func (d *decoder) checkBounds(path string, g Group) {
	minAt, maxAt := path+".min", path+".max"
	if d.sound(minAt) && g.Min < 0 {
		d.complain(minAt, fmt.Sprintf("min %d is negative", g.Min), "write 0 or more")
	}
	switch {
	case !d.sound(maxAt):
	case g.Max < 0:
		d.complain(maxAt, fmt.Sprintf("max %d is negative", g.Max), "write 0 or more")
	case g.Max > maxSize:
		d.complain(maxAt, fmt.Sprintf("max %d is more than ESS allows", g.Max), fmt.Sprintf("write at most %d", maxSize))
	case d.sound(minAt) && g.Min > g.Max:
		d.complain(minAt, fmt.Sprintf("min %d is more than max %d", g.Min, g.Max), "lower min or raise max")
	}
}

func (d *decoder) checkTemplate(path string, t Template) {
	if at := path + ".instanceType"; d.sound(at) && t.InstanceType == "" {
		d.complain(at, "is empty", "write an instance type such as ecs.c7.2xlarge, or remove the key")
	}
	d.checkReserved(path+".reserved.cpu", t.Reserved.CPU, false)
	d.checkReserved(path+".reserved.memory", t.Reserved.Memory, true)
	d.checkReserved(path+".reserved.ephemeralStorage", t.Reserved.EphemeralStorage, true)
	if at := path + ".memoryOverheadPercent"; d.sound(at) && t.MemoryOverheadPercent != nil && (*t.MemoryOverheadPercent < 0 || *t.MemoryOverheadPercent > 99) {
		d.complain(at, fmt.Sprintf("%d is no share of the memory", *t.MemoryOverheadPercent), "write a percentage from 0 to 99")
	}
	if at := path + ".maxPods"; d.sound(at) && t.MaxPods < 1 {
		d.complain(at, fmt.Sprintf("maxPods %d leaves no room for a pod", t.MaxPods), "write 1 or more, or remove the key")
	}
	if at := path + ".ephemeralStorage"; d.sound(at) && t.EphemeralStorage != nil {
		d.checkReserved(at, t.EphemeralStorage, true)
		if t.EphemeralStorage.IsZero() {
			d.complain(at, "a node without ephemeral storage runs no build", "write its size such as 120Gi, or remove the key")
		}
	}
	if t.GPU == nil {
		return
	}
	if at := path + ".gpu.type"; d.sound(at) && (t.GPU.Type == "" || len(validation.IsValidLabelValue(t.GPU.Type)) > 0) {
		d.complain(at, fmt.Sprintf("%s is no GPU type", quoted(t.GPU.Type)), "write the value of the node label aliyun.accelerator/nvidia_name, such as NVIDIA-A10")
	}
	if at := path + ".gpu.count"; d.sound(at) && t.GPU.Count < 1 {
		d.complain(at, fmt.Sprintf("count %d is no GPU", t.GPU.Count), "write 1 or more, or remove the key")
	}
}

// checkReserved looks at a quantity; bytes cannot be split, so that 1665m is a
// mistyped 1665Mi.
func (d *decoder) checkReserved(path string, q *resource.Quantity, bytes bool) {
	if !bytes || q == nil || !d.sound(path) {
		return
	}
	if whole := resource.NewQuantity(q.Value(), q.Format); whole.Cmp(*q) != 0 {
		d.complain(path, fmt.Sprintf("%s is no whole number of bytes", quoted(q.String())), "the suffix m is a thousandth; write Mi for mebibytes")
	}
}

func (d *decoder) checkOptions(path string, o Options) {
	for _, share := range []struct {
		key   string
		value *float64
	}{
		{"scaleDownUtilizationThreshold", o.ScaleDownUtilizationThreshold},
		{"scaleDownGPUUtilizationThreshold", o.ScaleDownGPUUtilizationThreshold},
	} {
		if at := path + "." + share.key; d.sound(at) && (*share.value < 0 || *share.value > 1) {
			d.complain(at, fmt.Sprintf("%v is no share", *share.value), "write a number from 0 to 1, such as 0.5")
		}
	}
	// cluster-autoscaler takes 0 literally: it would delete every instance that has
	// not joined yet, at once.
	if at := path + ".maxNodeProvisionTime"; d.sound(at) && *o.MaxNodeProvisionTime == 0 {
		d.complain(at, "no instance can join in no time", `write how long joining may take, such as "10m", or remove the key`)
	}
}

// checkClass holds the group against what its class asks for.
func (d *decoder) checkClass(path string, g Group, defaults Defaults) {
	if !d.sound(path + ".class") {
		return
	}
	gpu := path + ".template.gpu"
	switch {
	case g.Class == ClassGPU && !d.known(gpu) && !d.known("defaults.template.gpu"):
		d.complain(gpu, "a group of class gpu needs a GPU type", `write "gpu: {type: NVIDIA-A10}" under its template, or under defaults.template`)
	case g.Class != ClassGPU && d.known(gpu):
		d.complain(gpu, fmt.Sprintf("a group of class %s has no GPU", g.Class), "set the class to gpu, or remove it")
	}
	d.checkClassLabels(path, groupWithDefaults(g, defaults), g.Labels)
}

// known reports whether the file sets the field, rightly or wrongly.
func (d *decoder) known(path string) bool {
	_, ok := d.places[path]
	return ok
}

// sortedKeys makes reports independent of the order of a map.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
