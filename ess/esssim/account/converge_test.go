package account

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	clocktesting "k8s.io/utils/clock/testing"
	"pgregory.net/rapid"
)

const twoGroups = `apiVersion: buildpool/v1alpha1
kind: Account
region: r
accessKeys: [{id: k, secret: s}]
vSwitches: [{id: vsw-a, zone: a}, {id: vsw-b, zone: b}]
instanceTypes:
  - {name: big, cpus: 8, memoryGiB: 16, pricePerHour: 2}
  - {name: cheap, cpus: 8, memoryGiB: 16, pricePerHour: 1}
scalingGroups:
  - id: expected
    min: 1
    max: 30
    expectedNumberMode: true
    multiAZPolicy: BALANCE
    vSwitchIds: [vsw-a, vsw-b]
    scalingConfiguration: {id: asc-e, instanceTypes: [big, cheap], spotStrategy: SpotAsPriceGo}
  - id: plain
    min: 0
    max: 30
    vSwitchIds: [vsw-b]
    scalingConfiguration: {id: asc-p, instanceTypes: [cheap]}
`

func newTwoGroups(t require.TestingT, seed uint64) (*Account, *clocktesting.FakePassiveClock) {
	cfg, err := Parse("two.yaml", []byte(twoGroups))
	require.NoError(t, err)
	clock := clocktesting.NewFakePassiveClock(time.Date(2026, 8, 3, 15, 0, 0, 0, time.UTC))
	a, err := New(cfg, clock, seed)
	require.NoError(t, err)
	return a, clock
}

// checkInvariants says what must be true of an account at any instant.
func checkInvariants(t require.TestingT, a *Account) {
	defer a.enter()()
	used, addresses := map[stockKey]int{}, map[string]int{}
	for _, i := range a.loose {
		used[i.pool().key()]++
		addresses[i.vSwitch]++
		require.Nil(t, i.group)
	}
	for _, g := range a.groups {
		var counted, weighed Counters
		running, missing, spot := 0, 0, 0
		for _, i := range g.instances {
			*counted.of(i.state)++
			*weighed.of(i.state) += i.weight
			if i.powered() {
				used[i.pool().key()]++
			}
			addresses[i.vSwitch]++
			if i.spot != NoSpot {
				spot++
			}
			require.Same(t, i, a.instances[i.id])
		}
		for _, act := range g.activities {
			if act.status == InProgress {
				running++
				missing += act.missing
			}
		}
		require.Equal(t, counted, g.counters, "counters equal the instances")
		require.Equal(t, weighed, g.capacity)
		require.Equal(t, spot, g.spot)
		if g.exclusive != nil {
			require.Equal(t, InProgress, g.exclusive.status)
		}
		require.Equal(t, running, g.running)
		require.Equal(t, missing, g.missing)
		if g.expected {
			require.GreaterOrEqual(t, g.desired, g.min)
			require.LessOrEqual(t, g.desired, g.max)
		}
	}
	for vSwitch, n := range a.stock.addresses {
		require.Equal(t, addresses[vSwitch], n)
	}
	for key, n := range a.stock.used {
		require.Equal(t, used[key], n, "stock counts what runs: %v", key)
	}
}

func instancesOf(t require.TestingT, a *Account, group string) []Instance {
	page, err := a.Instances(InstanceQuery{GroupID: group, Paging: Paging{Size: 100}})
	require.NoError(t, err)
	return page.Items
}

