package e2e

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/e2e/internal/autoscaler"
	"github.com/buildpool/buildpool/e2e/internal/certificates"
	"github.com/buildpool/buildpool/e2e/internal/metrics"
	"github.com/buildpool/buildpool/e2e/internal/process"
	"github.com/buildpool/buildpool/e2e/internal/provider"
)

// scaleSize is how much the scale test does.
type scaleSize struct {
	groups, nodes int
	// rounds of every combination, loops measured in each.
	rounds, loops int
	// command that runs it.
	command string
}

// soaking asks for the long test: more nodes, more rounds, and it fails by its times.
func soaking() bool { return os.Getenv("BUILDPOOL_E2E_SOAK") != "" }

func scale() scaleSize {
	if soaking() {
		return scaleSize{groups: 10, nodes: 1000, rounds: 2, loops: 8, command: "make soak"}
	}
	return scaleSize{groups: 10, nodes: 300, rounds: 2, loops: 8, command: "go -C e2e test -count=1 -v -run TestScale ."}
}

// steady keeps the nodes while CA reckons with all of them as unneeded, its most
// talkative state, and lets its log tell of nothing but the loops.
var steady = autoscaler.Flags{
	"scale-down-unneeded-time": "1h", "max-bulk-soft-taint-count": "0",
	"max-scale-down-parallelism": "10000", // it looks at no more nodes than it might remove soon
	"v":                          "1", "vmodule": "static_autoscaler=4",
}

// TestScale: the real CA over full groups asks exactly the RPCs that are known of it,
// by plaintext on loopback, by a unix socket and by mTLS. How long a loop takes is
// compared with an empty provider that gives the same answers from memory.
func TestScale(t *testing.T) {
	size := scale()
	s := newBareScenario(t)
	groups := []string{}
	for i := range size.groups {
		groups = append(groups, fmt.Sprintf("g%02d", i))
	}
	values := map[string]any{"Groups": groups, "NodesPerGroup": size.nodes / size.groups}
	s.startSimulatorOf(s.render("scale-account.yaml", values))
	s.eventually(2*time.Minute, "the nodes", func(ctx context.Context) error { return s.expectNodes(ctx, normal, size.nodes) })
	transports := s.serveEverywhere(s.render("scale-nodegroups.yaml", values))

	report := scaleReport{size: size, calls: s.callsPerLoop(transports[0], size)}
	report.measure(s, transports)
	report.shares = readShares(s, transports)
	t.Log("\n" + report.markdown())
	if updating() {
		report.publish(t)
	}
	if soaking() {
		report.checkTimes(t)
	}
}

// transport is one way to reach a provider, and the two providers on it.
type transport struct {
	name      string
	tls       *autoscaler.TLS
	buildpool *provider.Provider
	empty     string // address
}

// serveEverywhere starts buildpool and the empty provider on every transport. Whoever
// is not asked costs nothing.
func (s *scenario) serveEverywhere(config string) []transport {
	s.t.Helper()
	sockets, err := os.MkdirTemp("", "bp") // a socket's path must be short
	require.NoError(s.t, err)
	s.t.Cleanup(func() { assert.NoError(s.t, os.RemoveAll(sockets)) })
	files := s.firstTryCertificates()
	loopback, encrypted := s.freeAddress(), s.freeAddress()
	transports := []transport{
		{name: "plaintext, loopback", empty: loopback},
		{name: "unix socket", empty: "unix://" + filepath.Join(sockets, "empty")},
		{name: "mTLS, loopback", empty: encrypted, tls: clientTLS(files, files.Client)},
	}
	settings := []provider.Settings{{}, {Address: "unix://" + filepath.Join(sockets, "buildpool")}, {Args: serverTLS(files)}}
	for i := range transports {
		settings[i].Config, settings[i].Dir = config, s.subdirectory(fmt.Sprintf("provider-%d", i))
		settings[i].Args = append(settings[i].Args, "--log-level", "info") // as users run it: no line per read
		p := s.startProviderAs(settings[i])
		s.t.Cleanup(p.Kill)
		transports[i].buildpool = p
	}
	for i, way := range transports {
		s.startEmptyProvider(i, way, transports[0].buildpool.Address, files)
	}
	s.provider = transports[0].buildpool // whose metrics are kept if the test fails
	return transports
}

func (s *scenario) freeAddress() string {
	s.t.Helper()
	address, err := process.FreeAddress()
	require.NoError(s.t, err)
	return address
}

func (s *scenario) startEmptyProvider(number int, way transport, copyOf string, files certificates.Files) {
	s.t.Helper()
	args := []string{"--copy", copyOf, "--address", way.empty}
	if way.tls != nil {
		args = append(args, "--tls-cert", files.Server.Cert, "--tls-key", files.Server.Key, "--tls-client-ca", files.Authority)
	}
	p, err := process.Start(process.Spec{
		Name: fmt.Sprintf("empty-provider-%d", number), Path: shared.emptyProvider, Args: args, LogDir: s.dir,
	})
	require.NoError(s.t, err)
	s.t.Cleanup(p.Kill)
	network, address := "tcp", way.empty
	if path, ok := strings.CutPrefix(way.empty, "unix://"); ok {
		network, address = "unix", path
	}
	ctx, cancel := context.WithTimeout(s.ctx, 30*time.Second)
	defer cancel()
	require.NoError(s.t, p.WaitReady(ctx, func(context.Context) error {
		connection, err := net.Dial(network, address)
		if err != nil {
			return err
		}
		return connection.Close()
	}))
}

