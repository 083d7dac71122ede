// Package deploy reads what deploy/ gives to users, as objects for a cluster: what
// stands written there, and what the chart makes of values.
//
// It must not know a cluster.
package deploy

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/buildpool/buildpool/e2e/internal/objects"
)

// Dir is deploy/, seen from the module's root.
const Dir = "../deploy"

// checks is the module that renders the chart by Helm's own code.
const checks = Dir + "/checks"

// Files are the YAML files below a directory of deploy/, by their paths in it.
func Files(dir string) ([]string, error) {
	var files []string
	err := filepath.WalkDir(filepath.Join(Dir, dir), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if extension := filepath.Ext(path); !d.IsDir() && (extension == ".yaml" || extension == ".yml") {
			inside, err := filepath.Rel(Dir, path)
			if err != nil {
				return err
			}
			files = append(files, filepath.ToSlash(inside))
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list the files of deploy/%s: %w", dir, err)
	}
	return files, nil
}

// Read reads the objects of a file of deploy/.
func Read(file string) ([]objects.Object, error) { return objects.Read(filepath.Join(Dir, file)) }

// Renderings are the files with what the chart makes of each set of values that its
// own tests know. Those tests also see to it that the files are fresh.
func Renderings() ([]string, error) { return Files("checks/testdata/rendered") }

// Render makes the chart's objects of a file of values.
func Render(ctx context.Context, values, namespace string) ([]objects.Object, error) {
	path, err := filepath.Abs(values)
	if err != nil {
		return nil, fmt.Errorf("render the chart: %w", err)
	}
	return fromCommand(ctx, "./cmd/render", "-values", path, "-namespace", namespace)
}

// Definitions are the definitions of the custom resources that stand in deploy/, from
// the releases of those who define them.
func Definitions(ctx context.Context) ([]objects.Object, error) {
	return fromCommand(ctx, "./cmd/definitions")
}

func fromCommand(ctx context.Context, command string, args ...string) ([]objects.Object, error) {
	program := exec.CommandContext(ctx, "go", append([]string{"-C", checks, "run", command}, args...)...)
	var complaint bytes.Buffer
	program.Stderr = &complaint
	content, err := program.Output()
	if err != nil {
		return nil, fmt.Errorf("run %s of deploy/checks: %w: %s", command, err, complaint.Bytes())
	}
	return objects.Parse(content)
}

// jenkinsfile says where the pod template begins and ends in the Jenkinsfile.
const jenkinsfileBegin, jenkinsfileEnd = "yaml: '''\n", "'''"

// JenkinsfilePod is the pod template of the Jenkinsfile, with a name.
func JenkinsfilePod() (objects.Object, error) {
	const file = "examples/jenkins/Jenkinsfile"
	content, err := os.ReadFile(filepath.Join(Dir, file))
	if err != nil {
		return nil, fmt.Errorf("read the Jenkinsfile: %w", err)
	}
	_, template, begins := strings.Cut(string(content), jenkinsfileBegin)
	template, _, ends := strings.Cut(template, jenkinsfileEnd)
	if !begins || !ends {
		return nil, fmt.Errorf("read deploy/%s: no pod template between %q and %q", file, jenkinsfileBegin, jenkinsfileEnd)
	}
	read, err := objects.Parse([]byte(template))
	if err != nil {
		return nil, fmt.Errorf("read the pod template of deploy/%s: %w", file, err)
	}
	if len(read) != 1 {
		return nil, fmt.Errorf("read deploy/%s: its pod template is %d documents", file, len(read))
	}
	read[0].SetName("jenkinsfile")
	return read[0], nil
}