// operate does one random thing to the account.
func operate(t *rapid.T, a *Account, clock *clocktesting.FakePassiveClock) {
	group := rapid.SampledFrom([]string{"expected", "plain"}).Draw(t, "group")
	instances := instancesOf(t, a, group)
	pick := func() string {
		if len(instances) == 0 {
			return "i-none"
		}
		return rapid.SampledFrom(instances).Draw(t, "instance").ID
	}
	number := func() int { return rapid.IntRange(0, 30).Draw(t, "number") }
	var err error
	switch rapid.IntRange(0, 8).Draw(t, "what") {
	case 0, 1:
		clock.SetTime(clock.Now().Add(time.Duration(rapid.IntRange(0, 90).Draw(t, "seconds")) * time.Second))
	case 2:
		_, err = a.ScaleWithAdjustment(Adjustment{GroupID: group, Type: TotalCapacity, Value: number(), Sync: rapid.Bool().Draw(t, "sync")})
	case 3:
		_, err = a.ScaleWithAdjustment(Adjustment{GroupID: group, Type: QuantityChange, Value: number() - 15})
	case 4:
		_, err = a.RemoveInstances(Removal{GroupID: group, InstanceIDs: []string{pick(), pick()}, IgnoreInvalid: rapid.Bool().Draw(t, "ignore"), KeepDesired: rapid.Bool().Draw(t, "keep")})
	case 5:
		n := number()
		err = a.ModifyGroup(Modification{GroupID: group, Desired: &n})
	case 6:
		err = a.SetProtection(Protection{GroupID: group, InstanceIDs: []string{pick()}, Protected: rapid.Bool().Draw(t, "protected")})
	case 7:
		_ = a.Reclaim(pick(), 0)
	case 8:
		err = a.SetStock(Stock{Zone: "a", Type: "big", Charge: Spot, Count: rapid.IntRange(-1, 5).Draw(t, "stock")})
	}
	if err != nil {
		var known *Error
		require.ErrorAs(t, err, &known)
	}
}

func TestAccountStaysConsistentAndConverges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, clock := newTwoGroups(t, 1)
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			operate(t, a, clock)
			checkInvariants(t, a)
		}
		// With all the stock in the world, and nobody touching anything, the number of
		// instances becomes what it is to be.
		for _, zone := range []string{"a", "b"} {
			for _, name := range []string{"big", "cheap"} {
				require.NoError(t, a.SetStock(Stock{zone, name, Spot, unlimited}))
			}
		}
		for _, i := range instancesOf(t, a, "expected") {
			if i.State == Protected {
				require.NoError(t, a.SetProtection(Protection{GroupID: "expected", InstanceIDs: []string{i.ID}}))
			}
		}
		for range 20 {
			clock.SetTime(clock.Now().Add(30 * time.Second))
			checkInvariants(t, a)
		}
		state := a.State()
		g := state.Groups[0]
		require.Equal(t, Counters{InService: g.Desired}, g.Counters)
		for _, act := range append(g.Activities, state.Groups[1].Activities...) {
			require.NotEqual(t, InProgress, act.Status)
		}
	})
}

func TestSameSeedAndCallsGiveTheSameAccount(t *testing.T) {
	history := func(seed uint64) string {
		a, clock := newTwoGroups(t, seed)
		for n := range 30 {
			_, err := a.ScaleWithAdjustment(Adjustment{GroupID: "expected", Type: TotalCapacity, Value: 2 + n%2*10})
			require.NoError(t, err)
			clock.SetTime(clock.Now().Add(17 * time.Second))
		}
		return fmt.Sprintf("%+v", a.State())
	}
	assert.Equal(t, history(7), history(7))
	assert.NotEqual(t, history(7), history(8))
}

// The account is the same whether it is looked at all the time or only at the end.
func TestReadingChangesNothing(t *testing.T) {
	history := func(look time.Duration) string {
		a, clock := newTwoGroups(t, 1)
		require.NoError(t, a.SetStock(Stock{"a", "big", Spot, 2}))
		_, err := a.ScaleWithAdjustment(Adjustment{GroupID: "expected", Type: TotalCapacity, Value: 9})
		require.NoError(t, err)
		end := clock.Now().Add(10 * time.Minute)
		for clock.Now().Before(end) {
			clock.SetTime(clock.Now().Add(look))
			a.State()
		}
		return fmt.Sprintf("%+v", a.State())
	}
	assert.Equal(t, history(time.Second), history(10*time.Minute))
}

