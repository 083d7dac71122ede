package account

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	clocktesting "k8s.io/utils/clock/testing"
	"pgregory.net/rapid"
)

// everything is an account whose groups have everything that a group can have.
const everything = `apiVersion: buildpool/v1alpha1
kind: Account
region: r
accessKeys: [{id: k, secret: s}]
delays: {listInstances: 2s, listGroups: 1s}
spotMarket: {amplitude: 0.8, reclaimBeyondStock: true, protection: 5m}
vSwitches: [{id: vsw-a, zone: a}, {id: vsw-b, zone: b, addresses: 20}]
instanceTypes:
  - {name: big, cpus: 16, memoryGiB: 32, pricePerHour: 2}
  - {name: cheap, cpus: 8, memoryGiB: 16, pricePerHour: 1}
machines: [{id: i-1, type: cheap, vSwitchId: vsw-a}, {id: i-2, type: big, vSwitchId: vsw-b}]
scalingGroups:
  - id: eco
    max: 20
    inService: 3
    stopped: 2
    expectedNumberMode: true
    scalingPolicy: recycle
    vSwitchIds: [vsw-a]
    scalingConfiguration: {id: asc-eco, instanceTypes: [cheap]}
  - id: cost
    min: 1
    max: 20
    expectedNumberMode: true
    multiAZPolicy: COST_OPTIMIZED
    onDemandBase: 1
    onDemandPercentAboveBase: 20
    compensateWithOnDemand: true
    spotInstanceRemedy: true
    vSwitchIds: [vsw-a, vsw-b]
    scalingConfiguration:
      id: asc-cost
      instanceTypes: [big, cheap]
      spotStrategy: SpotWithPriceLimit
      spotPriceLimits: {big: 0.25, cheap: 0.12}
      weights: {big: 2}
  - id: hooks
    max: 20
    expectedNumberMode: true
    vSwitchIds: [vsw-b]
    scalingConfiguration: {id: asc-hooks, instanceTypes: [cheap]}
    lifecycleHooks:
      - {id: out, transition: SCALE_OUT, heartbeatTimeout: 30s}
      - {id: in, transition: SCALE_IN, heartbeatTimeout: 30s}
  - id: plain
    max: 20
    vSwitchIds: [vsw-a, vsw-b]
    multiAZPolicy: BALANCE
    scalingConfiguration: {id: asc-plain, instanceTypes: [cheap, big]}
`

func newEverything(t require.TestingT, seed uint64) (*Account, *clocktesting.FakePassiveClock) {
	cfg, err := Parse("everything.yaml", []byte(everything))
	require.NoError(t, err)
	clock := clocktesting.NewFakePassiveClock(time.Date(2026, 8, 3, 15, 0, 0, 0, time.UTC))
	a, err := New(cfg, clock, seed)
	require.NoError(t, err)
	return a, clock
}

// chance draws the numbers of a random history.
type chance func(n int) int

// happen does one random thing of all that can be done to the account.
func happen(a *Account, clock *clocktesting.FakePassiveClock, draw chance) error {
	state := a.State()
	g := state.Groups[draw(len(state.Groups))]
	pick := func() string {
		if len(g.Instances) == 0 || draw(10) == 0 {
			return []string{"i-1", "i-2", "i-none"}[draw(3)]
		}
		return g.Instances[draw(len(g.Instances))].ID
	}
	var err error
	switch draw(16) {
	case 0, 1, 2:
		clock.SetTime(clock.Now().Add(time.Duration(draw(90)) * time.Second))
	case 3:
		_, err = a.ScaleWithAdjustment(Adjustment{GroupID: g.ID, Type: TotalCapacity, Value: draw(15), Sync: draw(2) == 0})
	case 4:
		policy := []ScalingPolicy{"", Recycle}[draw(2)]
		_, err = a.RemoveInstances(Removal{GroupID: g.ID, InstanceIDs: []string{pick(), pick()}, IgnoreInvalid: draw(2) == 0, KeepDesired: draw(2) == 0, Policy: policy})
	case 5:
		_, err = a.DetachInstances(Removal{GroupID: g.ID, InstanceIDs: []string{pick()}, KeepDesired: draw(2) == 0})
	case 6:
		_, err = a.AttachInstances(Attachment{GroupID: g.ID, InstanceIDs: []string{[]string{"i-1", "i-2"}[draw(2)]}, Entrusted: draw(2) == 0})
	case 7:
		err = a.SetHealth(pick(), []string{Healthy, Unhealthy, Unhealthy}[draw(3)])
	case 8:
		err = a.EnterStandby(g.ID, []string{pick()})
	case 9:
		err = a.ExitStandby(g.ID, []string{pick()})
	case 10:
		err = a.SetProtection(Protection{GroupID: g.ID, InstanceIDs: []string{pick()}, Protected: draw(2) == 0})
	case 11:
		err = a.Reclaim(pick(), time.Duration(draw(300))*time.Second)
	case 12:
		return a.SetStock(Stock{Zone: "a", Type: "cheap", Charge: []Charge{Spot, OnDemand}[draw(2)], Count: draw(8) - 1})
	case 13:
		instances := draw(40)
		return a.SetQuotas(Quotas{Instances: &instances})
	case 14:
		_, err = a.StartExclusive(Exclusive{GroupID: g.ID, Kind: "rebalance", Lasts: Duration(time.Minute)})
	case 15:
		err = completeOne(a, g, draw)
	}
	return err
}

