// Package schema makes JSON schemas of what an apiserver knows: of its OpenAPI document
// for its own kinds, of a CustomResourceDefinition for others. An unknown field is an
// error in all of them, as with kubectl's strict validation.
package schema

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

const (
	definitionPrefix = "#/definitions/"
	kindsKey         = "x-kubernetes-group-version-kind"
)

// Definitions are the types of an OpenAPI v2 document by name.
type Definitions map[string]any

// Kept are the keys of a definition that say what is valid; the rest is prose.
var kept = []string{"$ref", "additionalProperties", "enum", "format", "items", "properties", "required", "type", kindsKey}

// Trim keeps of an apiserver's OpenAPI document what the kinds need, in the form
// "apps/v1 Deployment", and of each type what says what is valid.
func Trim(document []byte, kinds []string) (Definitions, error) {
	var all struct{ Definitions Definitions }
	if err := json.Unmarshal(document, &all); err != nil {
		return nil, fmt.Errorf("parse OpenAPI document: %w", err)
	}
	out := Definitions{}
	for _, kind := range kinds {
		name, ok := all.Definitions.find(kind)
		if !ok {
			return nil, fmt.Errorf("find kind %q: the apiserver does not know it", kind)
		}
		all.Definitions.collect(name, out)
	}
	return out, nil
}

// find returns the definition's name of a kind.
func (d Definitions) find(kind string) (string, bool) {
	for _, name := range slices.Sorted(maps.Keys(d)) {
		definition, _ := d[name].(map[string]any)
		list, _ := definition[kindsKey].([]any)
		for _, item := range list {
			k, _ := item.(map[string]any)
			if strings.TrimPrefix(fmt.Sprintf("%v/%v %v", k["group"], k["version"], k["kind"]), "/") == kind {
				return name, true
			}
		}
	}
	return "", false
}

func (d Definitions) collect(name string, out Definitions) {
	if _, done := out[name]; done {
		return
	}
	out[name] = trim(d[name])
	references(out[name], func(name string) { d.collect(name, out) })
}

// trim leaves prose out; below properties every key is a field's name and stays.
func trim(v any) any {
	object, ok := v.(map[string]any)
	if !ok {
		return v
	}
	out := map[string]any{}
	for _, key := range kept {
		value, ok := object[key]
		if !ok {
			continue
		}
		if properties, ok := value.(map[string]any); ok && key == "properties" {
			fields := map[string]any{}
			for name, field := range properties {
				fields[name] = trim(field)
			}
			out[key] = fields
			continue
		}
		out[key] = trim(value)
	}
	return out
}

func references(v any, each func(name string)) {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			if target, ok := value.(string); ok && key == "$ref" {
				each(strings.TrimPrefix(target, definitionPrefix))
			}
			references(value, each)
		}
	case []any:
		for _, value := range v {
			references(value, each)
		}
	}
}

// loose are types that JSON writes in more ways than OpenAPI v2 can say.
var loose = map[string]any{
	"io.k8s.apimachinery.pkg.api.resource.Quantity":   map[string]any{"type": []any{"string", "number"}},
	"io.k8s.apimachinery.pkg.util.intstr.IntOrString": map[string]any{"type": []any{"string", "integer"}},
}

// Of returns the JSON schema of a kind, complete in itself.
func (d Definitions) Of(kind string) (map[string]any, error) {
	name, ok := d.find(kind)
	if !ok {
		return nil, fmt.Errorf("find schema of %q: it is not among the committed ones", kind)
	}
	strictOnes := map[string]any{}
	for name, definition := range d {
		strictOnes[name] = strict(definition)
		if l, ok := loose[name]; ok {
			strictOnes[name] = l
		}
	}
	return map[string]any{"$ref": definitionPrefix + name, "definitions": strictOnes}, nil
}

// OfCustom returns the JSON schema of a version of a CustomResourceDefinition.
func OfCustom(version map[string]any) (map[string]any, error) {
	wrapped, _ := version["schema"].(map[string]any)
	s, ok := wrapped["openAPIV3Schema"].(map[string]any)
	if !ok {
		return nil, fmt.Errorf("read custom resource's version %v: it has no schema", version["name"])
	}
	out, _ := strict(s).(map[string]any)
	if properties, ok := out["properties"].(map[string]any); ok {
		properties["metadata"] = map[string]any{"type": "object"}
		properties["apiVersion"] = map[string]any{"type": "string"}
		properties["kind"] = map[string]any{"type": "string"}
	}
	return out, nil
}

// strict forbids fields that a type does not name, unless it says that it keeps them.
func strict(v any) any {
	switch v := v.(type) {
	case map[string]any:
		if v["x-kubernetes-int-or-string"] == true {
			return map[string]any{"type": []any{"string", "integer"}}
		}
		out := map[string]any{}
		for key, value := range v {
			if !strings.HasPrefix(key, "x-kubernetes-") && key != "description" || isFields(v) {
				out[key] = strict(value)
			}
		}
		properties, isObject := v["properties"].(map[string]any)
		_, open := v["additionalProperties"]
		if isObject && len(properties) > 0 && !open && v["x-kubernetes-preserve-unknown-fields"] != true && !isFields(v) {
			out["additionalProperties"] = false
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = strict(item)
		}
		return out
	}
	return v
}

// isFields reports whether a map is a list of fields rather than a schema: a field may
// be called description or properties.
func isFields(v map[string]any) bool {
	for _, value := range v {
		if _, ok := value.(map[string]any); !ok {
			return false
		}
	}
	_, hasType := v["type"].(string)
	return len(v) > 0 && !hasType
}