func TestPoliciesSpreadAsTheyShould(t *testing.T) {
	spread := func(policy MultiAZPolicy, stock ...Stock) map[string]int {
		cfg, err := Parse("two.yaml", []byte(twoGroups))
		require.NoError(t, err)
		cfg.ScalingGroups[0].MultiAZPolicy = policy
		cfg.Stock = stock
		clock := clocktesting.NewFakePassiveClock(time.Unix(0, 0))
		a, err := New(cfg, clock, 1)
		require.NoError(t, err)
		_, err = a.ScaleWithAdjustment(Adjustment{GroupID: "expected", Type: TotalCapacity, Value: 6, Sync: true})
		require.NoError(t, err)
		clock.SetTime(clock.Now().Add(time.Minute))
		found := map[string]int{}
		for _, i := range instancesOf(t, a, "expected") {
			found[i.Zone+"/"+i.Type.Name]++
		}
		return found
	}
	short := Stock{"a", "big", Spot, 2}
	assert.Equal(t, map[string]int{"a/big": 6}, spread(Priority))
	assert.Equal(t, map[string]int{"a/big": 2, "a/cheap": 4}, spread(Priority, short))
	assert.Equal(t, map[string]int{"a/big": 3, "b/big": 3}, spread(Balance))
	assert.Equal(t, map[string]int{"a/big": 2, "a/cheap": 1, "b/big": 3}, spread(Balance, short))
	assert.Equal(t, map[string]int{"a/cheap": 6}, spread(CostOptimized))
}

func TestStockCountsWhatRuns(t *testing.T) {
	a, clock := newTwoGroups(t, 1)
	p := func() { clock.SetTime(clock.Now().Add(time.Minute)) }
	require.NoError(t, a.SetStock(Stock{"b", "cheap", OnDemand, 2}))
	_, err := a.ScaleWithAdjustment(Adjustment{GroupID: "plain", Type: TotalCapacity, Value: 3})
	require.NoError(t, err)
	p()
	require.Len(t, instancesOf(t, a, "plain"), 2)
	require.NoError(t, a.SetStock(Stock{"b", "cheap", OnDemand, 1}))
	_, err = a.RemoveInstances(Removal{GroupID: "plain", InstanceIDs: []string{instancesOf(t, a, "plain")[0].ID}})
	require.NoError(t, err)
	p()
	result, err := a.ScaleWithAdjustment(Adjustment{GroupID: "plain", Type: TotalCapacity, Value: 2})
	require.NoError(t, err)
	p()
	page, err := a.Activities(ActivityQuery{IDs: []string{result.ActivityID}})
	require.NoError(t, err)
	assert.Equal(t, Failed, page.Items[0].Status, "one given back does not end the stock-out: one still runs")
	assert.Equal(t, []StockState{{Stock{"b", "cheap", OnDemand, 1}, 1}}, a.State().Stock[len(a.State().Stock)-1:])
}

func TestSuspendedProcessesRest(t *testing.T) {
	cfg, err := Parse("two.yaml", []byte(twoGroups))
	require.NoError(t, err)
	cfg.ScalingGroups[0].Suspended = []string{"ScaleOut", "ScaleIn"}
	clock := clocktesting.NewFakePassiveClock(time.Unix(0, 0))
	a, err := New(cfg, clock, 1)
	require.NoError(t, err)
	clock.SetTime(clock.Now().Add(time.Hour))
	assert.Empty(t, instancesOf(t, a, "expected"))
}

func TestMinIsKeptWithoutExpectedNumber(t *testing.T) {
	a, clock := newTwoGroups(t, 1)
	low := 2
	require.NoError(t, a.ModifyGroup(Modification{GroupID: "plain", Min: &low}))
	clock.SetTime(clock.Now().Add(time.Minute))
	assert.Len(t, instancesOf(t, a, "plain"), 2)
	high := 1
	low = 0
	require.NoError(t, a.ModifyGroup(Modification{GroupID: "plain", Min: &low, Max: &high}))
	clock.SetTime(clock.Now().Add(time.Minute))
	assert.Len(t, instancesOf(t, a, "plain"), 1)
}

func TestOldActivitiesAndTokensAreForgotten(t *testing.T) {
	a, clock := newTwoGroups(t, 1)
	first := ""
	for n := range 1500 {
		r, err := a.ScaleWithAdjustment(Adjustment{GroupID: "expected", Type: TotalCapacity, Value: 2 + n%2, Token: fmt.Sprint(n)})
		require.NoError(t, err)
		if first == "" {
			first = r.ActivityID
		}
		clock.SetTime(clock.Now().Add(time.Minute))
	}
	page, err := a.Activities(ActivityQuery{GroupID: "expected"})
	require.NoError(t, err)
	assert.Less(t, page.Total, keptActivities+100)
	page, err = a.Activities(ActivityQuery{IDs: []string{first}})
	require.NoError(t, err)
	assert.Empty(t, page.Items)
	assert.Len(t, a.tokens.known, 24*60)
	assert.Len(t, a.tokens.order, 24*60)
}
