// Package kubelet does for a pod what a kubelet does, with processes of this machine
// in the place of containers: it writes the pod's volumes to files, reads its
// environment from the cluster, and runs a program with a container's arguments.
//
// There is one file system and one network for all, so a path below a mount and a port
// of the container are given what stands for them here, in the arguments and in the
// files of ConfigMaps. A container that has a service account's token reaches the
// cluster by a kubeconfig with it, which takes the place of the in-cluster one.
//
// It must not know what the programs are.
package kubelet

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/buildpool/buildpool/e2e/internal/process"
)

// tokenMount is where every Kubernetes client looks for its service account.
const tokenMount = "/var/run/secrets/kubernetes.io/serviceaccount"

// Cluster is the cluster whose pods are run.
type Cluster struct {
	Client kubernetes.Interface
	// Server is the API server's URL.
	Server string
}

// Pod is a pod whose volumes have been written.
type Pod struct {
	Name string

	cluster Cluster
	pod     *corev1.Pod
	dir     string
	ports   map[string]string // addresses here by the ports' names
}

// Prepare writes the pod's volumes below a directory and finds ports for its containers.
func Prepare(ctx context.Context, cluster Cluster, pod *corev1.Pod, dir string) (*Pod, error) {
	p := &Pod{Name: pod.Name, cluster: cluster, pod: pod, dir: dir, ports: map[string]string{}}
	for _, volume := range pod.Spec.Volumes {
		if err := p.write(ctx, volume); err != nil {
			return nil, fmt.Errorf("prepare pod %s: volume %s: %w", pod.Name, volume.Name, err)
		}
	}
	for _, c := range pod.Spec.Containers {
		for _, port := range c.Ports {
			address, err := process.FreeAddress()
			if err != nil {
				return nil, fmt.Errorf("prepare pod %s: %w", pod.Name, err)
			}
			p.ports[port.Name] = address
		}
	}
	return p, nil
}

// Address is where the port of this name is here; empty if no container has it.
func (p *Pod) Address(port string) string { return p.ports[port] }

// Run starts a program as the container of this name. More arguments are added to its
// own, and more environment.
func (p *Pod) Run(ctx context.Context, name, program string, args, env []string) (*process.Process, error) {
	i := slices.IndexFunc(p.pod.Spec.Containers, func(c corev1.Container) bool { return c.Name == name })
	if i < 0 {
		return nil, fmt.Errorf("run container %s of pod %s: there is none", name, p.Name)
	}
	c := p.pod.Spec.Containers[i]
	own, err := p.environment(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("run container %s of pod %s: %w", name, p.Name, err)
	}
	var given []string
	for _, arg := range c.Args {
		given = append(given, p.here(p.listen(c, arg)))
	}
	for _, mount := range c.VolumeMounts {
		if mount.MountPath == tokenMount {
			given = append(given, "--kubeconfig="+p.kubeconfig(mount.Name))
		}
	}
	return process.Start(process.Spec{
		Name: name, Path: program, LogDir: p.dir,
		Args: slices.Concat(given, args), Env: slices.Concat(own, env),
	})
}

var listening = regexp.MustCompile(`^(--[a-z-]+=)(?:0\.0\.0\.0)?:(\d+)$`)

// listen replaces the port of an argument by which a container listens on all addresses.
func (p *Pod) listen(c corev1.Container, arg string) string {
	found := listening.FindStringSubmatch(arg)
	if found == nil {
		return arg
	}
	for _, port := range c.Ports {
		if strconv.Itoa(int(port.ContainerPort)) == found[2] {
			return found[1] + p.ports[port.Name]
		}
	}
	return arg
}

// here replaces the paths of mounts, wherever they stand in a text.
func (p *Pod) here(text string) string {
	for _, c := range p.pod.Spec.Containers {
		for _, mount := range c.VolumeMounts {
			text = strings.ReplaceAll(text, mount.MountPath+"/", p.path(mount.Name)+"/")
		}
	}
	return text
}

// path is where a volume, or a file in it, is here.
func (p *Pod) path(volume string, inside ...string) string {
	return filepath.Join(append([]string{p.dir, volume}, inside...)...)
}

// kubeconfig is the file by which the token in a volume is used.
func (p *Pod) kubeconfig(volume string) string { return p.path(volume, "kubeconfig") }

func (p *Pod) writeKubeconfig(volume string) error {
	content := fmt.Appendf(nil, `apiVersion: v1
kind: Config
current-context: pod
contexts: [{name: pod, context: {cluster: pod, user: pod}}]
clusters: [{name: pod, cluster: {server: %q, certificate-authority: %q}}]
users: [{name: pod, user: {tokenFile: %q}}]
`, p.cluster.Server, p.path(volume, "ca.crt"), p.path(volume, "token"))
	if err := os.WriteFile(p.kubeconfig(volume), content, 0o600); err != nil {
		return fmt.Errorf("write kubeconfig: %w", err)
	}
	return nil
}
