package e2e

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"text/template"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/buildpool/buildpool/e2e/internal/autoscaler"
	"github.com/buildpool/buildpool/e2e/internal/objects"
	"github.com/buildpool/buildpool/e2e/internal/provider"
	"github.com/buildpool/buildpool/e2e/internal/simulator"
	"github.com/buildpool/buildpool/e2e/internal/testbed"
	"github.com/buildpool/buildpool/e2e/internal/wait"
)

// world is what a test changes of testdata/account.yaml and testdata/nodegroups.yaml.
type world struct {
	Spot, Normal, GPU groupSize
	// Create and Join are the simulator's delays: to InService, and from there to
	// the node's registration.
	Create, Join time.Duration
	// SpotSoldOut leaves no spot instance in any zone.
	SpotSoldOut bool
	// SpotUnneeded is the spot group's own scaleDownUnneededTime; 0 is none.
	SpotUnneeded time.Duration
	// SpotFloor and NormalFloor are a line of the group's: its warm windows or its cooldown.
	SpotFloor, NormalFloor string
	// Overflow are the classes of the section overflow.
	Overflow []string
	// Serve are more flags of buildpool serve, and Simulator of buildpool ess-sim.
	Serve, Simulator []string
	// NormalRecycles: instances of the normal group are stopped and kept.
	NormalRecycles bool
	// NodeCleanup is the section of that name.
	NodeCleanup string
}

// groupSize is a group's size: buildpool's min and max (the account's own are 0 and
// 100), and the instances that are there from the start.
type groupSize struct{ Min, Max, Existing int }

// newWorld has three empty groups of at most 40 nodes that take two seconds each.
func newWorld() world {
	size := groupSize{Max: 40}
	return world{Spot: size, Normal: size, GPU: size, Create: time.Second, Join: time.Second}
}

// scenario is one test's processes and namespace on the shared control plane.
type scenario struct {
	t          *testing.T
	ctx        context.Context
	dir        string
	namespace  string
	cluster    *testbed.ControlPlane
	simulator  *simulator.Simulator
	provider   *provider.Provider
	autoscaler *autoscaler.Autoscaler
	// applied are objects of no namespace: the test's own does not take them with it.
	applied []objects.Object
}

// newScenario starts a fresh simulated account and a provider on it.
func newScenario(t *testing.T, w world) *scenario {
	t.Helper()
	s := newBareScenario(t)
	s.startSimulator(w)
	s.startProvider(w)
	return s
}

// newBareScenario has a namespace on the control plane and nothing else yet. When
// the test is over everything is ended and every node and pod removed; if it
// failed, what is needed to understand it is written to its directory first.
func newBareScenario(t *testing.T) *scenario {
	t.Helper()
	require.NoError(t, shared.controlPlane.Check())
	s := &scenario{
		t: t, ctx: beforeDeadline(t), cluster: shared.controlPlane,
		dir:       filepath.Join(shared.dir, t.Name()),
		namespace: strings.NewReplacer("/", "-", ".", "-", "_", "-").Replace(strings.ToLower(t.Name())),
	}
	require.NoError(t, os.MkdirAll(s.dir, 0o755)) // of a subtest, below its test's
	t.Cleanup(s.end)
	s.makeNamespace()
	return s
}

// beforeDeadline ends a test's waiting while there is time left to save the
// evidence and to clean up.
func beforeDeadline(t *testing.T) context.Context {
	deadline, ok := t.Deadline()
	if !ok {
		return t.Context()
	}
	ctx, cancel := context.WithDeadline(t.Context(), deadline.Add(-time.Minute))
	t.Cleanup(cancel)
	return ctx
}

func (s *scenario) makeNamespace() {
	s.t.Helper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: s.namespace}}
	_, err := s.cluster.Client.CoreV1().Namespaces().Create(s.ctx, namespace, metav1.CreateOptions{})
	require.NoError(s.t, err)
	s.awaitServiceAccount(s.namespace)
}

func (s *scenario) startSimulator(w world) {
	s.t.Helper()
	s.startSimulatorOf(s.render("account.yaml", w), w.Simulator...)
}

