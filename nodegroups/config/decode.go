package config

import (
	"fmt"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/api/resource"
)

// decoder fills a Config from YAML nodes and remembers where each field stands, so
// that what is found wrong later can be reported with its line.
type decoder struct {
	file string
	// kind is the file's only kind.
	kind     string
	problems Errors
	// places are the fields that the file sets, by path.
	places map[string]place
	// secrets are values that must not be repeated in a problem.
	secrets map[string]bool
	// merging are the mappings whose merge keys are being followed.
	merging map[*yaml.Node]bool
	// visited counts the pairs read, to bound what anchors can expand to.
	visited int
}

// place is where a field's value stands.
type place struct {
	line, column int
	// broken: a problem of the value was reported, so that its content means nothing.
	broken bool
}

func newDecoder(file string) *decoder {
	return &decoder{
		file:    file,
		kind:    Kind,
		places:  map[string]place{},
		secrets: map[string]bool{},
		merging: map[*yaml.Node]bool{},
	}
}

func reflectTarget(cfg *Config) reflect.Value { return reflect.ValueOf(cfg).Elem() }

func (d *decoder) report(line, column int, field, message, fix string) {
	d.problems = append(d.problems, Problem{
		File: d.file, Line: max(line, 1), Column: max(column, 1),
		Field: field, Message: message, Fix: fix,
	})
}

// reject reports a problem of the value at path and marks it broken.
func (d *decoder) reject(n *yaml.Node, path, message, fix string) {
	d.report(n.Line, n.Column, path, message, fix)
	d.places[path] = place{line: n.Line, column: n.Column, broken: true}
}

var (
	durationType = reflect.TypeFor[Duration]()
	quantityType = reflect.TypeFor[resource.Quantity]()
)

// value decodes a node into v, whose type says what is wanted.
func (d *decoder) value(n *yaml.Node, path string, v reflect.Value) {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	d.places[path] = place{line: n.Line, column: n.Column}
	switch {
	case v.Type() == durationType:
		d.duration(n, path, v)
		return
	case v.Type() == quantityType:
		d.quantity(n, path, v)
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		d.value(n, path, v.Elem())
	case reflect.Struct:
		d.object(n, path, v)
	case reflect.Map:
		d.stringMap(n, path, v)
	case reflect.Slice:
		d.list(n, path, v)
	case reflect.String:
		d.text(n, path, v)
	case reflect.Int:
		d.integer(n, path, v)
	case reflect.Float64:
		d.number(n, path, v)
	case reflect.Bool:
		d.boolean(n, path, v)
	default:
		// Only a new field of a new kind in Config can lead here; every kind in use
		// is covered by a test that walks the type.
		d.reject(n, path, "cannot be read", "report this as a defect of buildpool")
	}
}

// object decodes a mapping into a struct: unknown keys and missing required ones
// are problems.
func (d *decoder) object(n *yaml.Node, path string, v reflect.Value) {
	if n.Kind != yaml.MappingNode {
		d.wrongType(n, path, "a mapping of keys to values", "")
		return
	}
	fields := fieldsOf(v.Type())
	seen := map[string]bool{}
	for _, p := range d.pairs(n, path) {
		f, known := fields.find(p.name)
		if !known {
			d.unknownKey(p, path, fields)
			continue
		}
		seen[p.name] = true
		d.value(p.value, join(path, p.name), v.Field(f.index))
	}
	for _, f := range fields {
		if f.required && !seen[f.key] {
			d.report(n.Line, n.Column, join(path, f.key), "is missing", missingFix(f))
		}
	}
}

func (d *decoder) list(n *yaml.Node, path string, v reflect.Value) {
	if n.Kind != yaml.SequenceNode {
		d.wrongType(n, path, "a list", `start each item with "- "`)
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content)))
	for i, item := range n.Content {
		d.value(item, itemPath(path, i), v.Index(i))
	}
}

func (d *decoder) stringMap(n *yaml.Node, path string, v reflect.Value) {
	if n.Kind != yaml.MappingNode {
		d.wrongType(n, path, "a mapping of keys to values", "")
		return
	}
	m := map[string]string{}
	for _, p := range d.pairs(n, path) {
		var s string
		at := entry(path, p.name)
		d.value(p.value, at, reflect.ValueOf(&s).Elem())
		m[p.name] = s
	}
	v.Set(reflect.ValueOf(m))
}

// field is a key of a struct as the file spells it.
type field struct {
	key      string
	index    int
	required bool
	typ      reflect.Type
}

type fields []field

// fieldsOf reads the JSON tags, which also make the schema: a field without
// omitempty is required.
func fieldsOf(t reflect.Type) fields {
	var fs fields
	for i := range t.NumField() {
		key, options, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		fs = append(fs, field{key: key, index: i, required: !strings.HasPrefix(options, "omitempty"), typ: t.Field(i).Type})
	}
	return fs
}

func (fs fields) find(key string) (field, bool) {
	for _, f := range fs {
		if f.key == key {
			return f, true
		}
	}
	return field{}, false
}

func (fs fields) keys() []string {
	keys := make([]string, len(fs))
	for i, f := range fs {
		keys[i] = f.key
	}
	return keys
}

// join is the path of a struct's field.
func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// itemPath is the path of a list's item.
func itemPath(path string, i int) string { return fmt.Sprintf("%s[%d]", path, i) }

// entry is the path of a map's value: its key may hold dots.
func entry(path, key string) string { return path + "[" + printable(key) + "]" }