func completeOne(a *Account, g GroupState, draw chance) error {
	for _, act := range g.Activities {
		page, err := a.LifecycleActions(act.ID, ActionPending, "", 50)
		if err != nil {
			return err
		}
		for _, x := range page.Items {
			return a.CompleteLifecycleAction(Completion{HookID: x.HookID, Token: x.Token, Result: []LifecycleResult{Continue, Abandon, Rollback}[draw(3)]})
		}
	}
	return nil
}

func TestAnAccountWithEverythingStaysConsistentAndConverges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, clock := newEverything(t, 1)
		draw := func(n int) int { return rapid.IntRange(0, n-1).Draw(t, "chance") }
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			if err := happen(a, clock, draw); err != nil {
				var known *Error
				require.ErrorAs(t, err, &known)
			}
			checkInvariants(t, a)
		}
		settleEverything(t, a, clock)
		for _, g := range a.State().Groups {
			live := g.Capacity.Live()
			if g.ExpectedNumberMode {
				require.True(t, live >= g.Desired || outOfAddresses(a, g.VSwitchIDs), "%s: %d of %d", g.ID, live, g.Desired)
				require.Less(t, live, g.Desired+2, "beyond by less than the largest weight: %s", g.ID)
			}
			require.Equal(t, g.Counters.InService+g.Counters.Stopped, g.Counters.Total(), g.ID)
			for _, act := range g.Activities {
				require.NotEqual(t, InProgress, act.Status)
			}
		}
	})
}

// outOfAddresses is true where not one of the vSwitches has an address to give: the
// one shortage that settling cannot end, as others hold the addresses.
func outOfAddresses(a *Account, vSwitches []string) bool {
	return !slices.ContainsFunc(vSwitches, func(id string) bool {
		capacity, bounded := a.capacityOf(id)
		return !bounded || a.stock.addresses[id] < capacity
	})
}

// settleEverything takes away all that keeps groups from what they are to be, and
// lets time pass.
func settleEverything(t require.TestingT, a *Account, clock *clocktesting.FakePassiveClock) {
	require.NoError(t, a.SetQuotas(Quotas{}))
	for _, zone := range []string{"a", "b"} {
		for _, name := range []string{"big", "cheap"} {
			for _, charge := range []Charge{Spot, OnDemand} {
				require.NoError(t, a.SetStock(Stock{zone, name, charge, unlimited}))
			}
			require.NoError(t, a.SetSpotPrice(MarketPrice{zone, name, 0.05}))
		}
	}
	// The first round lets hooks and waits end, so that every instance is in a state
	// that can be left.
	for range 2 {
		for range 40 {
			clock.SetTime(clock.Now().Add(30 * time.Second))
			checkInvariants(t, a)
		}
		for _, g := range a.State().Groups {
			for _, i := range g.Instances {
				switch i.State {
				case Protected:
					require.NoError(t, a.SetProtection(Protection{GroupID: g.ID, InstanceIDs: []string{i.ID}}))
				case Standby:
					require.NoError(t, a.ExitStandby(g.ID, []string{i.ID}))
				}
			}
		}
	}
	clock.SetTime(clock.Now().Add(10 * time.Minute))
}

// Two runs of one random script give the same bytes; another seed gives others.
func TestSameSeedAndScriptGiveTheSameBytes(t *testing.T) {
	run := func(seed uint64) string {
		a, clock := newEverything(t, seed)
		random := rand.New(rand.NewPCG(1, 2))
		var said []string
		for range 400 {
			if err := happen(a, clock, random.IntN); err != nil {
				said = append(said, err.Error())
			}
			said = append(said, string(lists(t, a)))
		}
		said = append(said, string(marshal(t, a.State())))
		return string(marshal(t, said))
	}
	first := run(7)
	assert.Equal(t, first, run(7))
	assert.NotEqual(t, first, run(8))
}

func lists(t *testing.T, a *Account) []byte {
	groups, err := a.Groups(GroupQuery{})
	require.NoError(t, err)
	instances, err := a.Instances(InstanceQuery{Paging: Paging{Size: maxInstancePage}})
	require.NoError(t, err)
	return append(marshal(t, groups), marshal(t, instances)...)
}

func marshal(t *testing.T, v any) []byte {
	data, err := json.Marshal(v)
	require.NoError(t, err)
	return data
}
