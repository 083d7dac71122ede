// Package objects reads Kubernetes objects from YAML and applies them to a cluster as
// kubectl does.
//
// It must not know what the objects are for.
package objects

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

// Object is one Kubernetes object.
type Object = *unstructured.Unstructured

// Read reads the objects of a file.
func Read(path string) ([]Object, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read objects: %w", err)
	}
	read, err := Parse(content)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return read, nil
}

// Parse reads the documents of a YAML stream that are objects; empty ones are left
// out, and a document without kind or apiVersion is an error.
func Parse(content []byte) ([]Object, error) {
	var read []Object
	documents := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(content)))
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return read, nil
		}
		if err != nil {
			return nil, fmt.Errorf("split documents: %w", err)
		}
		var fields map[string]any
		if err := yaml.UnmarshalStrict(document, &fields); err != nil {
			return nil, fmt.Errorf("parse document %d: %w", len(read)+1, err)
		}
		if len(fields) == 0 {
			continue
		}
		object := &unstructured.Unstructured{Object: fields}
		if object.GetKind() == "" || object.GetAPIVersion() == "" {
			return nil, fmt.Errorf("parse document %d: it says no kind or no apiVersion", len(read)+1)
		}
		read = append(read, object)
	}
}

// Find returns the object of this kind and name.
func Find(among []Object, kind, name string) (Object, error) {
	for _, o := range among {
		if o.GetKind() == kind && o.GetName() == name {
			return o, nil
		}
	}
	return nil, fmt.Errorf("find %s %s: it is not there", kind, name)
}

// As decodes an object; a field that the type does not have is an error.
func As[T any](o Object) (T, error) {
	var typed T
	if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(o.Object, &typed, true); err != nil {
		return typed, fmt.Errorf("decode %s: %w", Name(o), err)
	}
	return typed, nil
}

// Name says in messages which object it is.
func Name(o Object) string {
	if o.GetNamespace() == "" {
		return o.GetKind() + " " + o.GetName()
	}
	return o.GetKind() + " " + o.GetNamespace() + "/" + o.GetName()
}
