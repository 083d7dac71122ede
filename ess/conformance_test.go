package ess

import (
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
	"k8s.io/utils/clock"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/cloudprovider/cloudtest"
	"github.com/buildpool/buildpool/ess/esssim"
	"github.com/buildpool/buildpool/ess/esssim/account"
)

const (
	simKey    = "sim-access-key"
	simSecret = "sim-secret"
)

// unlimited keeps our own rate limit out of tests that are about something else.
var unlimited = Limits{Default: Rate{PerSecond: math.MaxFloat64, Burst: math.MaxInt32}}

// simulated is an account of the suite: the simulator behind the real SDK.
type simulated struct {
	cloud   *Cloud
	sim     *esssim.Simulator
	advance func(time.Duration)
}

func (s *simulated) Cloud() cloudprovider.Cloud { return s.cloud }

func (s *simulated) Advance(d time.Duration) { s.advance(d) }

func (s *simulated) StockOut(t *testing.T) { s.stock(t, 0) }

func (s *simulated) Restock(t *testing.T) { s.stock(t, -1) }

func (s *simulated) Reclaim(t *testing.T, instanceID string, notice time.Duration) {
	t.Helper()
	require.NoError(t, s.sim.Reclaim(instanceID, notice))
}

func (s *simulated) stock(t *testing.T, count int) {
	t.Helper()
	for _, instanceType := range []string{cloudtest.InstanceType, cloudtest.OverrideType} {
		for _, charge := range []account.Charge{account.Spot, account.OnDemand} {
			require.NoError(t, s.sim.SetStock(cloudtest.Zone, instanceType, charge, count))
		}
	}
}

// simConfig is the account file of the groups.
func simConfig(groups []cloudtest.Group) esssim.Config {
	tags := map[string]string{cloudtest.TagKey: cloudtest.TagValue}
	cfg := esssim.Config{
		APIVersion: account.APIVersion, Kind: account.Kind, Region: "cn-hangzhou",
		AccessKeys: []account.AccessKey{{ID: simKey, Secret: simSecret}},
		VSwitches:  []account.VSwitch{{ID: "vsw-h", Zone: cloudtest.Zone}},
		InstanceTypes: []account.InstanceType{
			{Name: cloudtest.InstanceType, CPUs: 8, MemoryGiB: 16, Arch: "X86", ENIs: 4, IPsPerENI: 15, PricePerHour: 1.6308},
			{Name: cloudtest.OverrideType, CPUs: 16, MemoryGiB: 32, Arch: "X86", ENIs: 8, IPsPerENI: 30, PricePerHour: 3.2616},
			{Name: cloudtest.GPUType, CPUs: 8, MemoryGiB: 30, Arch: "X86", ENIs: 4, IPsPerENI: 15, GPUs: 1, GPUModel: "NVIDIA A10", PricePerHour: 9.5326},
		},
		LaunchTemplates: []account.LaunchTemplate{{
			ID: "lt-a", Version: 1, InstanceTypes: []string{cloudtest.InstanceType}, SystemDiskGiB: cloudtest.SystemDiskGiB,
			SpotStrategy: account.NoSpot, UserData: cloudtest.UserData, Tags: tags,
		}},
	}
	for _, g := range groups {
		cfg.ScalingGroups = append(cfg.ScalingGroups, simGroup(g, tags))
	}
	return cfg
}