// callsPerLoop lets CA loop with pauses, waits until it asks what is known of it, and
// returns how often it asks each method in a loop. Nodes is left out: CA asks it in the
// background.
func (s *scenario) callsPerLoop(way transport, size scaleSize) map[string]int {
	s.t.Helper()
	flags := maps.Clone(steady)
	flags["scan-interval"] = (time.Second + time.Duration(size.nodes)*5*time.Millisecond).String()
	s.startAutoscalerAs(autoscaler.Settings{Flags: flags, Provider: way.buildpool.Address, Dir: s.subdirectory("counted")})
	want := map[string]int{
		"Refresh": 1, "NodeGroups": 1,
		"NodeGroupTargetSize": 3 * size.groups,
		"NodeGroupForNode":    size.nodes,
		"NodeGroupGetOptions": 6 * size.nodes,
	}
	before := s.betweenLoops(way, 1)
	// CA asks for templates until a group has a node that is older than a minute.
	s.eventually(2*time.Minute, "three loops in a row of what CA 1.36 asks about unneeded nodes", func(context.Context) error {
		now := s.betweenLoops(way, before["Refresh"]+3)
		asked, loops := map[string]int{}, now["Refresh"]-before["Refresh"]
		for method, calls := range now {
			if calls -= before[method]; calls > 0 && method != "NodeGroupNodes" {
				asked[method] = calls
			}
		}
		before = now
		for method, calls := range want {
			if asked[method] != calls*loops || len(asked) != len(want) {
				return fmt.Errorf("%v in %d loops, want %v in each", asked, loops, want)
			}
		}
		return nil
	})
	return want
}

// betweenLoops returns how many RPCs of each method were answered, at a time after the
// given loop when CA asks nothing.
func (s *scenario) betweenLoops(way transport, loop int) map[string]int {
	s.t.Helper()
	var last map[string]int
	s.eventually(time.Minute, "CA to rest between two loops", func(ctx context.Context) error {
		samples, err := way.buildpool.Samples(ctx)
		if err != nil {
			return err
		}
		now := map[string]int{}
		for method, calls := range samples.By("buildpool_grpc_requests_total", "method") {
			now[method] = int(calls)
		}
		resting := maps.Equal(now, last)
		last = now
		if !resting || now["Refresh"] < loop {
			return fmt.Errorf("answered so far: %v", now)
		}
		return nil
	})
	return last
}

// loopTimes lets CA loop without a pause over one provider and returns how long each
// loop took, without the first ones, in which it fills its caches.
func (s *scenario) loopTimes(way transport, address, dir string, loops int) []time.Duration {
	s.t.Helper()
	const first = 3
	flags := maps.Clone(steady)
	flags["scan-interval"] = "1ms"
	s.startAutoscalerAs(autoscaler.Settings{Flags: flags, Provider: address, TLS: way.tls, Dir: s.subdirectory(dir)})
	var times []time.Duration
	s.eventually(3*time.Minute, "CA's loops", func(context.Context) error {
		var err error
		if times, err = s.autoscaler.LoopTimes(); err != nil {
			return err
		}
		if len(times) < first+loops {
			return fmt.Errorf("%d of them", len(times))
		}
		return nil
	})
	s.expectNoTrouble()
	s.autoscaler.Stop(time.Second)
	return times[first : first+loops]
}

// readShares is buildpool's own share of each read, of all transports together.
func readShares(s *scenario, transports []transport) []readShare {
	s.t.Helper()
	var all metrics.Samples
	for _, way := range transports {
		samples, err := way.buildpool.Samples(s.ctx)
		require.NoError(s.t, err)
		all = append(all, samples...)
	}
	var shares []readShare
	for _, method := range []string{"NodeGroupForNode", "NodeGroupGetOptions", "NodeGroupTargetSize", "NodeGroupTemplateNodeInfo", "NodeGroups"} {
		share, err := shareOf(all, method)
		require.NoError(s.t, err)
		shares = append(shares, share)
	}
	return shares
}

// readShare is how long buildpool takes for a method, from its own histogram.
type readShare struct {
	method string
	calls  int
	// fast is the share of calls within 50 µs, p99 the bucket below which 99 % lie.
	fast float64
	p99  time.Duration
}

func shareOf(samples metrics.Samples, method string) (readShare, error) {
	const name = "buildpool_grpc_request_duration_seconds"
	of := metrics.Labels{"method": method}
	calls := samples.Sum(name+"_count", of)
	if calls == 0 {
		return readShare{}, errors.New(method + " was never asked")
	}
	within := map[time.Duration]float64{}
	for _, sample := range samples {
		if sample.Name != name+"_bucket" || sample.Labels["method"] != method || sample.Labels["le"] == "+Inf" {
			continue
		}
		bound, err := time.ParseDuration(sample.Labels["le"] + "s")
		if err != nil {
			seconds := 0.0
			if _, err := fmt.Sscanf(sample.Labels["le"], "%g", &seconds); err != nil {
				return readShare{}, fmt.Errorf("read bucket of %s: %w", method, err)
			}
			bound = time.Duration(seconds * float64(time.Second)).Round(time.Microsecond)
		}
		within[bound] += sample.Value
	}
	share := readShare{method: method, calls: int(calls), fast: within[50*time.Microsecond] / calls}
	for _, bound := range slices.Sorted(maps.Keys(within)) {
		if share.p99 = bound; within[bound] >= 0.99*calls {
			break
		}
	}
	return share, nil
}
