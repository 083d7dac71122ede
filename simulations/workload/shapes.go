package workload

import (
	"encoding/binary"
	"maps"
	"slices"
	"strings"
)

// shapes interns shapes: builds that have all in common share one.
type shapes struct {
	list  []Shape
	known map[string]int32
	key   []byte
}

func newShapes() *shapes { return &shapes{known: map[string]int32{}} }

// index returns the shape's index in the list. The shape becomes the list's.
func (s *shapes) index(shape Shape) int32 {
	slices.Sort(shape.Classes)
	shape.Classes = slices.Compact(shape.Classes)
	if len(shape.Labels) == 0 {
		shape.Labels = nil
	}
	s.key = appendKey(s.key[:0], shape)
	if i, ok := s.known[string(s.key)]; ok {
		return i
	}
	i := int32(len(s.list))
	s.list = append(s.list, shape)
	s.known[string(s.key)] = i
	return i
}

// appendKey appends what tells the shape from every other: each text with its length
// before it, so that no two shapes run together.
func appendKey(key []byte, shape Shape) []byte {
	text := func(s string) {
		key = binary.AppendUvarint(key, uint64(len(s)))
		key = append(key, s...)
	}
	text(shape.Job)
	text(shape.Image)
	text(classText(shape.Classes))
	key = binary.AppendVarint(key, shape.MilliCPU)
	key = binary.AppendVarint(key, shape.MemoryBytes)
	key = binary.AppendVarint(key, shape.GPUs)
	for _, k := range slices.Sorted(maps.Keys(shape.Labels)) {
		text(k)
		text(shape.Labels[k])
	}
	return key
}

// classText is how our formats write the classes that would do.
func classText(classes []string) string { return strings.Join(classes, "|") }

// labelText is how our formats write node labels, in order of their keys.
func labelText(labels map[string]string) string {
	var b strings.Builder
	for i, k := range slices.Sorted(maps.Keys(labels)) {
		if i > 0 {
			b.WriteByte(';')
		}
		b.WriteString(k + "=" + labels[k])
	}
	return b.String()
}