func (s *scenario) startSimulatorOf(account string, args ...string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.ctx, 30*time.Second)
	defer cancel()
	var err error
	s.simulator, err = simulator.Start(ctx, simulator.Settings{
		Program: shared.buildpool, Config: account,
		Kubeconfig: s.cluster.Kubeconfig, Dir: s.dir, Args: args,
	})
	require.NoError(s.t, err)
}

func (s *scenario) startProvider(w world) {
	s.t.Helper()
	s.provider = s.startProviderAs(provider.Settings{Config: s.render("nodegroups.yaml", w), Dir: s.dir, Args: w.Serve})
}

// startProviderAs starts a provider on the simulated account.
func (s *scenario) startProviderAs(settings provider.Settings) *provider.Provider {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.ctx, 30*time.Second)
	defer cancel()
	started, err := provider.Start(ctx, s.onAccount(settings))
	if err != nil && started != nil && started.Process != nil {
		started.Kill()
	}
	require.NoError(s.t, err)
	return started
}

// onAccount are the settings with the program and the simulated account.
func (s *scenario) onAccount(settings provider.Settings) provider.Settings {
	settings.Program, settings.Endpoint = shared.buildpool, s.simulator.URL
	settings.Env = []string{"ALIBABA_CLOUD_ACCESS_KEY_ID=sim-access-key", "ALIBABA_CLOUD_ACCESS_KEY_SECRET=sim-secret"}
	return settings
}

// startAutoscaler lets the real cluster-autoscaler in, the one of the newest release.
func (s *scenario) startAutoscaler(flags autoscaler.Flags) {
	s.t.Helper()
	s.startAutoscalerAs(autoscaler.Settings{Flags: flags})
}

// startAutoscalerAs ends the one that runs and starts one that differs from the usual
// in what the settings say.
func (s *scenario) startAutoscalerAs(settings autoscaler.Settings) {
	s.t.Helper()
	if s.autoscaler != nil {
		s.autoscaler.Stop(time.Second)
	}
	settings.Kubeconfig = s.cluster.Kubeconfig
	if settings.Program == "" {
		settings.Program = shared.programs.Autoscaler
	}
	if settings.Provider == "" {
		settings.Provider = s.provider.Address
	}
	if settings.Dir == "" {
		settings.Dir = s.dir
	}
	ctx, cancel := context.WithTimeout(s.ctx, 30*time.Second)
	defer cancel()
	var err error
	s.autoscaler, err = autoscaler.Start(ctx, settings)
	require.NoError(s.t, err)
}

// subdirectory is a place for a second process of the same name.
func (s *scenario) subdirectory(name string) string {
	s.t.Helper()
	dir := filepath.Join(s.dir, name)
	require.NoError(s.t, os.MkdirAll(dir, 0o755))
	return dir
}

// render fills in a template of testdata and returns the path of the result.
func (s *scenario) render(name string, values any) string {
	s.t.Helper()
	parsed, err := template.New(name).Option("missingkey=error").ParseFiles(filepath.Join("testdata", name))
	require.NoError(s.t, err)
	var out bytes.Buffer
	require.NoError(s.t, parsed.Execute(&out, values))
	path := filepath.Join(s.dir, name)
	require.NoError(s.t, os.WriteFile(path, out.Bytes(), 0o600))
	return path
}

// eventually fails the test unless the condition comes true in time.
func (s *scenario) eventually(within time.Duration, what string, check func(context.Context) error) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.ctx, within)
	defer cancel()
	require.NoError(s.t, wait.Until(ctx, what, 100*time.Millisecond, check))
}

// settles fails the test unless the condition comes true in time and stays so for a while.
func (s *scenario) settles(within, stays time.Duration, what string, check func(context.Context) error) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.ctx, within)
	defer cancel()
	for {
		require.NoError(s.t, wait.Until(ctx, what, 100*time.Millisecond, check))
		if err := wait.Hold(ctx, what, stays, 250*time.Millisecond, check); err == nil {
			return
		} else if ctx.Err() != nil {
			require.NoError(s.t, err)
		}
	}
}

// holds fails the test unless the condition is true for the whole time.
func (s *scenario) holds(duration time.Duration, what string, check func(context.Context) error) {
	s.t.Helper()
	require.NoError(s.t, wait.Hold(s.ctx, what, duration, 250*time.Millisecond, check))
}