func simGroup(g cloudtest.Group, tags map[string]string) account.ScalingGroup {
	group := account.ScalingGroup{
		ID: g.ID, Name: g.ID, Min: g.Min, Max: g.Max, InService: g.Running, ExpectedNumberMode: g.ExpectedNumberMode,
		Lifecycle: account.Active, MultiAZPolicy: account.Priority, ScalingPolicy: account.Release,
		VSwitchIDs: []string{"vsw-h"}, Tags: g.Tags,
	}
	if g.Recycles {
		group.ScalingPolicy = account.Recycle
	}
	if g.Inactive {
		group.Lifecycle = account.Inactive
	}
	if g.LaunchTemplate {
		group.LaunchTemplate = &account.LaunchTemplateUse{ID: "lt-a", Version: "1", Overrides: []string{cloudtest.OverrideType}}
		return group
	}
	strategy := account.NoSpot
	if g.Spot {
		strategy = account.SpotAsPriceGo
	}
	group.ScalingConfiguration = &account.ScalingConfiguration{
		ID: "asc-" + g.ID, InstanceTypes: []string{cloudtest.InstanceType}, SpotStrategy: strategy,
		SystemDiskGiB: cloudtest.SystemDiskGiB, UserData: cloudtest.UserData, Tags: tags,
	}
	return group
}

// simulate connects the real SDK to a simulated account.
func simulate(tb testing.TB, groups []cloudtest.Group, c clock.PassiveClock, connect func(*esssim.Simulator, *Options), change ...func(*esssim.Config)) *simulated {
	tb.Helper()
	cfg := simConfig(groups)
	file, err := yaml.Marshal(cfg)
	require.NoError(tb, err)
	cfg, err = esssim.Parse("account.yaml", file) // fills in the defaults
	require.NoError(tb, err)
	for _, apply := range change {
		apply(&cfg)
	}
	sim, err := esssim.New(esssim.Options{Config: cfg, Clock: c, Seed: 1})
	require.NoError(tb, err)
	o := Options{
		Region: "cn-hangzhou", Credentials: StaticCredentials(simKey, simSecret, ""), Limits: unlimited,
		Clock: clock.RealClock{}, Jitter: func() float64 { return 0 },
	}
	connect(sim, &o)
	cloud, err := New(o)
	require.NoError(tb, err)
	tb.Cleanup(cloud.Close)
	return &simulated{cloud: cloud, sim: sim, advance: func(d time.Duration) { clock.RealClock{}.Sleep(d) }}
}

// inProcess hands requests to the simulator without a network.
func inProcess(sim *esssim.Simulator, o *Options) { o.Transport = sim.Transport() }

// overHTTP serves the simulator on a loopback socket.
func overHTTP(tb testing.TB) func(*esssim.Simulator, *Options) {
	return func(sim *esssim.Simulator, o *Options) {
		server := httptest.NewServer(http.Handler(sim))
		tb.Cleanup(server.Close)
		o.Endpoint = server.URL
	}
}

// TestConformsInVirtualTime runs the suite in a bubble: SDK, simulator and waiting all
// live in its time.
func TestConformsInVirtualTime(t *testing.T) {
	cloudtest.Test(t, func(t *testing.T, groups []cloudtest.Group, test func(*testing.T, cloudtest.Account)) {
		synctest.Test(t, func(t *testing.T) {
			test(t, simulate(t, groups, clock.RealClock{}, inProcess))
		})
	})
}

// TestConformsOverHTTP runs the suite over real sockets, with the account's own time
// set forward by hand.
func TestConformsOverHTTP(t *testing.T) {
	cloudtest.Test(t, func(t *testing.T, groups []cloudtest.Group, test func(*testing.T, cloudtest.Account)) {
		now := clocktesting.NewFakePassiveClock(clock.RealClock{}.Now())
		a := simulate(t, groups, now, overHTTP(t))
		a.advance = func(d time.Duration) { now.SetTime(now.Now().Add(d)) }
		test(t, a)
	})
}

// groupIDs names n groups and describes them, with so many instances in each.
func groupIDs(n, running int) (groups []cloudtest.Group, ids []string) {
	for i := range n {
		id := fmt.Sprintf("asg-%03d", i)
		ids = append(ids, id)
		groups = append(groups, cloudtest.Group{ID: id, Max: running + 100, Running: running, ExpectedNumberMode: true})
	}
	return groups, ids
}
