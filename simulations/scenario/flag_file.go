package scenario

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// ErrNoAutoscaler is returned for a manifest without a container that is started with
// flags of cluster-autoscaler.
var ErrNoAutoscaler = errors.New("no container is started as cluster-autoscaler")

// FlagsOf finds the arguments in a file: a Kubernetes manifest one of whose containers
// runs cluster-autoscaler, or a plain text of flags with # before comments. It returns
// ErrNoAutoscaler, or an error that tells why the manifest cannot be read.
func FlagsOf(data []byte) ([]string, error) {
	reader := yaml.NewDecoder(bytes.NewReader(data))
	manifest := false
	for {
		var doc any
		err := reader.Decode(&doc)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			if manifest {
				return nil, fmt.Errorf("read manifest: %w", err)
			}
			return plainFlags(data), nil
		}
		if _, object := doc.(map[string]any); !object {
			continue
		}
		manifest = true
		if args := autoscalerArgs(doc); args != nil {
			return args, nil
		}
	}
	if manifest {
		return nil, ErrNoAutoscaler
	}
	return plainFlags(data), nil
}

func plainFlags(data []byte) []string {
	var args []string
	for line := range strings.Lines(string(data)) {
		line, _, _ = strings.Cut(line, "#")
		args = append(args, strings.Fields(strings.TrimSuffix(strings.TrimSpace(line), `\`))...)
	}
	return args
}

// autoscalerArgs looks for the container anywhere in the object, so that Deployments,
// Pods and Lists will do.
func autoscalerArgs(value any) []string {
	switch v := value.(type) {
	case []any:
		for _, item := range v {
			if args := autoscalerArgs(item); args != nil {
				return args
			}
		}
	case map[string]any:
		if args := slices.Concat(texts(v["command"]), texts(v["args"])); isAutoscaler(v, args) {
			return args
		}
		keys := make([]string, 0, len(v))
		for k := range v {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		for _, k := range keys {
			if args := autoscalerArgs(v[k]); args != nil {
				return args
			}
		}
	}
	return nil
}

// isAutoscaler reports whether a container is cluster-autoscaler's: by its name, image
// or program, and because it has flags that it knows.
func isAutoscaler(container map[string]any, args []string) bool {
	const program = "cluster-autoscaler"
	name, _ := container["name"].(string)
	image, _ := container["image"].(string)
	named := strings.Contains(name, program) || strings.Contains(image, program) ||
		slices.ContainsFunc(args, func(a string) bool { return strings.HasSuffix(a, program) })
	return named && slices.ContainsFunc(args, func(a string) bool { return strings.HasPrefix(a, "-") })
}

func texts(value any) []string {
	list, _ := value.([]any)
	var out []string
	for _, item := range list {
		if s, ok := item.(string); ok {
			out = append(out, s)
		}
	}
	return out
}
