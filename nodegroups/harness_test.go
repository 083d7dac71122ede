package nodegroups_test

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"k8s.io/utils/clock"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/ess"
	"github.com/buildpool/buildpool/ess/esssim"
	"github.com/buildpool/buildpool/ess/esssim/account"
	"github.com/buildpool/buildpool/nodegroups"
	"github.com/buildpool/buildpool/nodegroups/config"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is a provider over the real SDK over a simulated account, in virtual time.
type world struct {
	t *testing.T
	*nodegroups.Provider
	account *esssim.Simulator
	cloud   cloudprovider.Cloud
	config  config.Config
	log     *strings.Builder
	tokens  atomic.Int64
}

const accountFile = `
apiVersion: buildpool/v1alpha1
kind: Account
region: cn-hangzhou
accessKeys: [{id: sim-access-key, secret: sim-secret}]
delays: {create: 20s, join: 20s, remove: 10s, retry: 60s, check: 1s}
vSwitches: [{id: vsw-h, zone: cn-hangzhou-h}]
instanceTypes:
  - {name: ecs.c7.2xlarge, cpus: 8, memoryGiB: 16, arch: X86, enis: 4, ipsPerENI: 15, pricePerHour: 1.6308, spotPricePerHour: 0.2}
scalingGroups:
`

const groupFile = `
  - id: asg-%[1]s
    name: builds-%[1]s
    min: 0
    max: %[2]d
    desired: %[3]d
    expectedNumberMode: %[4]t
    scalingPolicy: %[6]s
    vSwitchIds: [vsw-h]
    tags: {buildpool: %[1]s}
    scalingConfiguration: {id: asc-%[1]s, instanceTypes: [ecs.c7.2xlarge], spotStrategy: %[5]s, systemDiskGiB: 120}
`

// groupSpec is a group of a test's account and configuration.
type groupSpec struct {
	name     string
	min, max int
	desired  int
	classic  bool
	class    config.Class
	// recycles: instances are stopped and kept.
	recycles bool
	// notice and drain are spot.onReclaimNotice and spot.drainAfter; empty: as by default.
	notice config.OnReclaimNotice
	drain  string
}

func (g groupSpec) account() string {
	strategy := "NoSpot"
	if g.class == config.ClassSpot {
		strategy = "SpotAsPriceGo"
	}
	policy := account.Release
	if g.recycles {
		policy = account.Recycle
	}
	return fmt.Sprintf(groupFile, g.name, max(g.max, 1), g.desired, !g.classic, strategy, policy)
}

func (g groupSpec) config() string {
	class := g.class
	if class == "" {
		class = config.ClassNormal
	}
	text := fmt.Sprintf("  - {name: %s, class: %s, scalingGroup: {id: asg-%s}, min: %d, max: %d", g.name, class, g.name, g.min, g.max)
	if g.notice != "" || g.drain != "" {
		text += fmt.Sprintf(", spot: {onReclaimNotice: %s", cmp.Or(g.notice, config.ReclaimReplaced))
		if g.drain != "" {
			text += ", drainAfter: " + g.drain
		}
		text += "}"
	}
	return text + "}\n"
}

func parseConfig(t testing.TB, groups ...groupSpec) config.Config {
	t.Helper()
	file := "apiVersion: buildpool/v1alpha1\nkind: NodeGroups\nregion: cn-hangzhou\ngroups:\n"
	for _, g := range groups {
		file += g.config()
	}
	cfg, err := config.Parse("nodegroups.yaml", []byte(file))
	require.NoError(t, err)
	return cfg
}

// newAccount is an account that lives in the clock's time.
func newAccount(t testing.TB, c clock.PassiveClock, groups ...groupSpec) *esssim.Simulator {
	t.Helper()
	file := accountFile
	for _, g := range groups {
		file += g.account()
	}
	cfg, err := esssim.Parse("account.yaml", []byte(file))
	require.NoError(t, err)
	account, err := esssim.New(esssim.Options{Config: cfg, Clock: c, Seed: 1})
	require.NoError(t, err)
	return account
}

