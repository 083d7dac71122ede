// Package provider runs `buildpool serve`, the program under test.
//
// It must not know who calls it.
package provider

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/buildpool/buildpool/e2e/internal/metrics"
	"github.com/buildpool/buildpool/e2e/internal/process"
)

// Settings say how to run the provider.
type Settings struct {
	Program string
	// Config is the node-group file, Endpoint the simulated account's URL.
	Config, Endpoint string
	// Address is where to serve gRPC; by default a free port.
	Address string
	// Args are added to the command line.
	Args []string
	// Dir receives the logs.
	Dir string
	// Env holds the credentials.
	Env []string
}

// Provider is a `buildpool serve` that may be killed and started again on the same
// addresses.
type Provider struct {
	*process.Process
	// Address is where it serves gRPC.
	Address string

	settings Settings
	http     string
	starts   int
}

// Start starts the provider and waits until it reports that it is ready.
func Start(ctx context.Context, s Settings) (*Provider, error) {
	p, err := New(s)
	if err != nil {
		return nil, err
	}
	return p, p.Restart(ctx)
}

// Adopt is a provider that somebody else has started, and that serves HTTP there.
func Adopt(started *process.Process, http string) *Provider {
	return &Provider{Process: started, http: http}
}

// New is a provider that has its addresses and does not run yet.
func New(s Settings) (*Provider, error) {
	address := s.Address
	if address == "" {
		var err error
		if address, err = process.FreeAddress(); err != nil {
			return nil, err
		}
	}
	httpAddress, err := process.FreeAddress()
	if err != nil {
		return nil, err
	}
	return &Provider{Address: address, settings: s, http: httpAddress}, nil
}

// Restart starts it again after a Kill or Stop and waits until it is ready.
func (p *Provider) Restart(ctx context.Context) error {
	if err := p.Revive(); err != nil {
		return err
	}
	return p.WaitReady(ctx, p.Ready)
}

// Ready says why it is not ready.
func (p *Provider) Ready(ctx context.Context) error {
	_, err := p.get(ctx, "/readyz")
	return err
}

// Revive starts it again after a Kill or Stop. Each start has a log of its own.
func (p *Provider) Revive() error {
	p.starts++
	started, err := process.Start(process.Spec{
		Name: fmt.Sprintf("buildpool-serve-%d", p.starts),
		Path: p.settings.Program,
		Args: append([]string{
			"serve", "--config", p.settings.Config,
			"--address", p.Address, "--http-address", p.http,
			"--ess-endpoint", p.settings.Endpoint,
			"--log-level", "debug",
		}, p.settings.Args...),
		Env:    p.settings.Env,
		LogDir: p.settings.Dir,
	})
	if err != nil {
		return err
	}
	p.Process = started
	return nil
}

// Metrics returns the provider's metrics in Prometheus' text format.
func (p *Provider) Metrics(ctx context.Context) (string, error) { return p.get(ctx, "/metrics") }

// Answered is how many RPCs of the method it has answered well since it started.
func (p *Provider) Answered(ctx context.Context, method string) (int, error) {
	count, err := p.Sum(ctx, "buildpool_grpc_requests_total", metrics.Labels{"code": "OK", "method": method})
	return int(count), err
}

// Sum adds up the series of a metric that have these labels and any others.
func (p *Provider) Sum(ctx context.Context, name string, labels metrics.Labels) (float64, error) {
	samples, err := p.Samples(ctx)
	if err != nil {
		return 0, err
	}
	return samples.Sum(name, labels), nil
}

// Samples returns the provider's metrics.
func (p *Provider) Samples(ctx context.Context) (metrics.Samples, error) {
	text, err := p.Metrics(ctx)
	if err != nil {
		return nil, err
	}
	return metrics.Parse(text)
}

func (p *Provider) get(ctx context.Context, path string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.http+path, nil)
	if err != nil {
		return "", fmt.Errorf("get %s: %w", path, err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", fmt.Errorf("get %s: %w", path, err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return "", fmt.Errorf("get %s: %w", path, err)
	}
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("get %s: %s: %s", path, response.Status, body)
	}
	return string(body), nil
}

// HTTP is where it serves its status.
func (p *Provider) HTTP() string { return p.http }
