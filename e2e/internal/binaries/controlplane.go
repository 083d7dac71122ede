// Package binaries builds the programs that the end-to-end tests run: the
// Kubernetes control plane, kwok and cluster-autoscaler of several releases from
// pinned modules, kept in a cache outside the tree, and what the tree itself holds,
// at every run.
//
// It must not know how the programs are started.
package binaries

import (
	"context"
	"io"
	"path/filepath"
)

// Set is where each program lies.
type Set struct {
	Etcd, APIServer, Scheduler, ControllerManager, Kwok, Autoscaler string
}

// ControlPlane returns the programs of the module in moduleDir, built on first use:
// about seven minutes on two cores when nothing is cached.
func ControlPlane(ctx context.Context, moduleDir string, progress io.Writer) (Set, error) {
	m := module{name: "the control plane", dir: moduleDir, programs: []string{
		"server", // etcd
		"kube-apiserver", "kube-scheduler", "kube-controller-manager", "kwok", autoscaler,
	}}
	dir, err := m.built(ctx, progress)
	if err != nil {
		return Set{}, err
	}
	return Set{
		Etcd:              filepath.Join(dir, "server"),
		APIServer:         filepath.Join(dir, "kube-apiserver"),
		Scheduler:         filepath.Join(dir, "kube-scheduler"),
		ControllerManager: filepath.Join(dir, "kube-controller-manager"),
		Kwok:              filepath.Join(dir, "kwok"),
		Autoscaler:        filepath.Join(dir, autoscaler),
	}, nil
}

const autoscaler = "cluster-autoscaler"

// Autoscaler returns the cluster-autoscaler of the module in moduleDir, built on
// first use: one and a half to two and a half minutes on two cores.
func Autoscaler(ctx context.Context, moduleDir string, progress io.Writer) (string, error) {
	m := module{
		name: autoscaler + " " + filepath.Base(moduleDir), dir: moduleDir,
		programs: []string{autoscaler},
	}
	dir, err := m.built(ctx, progress)
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, autoscaler), nil
}