func newCloud(t testing.TB, account *esssim.Simulator) cloudprovider.Cloud {
	t.Helper()
	cloud, err := ess.New(ess.Options{
		Region:      "cn-hangzhou",
		Credentials: ess.StaticCredentials("sim-access-key", "sim-secret", ""),
		Endpoint:    "http://127.0.0.1:1",
		Transport:   account.Transport(),
		Clock:       clock.RealClock{}, // the bubble's
		Jitter:      func() float64 { return 0.5 },
		Limits:      ess.Limits{Default: ess.Rate{PerSecond: 1000, Burst: 1000}},
	})
	require.NoError(t, err)
	return cloud
}

// play runs a test in virtual time, on a world of these groups that has been
// refreshed once.
func play(t *testing.T, groups []groupSpec, test func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		account := newAccount(t, clock.RealClock{}, groups...)
		w := &world{t: t, account: account, cloud: newCloud(t, account), config: parseConfig(t, groups...), log: &strings.Builder{}}
		w.restart()
		require.NoError(t, w.Refresh(t.Context()))
		synctest.Wait() // prices are read in the background
		test(w)
		w.Close()
	})
}

// restart replaces the provider by a new one that remembers nothing.
func (w *world) restart() {
	w.t.Helper()
	p, err := nodegroups.New(w.config, nodegroups.Settings{
		Cloud: w.cloud, Clock: clock.RealClock{},
		Log:      slog.New(slog.NewTextHandler(w.log, nil)),
		NewToken: func() string { return fmt.Sprintf("token-%d", w.tokens.Add(1)) },
	})
	require.NoError(w.t, err)
	w.Provider = p
}

// after lets time pass and refreshes.
func (w *world) after(d time.Duration) {
	w.t.Helper()
	clock.RealClock{}.Sleep(d)
	require.NoError(w.t, w.Refresh(w.t.Context()))
}

func (w *world) target(group string) int {
	w.t.Helper()
	n, err := w.TargetSize(group)
	require.NoError(w.t, err)
	return n
}

// listed returns the IDs of a group's instances in a state; placeholders have none.
func (w *world) listed(group string, state cloudprovider.InstanceState) []string {
	w.t.Helper()
	all, err := w.Instances(group)
	require.NoError(w.t, err)
	var ids []string
	for _, i := range all {
		if i.State == state && i.Failure == nil {
			ids = append(ids, i.ID)
		}
	}
	return ids
}

func (w *world) placeholders(group string) []cloudprovider.Node {
	w.t.Helper()
	all, err := w.Instances(group)
	require.NoError(w.t, err)
	var nodes []cloudprovider.Node
	for _, i := range all {
		if i.Failure != nil {
			nodes = append(nodes, fakeNode(i.ID, "create-error"))
		}
	}
	return nodes
}

// grow brings a group to so many instances in service and returns their provider IDs.
func (w *world) grow(group string, n int) []string {
	w.t.Helper()
	require.NoError(w.t, w.IncreaseSize(w.t.Context(), group, n))
	w.after(40 * time.Second)
	ids := w.listed(group, cloudprovider.Running)
	require.Len(w.t, ids, n)
	return ids
}

func (w *world) stock(n int) {
	w.t.Helper()
	for _, charge := range []string{"spot", "onDemand"} {
		require.NoError(w.t, setStock(w.account, charge, n))
	}
}

// desired is the number the account itself holds for a group.
func (w *world) desired(group string) int {
	w.t.Helper()
	groups, err := w.cloud.Groups(context.WithoutCancel(w.t.Context()), []string{"asg-" + group})
	require.NoError(w.t, err)
	require.Len(w.t, groups, 1)
	return groups[0].Desired
}

func node(providerID string) cloudprovider.Node {
	return cloudprovider.Node{Name: providerID, ProviderID: providerID}
}

func fakeNode(id, reason string) cloudprovider.Node {
	return cloudprovider.Node{Name: id, ProviderID: id, Annotations: map[string]string{cloudprovider.FakeNodeReason: reason}}
}

// manualClock stands still until it is told to move.
type manualClock struct{ now time.Time }

func (c *manualClock) Now() time.Time                  { return c.now }
func (c *manualClock) Since(t time.Time) time.Duration { return c.now.Sub(t) }
func (c *manualClock) advance(d time.Duration)         { c.now = c.now.Add(d) }
