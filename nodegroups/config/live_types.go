package config

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/buildpool/buildpool/cloudprovider"
)

// typeEntry is what the account said of an instance type.
type typeEntry struct {
	shape cloudprovider.InstanceType
	known bool
}

// compareTypes holds the instance types that the group can get against its template.
func (s *subject) compareTypes(ctx context.Context, live cloudprovider.ScalingGroup, launch cloudprovider.Launch) error {
	names := launch.InstanceTypes
	if len(live.InstanceTypes) > 0 {
		names = live.InstanceTypes
	}
	if len(names) == 0 {
		s.fail("scalingGroup", launch.Source+" names no instance type", "add an instance type to it")
		return nil
	}
	chosen := s.group.Template.InstanceType
	if chosen != "" && !slices.Contains(names, chosen) {
		s.fail("template.instanceType", fmt.Sprintf("%s makes no %s, but %s", launch.Source, chosen, strings.Join(names, ", ")), "name one of these, or remove the key")
		chosen = ""
	}
	if err := s.readTypes(ctx, names); err != nil {
		return err
	}
	var shapes []cloudprovider.InstanceType
	for _, name := range names {
		if !s.types[name].known {
			s.fail("scalingGroup", fmt.Sprintf("%s names the instance type %s, which is unknown in %s", launch.Source, name, s.cfg.Region), "correct the instance type there")
			continue
		}
		shapes = append(shapes, s.types[name].shape)
	}
	if len(shapes) > 0 {
		s.compareShapes(shapes, chosen)
		s.compareGPUs(shapes)
	}
	return nil
}

// readTypes reads the types that no other group had. A batch with an unknown type
// fails as a whole, and is then read one by one.
func (c *comparison) readTypes(ctx context.Context, names []string) error {
	var fresh []string
	for _, name := range names {
		if _, read := c.types[name]; !read && !slices.Contains(fresh, name) {
			fresh = append(fresh, name)
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	found, err := c.cloud.InstanceTypes(ctx, fresh)
	switch {
	case err == nil:
		for _, t := range found {
			c.types[t.Name] = typeEntry{shape: t, known: true}
		}
		return nil
	case !errors.Is(err, cloudprovider.ErrNoTemplate):
		return fmt.Errorf("read instance types: %w", err)
	case len(fresh) == 1:
		c.types[fresh[0]] = typeEntry{}
		return nil
	}
	for _, name := range fresh {
		if err := c.readTypes(ctx, []string{name}); err != nil {
			return err
		}
	}
	return nil
}

// compareShapes looks at a group whose nodes are not all alike: cluster-autoscaler
// plans with one template.
func (s *subject) compareShapes(shapes []cloudprovider.InstanceType, chosen string) {
	smallest := slices.MinFunc(shapes, bySize)
	for _, t := range shapes {
		if t.Arch != smallest.Arch {
			s.fail("scalingGroup", fmt.Sprintf("the group mixes architectures: %s is %s, %s is %s", smallest.Name, smallest.Arch, t.Name, t.Arch), "make a group for each architecture")
			break
		}
	}
	template := smallest
	for _, t := range shapes {
		if t.Name == chosen {
			template = t
		}
	}
	if larger(template, smallest) {
		s.warn("template.instanceType", fmt.Sprintf("the group may get %s, which is smaller than the template %s: builds planned for it may not fit", smallest.Name, template.Name), fmt.Sprintf("set it to %s, or take the smaller type out of the group", smallest.Name))
		return
	}
	if chosen == "" && slices.ContainsFunc(shapes, func(t cloudprovider.InstanceType) bool { return !sameSize(t, smallest) }) {
		s.warn("template.instanceType", fmt.Sprintf("the group's instance types differ in size; the smallest, %s, is the template", smallest.Name), "keep types of one size in a group, or name the template's type")
	}
}

// bySize orders by CPUs, then memory, then GPUs, then name.
func bySize(a, b cloudprovider.InstanceType) int {
	return cmp.Or(cmp.Compare(a.CPUs, b.CPUs), cmp.Compare(a.MemoryGiB, b.MemoryGiB), cmp.Compare(a.GPUs, b.GPUs), cmp.Compare(a.Name, b.Name))
}

func sameSize(a, b cloudprovider.InstanceType) bool {
	return a.CPUs == b.CPUs && a.MemoryGiB == b.MemoryGiB && a.GPUs == b.GPUs
}

// larger reports whether a has more of anything than b.
func larger(a, b cloudprovider.InstanceType) bool {
	return a.CPUs > b.CPUs || a.MemoryGiB > b.MemoryGiB || a.GPUs > b.GPUs
}

func (s *subject) compareGPUs(shapes []cloudprovider.InstanceType) {
	for _, t := range shapes {
		switch {
		case s.group.Class != ClassGPU && t.GPUs > 0:
			s.warn("class", fmt.Sprintf("instance type %s has %d GPUs, which class %s does not offer", t.Name, t.GPUs, s.group.Class), "set the class to gpu, or take the type out of the group")
		case s.group.Class != ClassGPU:
		case t.GPUs == 0:
			s.fail("class", fmt.Sprintf("class is gpu, but instance type %s has no GPU", t.Name), "take the type out of the scaling group, or change the class")
		default:
			s.compareGPU(t)
		}
	}
}

func (s *subject) compareGPU(t cloudprovider.InstanceType) {
	gpu := s.group.Template.GPU
	if gpu == nil {
		return
	}
	if gpu.Count != 0 && gpu.Count != t.GPUs {
		s.fail("template.gpu.count", fmt.Sprintf("instance type %s has %d GPUs, the file says %d", t.Name, t.GPUs, gpu.Count), "correct the count, or remove it to take the type's")
	}
	if !namesModel(gpu.Type, t.GPUModel) {
		s.warn("template.gpu.type", fmt.Sprintf("instance type %s has %q, the file says %q", t.Name, t.GPUModel, gpu.Type), "check the label "+cloudprovider.LabelGPU+" of a running node")
	}
}

// namesModel reports whether a label such as Tesla-V100-SXM2-16GB can stand for the
// cloud's name of the GPU, such as "NVIDIA V100". The words differ; the model,
// which is the last one, stands in both.
func namesModel(label, model string) bool {
	words := strings.Fields(model)
	if len(words) == 0 {
		return true
	}
	last := words[len(words)-1]
	return slices.ContainsFunc(strings.FieldsFunc(label, func(r rune) bool { return r == '-' || r == '_' || r == '.' }), func(word string) bool {
		return strings.EqualFold(word, last)
	}) || strings.EqualFold(label, strings.Join(words, "-"))
}
