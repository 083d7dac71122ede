package testbed

import (
	"context"
	"crypto/tls"
	_ "embed"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/buildpool/buildpool/e2e/internal/process"
	"github.com/buildpool/buildpool/e2e/internal/wait"
)

//go:embed stages.yaml
var stages []byte

// insecureClient probes servers that signed their own certificates.
var insecureClient = &http.Client{
	Timeout:   5 * time.Second,
	Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}},
}

func (c *ControlPlane) startScheduler(ctx context.Context) error {
	return c.startController(ctx, "kube-scheduler", c.programs.Scheduler)
}

// startControllerManager starts every controller. The horizontal pod autoscaler
// decides every two seconds and forgets fast: its tests last seconds, not hours.
func (c *ControlPlane) startControllerManager(ctx context.Context) error {
	return c.startController(ctx, "kube-controller-manager", c.programs.ControllerManager,
		"--service-account-private-key-file="+c.Keys.serviceAccountFile,
		"--root-ca-file="+c.path("apiserver-certificates/apiserver.crt"), // pods trust it
		"--allocate-node-cidrs=false",
		"--node-monitor-grace-period=60s",
		"--kube-api-qps=500", "--kube-api-burst=1000", // with 20, a thousand nodes are not ready for minutes
		"--horizontal-pod-autoscaler-sync-period=2s",
		"--horizontal-pod-autoscaler-downscale-stabilization=5s",
		"--horizontal-pod-autoscaler-cpu-initialization-period=1s",
		"--horizontal-pod-autoscaler-initial-readiness-delay=1s",
	)
}

func (c *ControlPlane) startController(ctx context.Context, name, path string, args ...string) error {
	port, err := process.FreePort()
	if err != nil {
		return err
	}
	args = append([]string{
		"--kubeconfig=" + c.Kubeconfig,
		"--authentication-kubeconfig=" + c.Kubeconfig,
		"--authorization-kubeconfig=" + c.Kubeconfig,
		"--leader-elect=false",
		"--bind-address=127.0.0.1", "--secure-port=" + strconv.Itoa(port),
		"--cert-dir=" + c.path(name+"-certificates"),
	}, args...)
	p, err := c.start(name, path, args...)
	if err != nil {
		return err
	}
	return p.WaitReady(ctx, func(ctx context.Context) error {
		return probe(ctx, "https://"+process.Loopback(port)+"/healthz")
	})
}

func (c *ControlPlane) startKwok(ctx context.Context) error {
	file := c.path("stages.yaml")
	if err := os.WriteFile(file, stages, 0o644); err != nil {
		return fmt.Errorf("write stages: %w", err)
	}
	address, err := process.FreeAddress()
	if err != nil {
		return err
	}
	p, err := c.start("kwok", c.programs.Kwok,
		"--kubeconfig="+c.Kubeconfig,
		"--manage-all-nodes=false",
		"--manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=fake",
		"--cidr=10.244.0.0/16", "--node-ip=127.0.0.1",
		"--node-lease-duration-seconds=40",
		"--server-address="+address,
		"--config="+file,
	)
	if err != nil {
		return err
	}
	return p.WaitReady(ctx, func(ctx context.Context) error { return probe(ctx, "http://"+address+"/healthz") })
}

// awaitServiceAccounts waits for the account without which no pod is admitted.
func (c *ControlPlane) awaitServiceAccounts(ctx context.Context) error {
	return wait.Until(ctx, "the default service account", 50*time.Millisecond, func(ctx context.Context) error {
		_, err := c.Client.CoreV1().ServiceAccounts(metav1.NamespaceDefault).Get(ctx, "default", metav1.GetOptions{})
		return err
	})
}
