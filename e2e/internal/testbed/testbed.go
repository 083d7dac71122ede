// Package testbed runs a real Kubernetes control plane on 127.0.0.1: etcd,
// kube-apiserver with its aggregation layer, kube-scheduler,
// kube-controller-manager, and kwok in the place of kubelets.
//
// It must not know cluster-autoscaler, buildpool or any test.
package testbed

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/buildpool/buildpool/e2e/internal/binaries"
	"github.com/buildpool/buildpool/e2e/internal/objects"
	"github.com/buildpool/buildpool/e2e/internal/process"
)

// ControlPlane is a running control plane.
type ControlPlane struct {
	// Kubeconfig is the path of an administrator's kubeconfig.
	Kubeconfig string
	// Server is the API server's URL.
	Server  string
	Client  kubernetes.Interface
	Dynamic dynamic.Interface
	// Objects applies what stands in files.
	Objects *objects.Applier
	// Keys signs certificates that the API server's aggregation layer trusts.
	Keys *Keys

	programs  binaries.Set
	dir       string
	etcd      string // its client URL
	processes []*process.Process
}

const token = "e2e-administrator"

// startTimeout bounds the start of one program: seconds on an idle machine.
const startTimeout = time.Minute

// Start starts everything in order and waits for each part to be ready. State and
// logs go into dir, which must be new: etcd's files fit one version only. On an
// error it stops what it started.
func Start(ctx context.Context, programs binaries.Set, dir string) (*ControlPlane, error) {
	c := &ControlPlane{programs: programs, dir: dir}
	steps := []func(context.Context) error{
		c.makeKeys,
		c.startEtcd,
		c.startAPIServer,
		c.connect,
		c.startScheduler,
		c.startControllerManager, // makes the default service accounts, removes the not-ready taint
		c.startKwok,
		c.awaitServiceAccounts,
	}
	for _, step := range steps {
		stepCtx, cancel := context.WithTimeout(ctx, startTimeout)
		err := step(stepCtx)
		cancel()
		if err != nil {
			c.Stop()
			return nil, fmt.Errorf("start control plane: %w", err)
		}
	}
	return c, nil
}

// Stop ends every program, the API server's clients before the API server.
func (c *ControlPlane) Stop() {
	for i := len(c.processes) - 1; i >= 0; i-- {
		c.processes[i].Stop(2 * time.Second)
	}
}

// Check returns an error that names the programs that have ended by themselves.
func (c *ControlPlane) Check() error {
	var errs []error
	for _, p := range c.processes {
		if !p.Running() {
			errs = append(errs, fmt.Errorf("%s has ended, see %s", p.Name(), p.LogPath()))
		}
	}
	return errors.Join(errs...)
}

func (c *ControlPlane) start(name, path string, args ...string) (*process.Process, error) {
	p, err := process.Start(process.Spec{Name: name, Path: path, Args: args, LogDir: c.dir})
	if err != nil {
		return nil, err
	}
	c.processes = append(c.processes, p)
	return p, nil
}

func (c *ControlPlane) path(name string) string { return filepath.Join(c.dir, name) }

// connect writes the kubeconfig and makes the clients of the tests.
func (c *ControlPlane) connect(context.Context) error {
	c.Kubeconfig = c.path("kubeconfig")
	if err := os.WriteFile(c.Kubeconfig, kubeconfig(c.Server), 0o600); err != nil {
		return fmt.Errorf("write kubeconfig: %w", err)
	}
	config := &rest.Config{
		Host:            c.Server,
		BearerToken:     token,
		TLSClientConfig: rest.TLSClientConfig{Insecure: true}, // a self-signed certificate on loopback
		QPS:             500,
		Burst:           1000,
		WarningHandler:  rest.NoWarnings{}, // what matters is an error
	}
	var err error
	if c.Client, err = kubernetes.NewForConfig(config); err != nil {
		return fmt.Errorf("make client: %w", err)
	}
	if c.Dynamic, err = dynamic.NewForConfig(config); err != nil {
		return fmt.Errorf("make dynamic client: %w", err)
	}
	c.Objects = objects.NewApplier(c.Client.Discovery(), c.Dynamic)
	return nil
}

func kubeconfig(server string) []byte {
	return fmt.Appendf(nil, `apiVersion: v1
kind: Config
current-context: e2e
contexts: [{name: e2e, context: {cluster: e2e, user: e2e}}]
clusters: [{name: e2e, cluster: {server: %q, insecure-skip-tls-verify: true}}]
users: [{name: e2e, user: {token: %q}}]
`, server, token)
}
