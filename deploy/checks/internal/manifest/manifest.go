// Package manifest reads Kubernetes objects from YAML and finds the pods in them.
//
// It must not know the chart or any CI system.
package manifest

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	corev1 "k8s.io/api/core/v1"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

// Object is one Kubernetes object.
type Object map[string]any

// Kind says what it is; empty if it does not.
func (o Object) Kind() string { return text(o["kind"]) }

// Name is its name; empty if it has none.
func (o Object) Name() string { return text(o.At("metadata", "name")) }

// String names the object in messages.
func (o Object) String() string { return o.Kind() + "/" + o.Name() }

// At returns the value below the keys, nil if there is none.
func (o Object) At(keys ...string) any {
	var at any = map[string]any(o)
	for _, key := range keys {
		inside, ok := at.(map[string]any)
		if !ok {
			return nil
		}
		at = inside[key]
	}
	return at
}

// Read reads the objects of a file.
func Read(path string) ([]Object, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read manifest: %w", err)
	}
	objects, err := Parse(content)
	if err != nil {
		return nil, fmt.Errorf("read manifest %s: %w", path, err)
	}
	return objects, nil
}

// Parse reads the documents of a YAML stream; empty ones are left out. A key that
// stands twice is an error.
func Parse(content []byte) ([]Object, error) {
	var objects []Object
	documents := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(content)))
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return objects, nil
		}
		if err != nil {
			return nil, fmt.Errorf("split documents: %w", err)
		}
		var o Object
		if err := yaml.UnmarshalStrict(document, &o); err != nil {
			return nil, fmt.Errorf("parse document %d: %w", len(objects)+1, err)
		}
		if len(o) > 0 {
			objects = append(objects, o)
		}
	}
}

// As decodes a value of the object strictly: an unknown field is an error.
func As[T any](value any) (T, error) {
	var out T
	content, err := yaml.Marshal(value)
	if err != nil {
		return out, fmt.Errorf("encode value: %w", err)
	}
	if err := yaml.UnmarshalStrict(content, &out); err != nil {
		return out, fmt.Errorf("decode %T: %w", out, err)
	}
	return out, nil
}

// podPaths are where the kinds of Kubernetes itself keep a pod template.
var podPaths = map[string][]string{
	"Pod":         {},
	"Deployment":  {"spec", "template"},
	"StatefulSet": {"spec", "template"},
	"DaemonSet":   {"spec", "template"},
	"Job":         {"spec", "template"},
	"CronJob":     {"spec", "jobTemplate", "spec", "template"},
}

// Pod returns the pod that the object is or makes; false if it makes none.
func (o Object) Pod() (corev1.PodTemplateSpec, bool, error) {
	path, ok := podPaths[o.Kind()]
	if !ok {
		return corev1.PodTemplateSpec{}, false, nil
	}
	template, ok := o.At(path...).(map[string]any)
	if !ok {
		return corev1.PodTemplateSpec{}, false, fmt.Errorf("%s has no pod template", o)
	}
	pod, err := As[corev1.PodTemplateSpec](map[string]any{"metadata": template["metadata"], "spec": template["spec"]})
	if err != nil {
		return pod, false, fmt.Errorf("pod of %s: %w", o, err)
	}
	return pod, true, nil
}

func text(v any) string {
	s, _ := v.(string)
	return s
}

// ReadLines reads a list: a line each, without empty ones and comments (#).
func ReadLines(path string) ([]string, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read list: %w", err)
	}
	var lines []string
	for line := range strings.Lines(string(content)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			lines = append(lines, line)
		}
	}
	return lines, nil
}
