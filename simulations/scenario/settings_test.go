package scenario_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/nodegroups/config"
	"github.com/buildpool/buildpool/overflow"
	"github.com/buildpool/buildpool/simulations/engine"
	"github.com/buildpool/buildpool/simulations/scenario"
)

const file = `
apiVersion: buildpool/v1alpha1
kind: NodeGroups
region: cn-hangzhou
groups:
  - {name: n, class: normal, scalingGroup: {id: asg-n}, max: 9, template: {instanceType: ecs.c7.2xlarge}}
  - {name: s, class: spot, scalingGroup: {id: asg-s}, max: 9}
`

func groups(t *testing.T) config.Config {
	t.Helper()
	cfg, err := config.Parse("nodegroups.yaml", []byte(file))
	require.NoError(t, err)
	return cfg
}

func parse(t *testing.T, text string) scenario.Simulation {
	t.Helper()
	s, err := scenario.Parse("assumptions.yaml", []byte("apiVersion: buildpool/v1alpha1\nkind: Simulation\n"+text))
	require.NoError(t, err)
	return s
}

func TestSettingsOfAssumptions(t *testing.T) {
	s := parse(t, `
groups:
  - name: s
    instanceType: ecs.g7.xlarge
    pricePerHour: 0.25
    boot: {median: 1m, p95: 2m}
    stock: 7
    spot: {notice: 2m, reclaimsPerHour: 0.1, mass: [{at: 2h, share: 0.5}]}
  - {name: n, recycles: true}
images: [{name: go, pull: 40s}, {name: jnlp, baked: true}]
stockouts: [{group: s, from: 1h, until: 2h, stock: 3}]
scheduler: MostAllocated
autoscaler: {flags: [--scan-interval=20s], release: 33, loopTime: 100ms}
variants: [{name: slow, flags: [--scan-interval=30s], scheduler: LeastAllocated}]
`)
	out, err := s.Settings(groups(t), nil, scenario.Variant{}, scenario.Flags{})
	require.NoError(t, err)
	assert.Equal(t, engine.MostAllocated, out.Scheduler)
	assert.Equal(t, 20*time.Second, out.Autoscaler.ScanInterval)
	assert.Equal(t, 33, out.Autoscaler.Release)
	assert.False(t, out.Autoscaler.FrequentLoops, "the default of 1.33")
	assert.Equal(t, 5*time.Second, out.AgentStart)
	assert.Equal(t, map[string]engine.Image{"go": {Pull: 40 * time.Second}, "jnlp": {Baked: true}}, out.Images)
	assert.Equal(t, "CNY", out.Currency)

	n, spot := out.Groups[0], out.Groups[1]
	assert.InDelta(t, 1.6308, n.PricePerHour, 1e-4, "the shipped table's")
	assert.Equal(t, "8", n.Template.Capacity.Cpu().String())
	assert.Equal(t, "7910m", n.Template.Allocatable.Cpu().String(), "as production reserves")
	assert.Nil(t, n.Spot)
	assert.True(t, n.Recycles)
	assert.Equal(t, engine.Delay{Median: time.Minute, P95: 2 * time.Minute}, spot.Boot)
	assert.Equal(t, 0.25, spot.PricePerHour)
	assert.Equal(t, "4", spot.Template.Capacity.Cpu().String())
	assert.Equal(t, "SpotAsPriceGo", spot.Template.Labels["node.alibabacloud.com/spot-strategy"])
	assert.Equal(t, &engine.Spot{
		Protected: time.Hour, Notice: 2 * time.Minute, ReclaimsPerHour: 0.1, Mass: []engine.MassReclaim{{At: 2 * time.Hour, Share: 0.5}},
	}, spot.Spot)
	assert.Equal(t, 7, spot.Stock)

	more, err := scenario.ParseFlags([]string{"--scan-interval=40s"})
	require.NoError(t, err)
	out, err = s.Settings(groups(t), nil, s.Variants[0], scenario.Flags{})
	require.NoError(t, err)
	assert.Equal(t, 30*time.Second, out.Autoscaler.ScanInterval)
	assert.Equal(t, engine.LeastAllocated, out.Scheduler)
	out, err = s.Settings(groups(t), nil, s.Variants[0], more)
	require.NoError(t, err)
	assert.Equal(t, 40*time.Second, out.Autoscaler.ScanInterval, "the command line comes last")
}

func TestSpotInstancesAreNeverStopped(t *testing.T) {
	_, err := parse(t, "groups: [{name: s, instanceType: ecs.g7.xlarge, recycles: true}]").Settings(groups(t), nil, scenario.Variant{}, scenario.Flags{})
	require.ErrorContains(t, err, `group "s": recycles is assumed of it, but its instances are spot`)
	require.ErrorContains(t, err, "remove recycles")
}

func TestFactsOutrankDefaults(t *testing.T) {
	boot, price := engine.Delay{Median: 33 * time.Second, P95: 33 * time.Second}, 0.4
	fact := scenario.Facts{
		Launch: cloudprovider.Launch{Source: "asc", Zones: []string{"cn-hangzhou-h"}, SpotStrategy: "SpotAsPriceGo"},
		Types:  []cloudprovider.InstanceType{{Name: "ecs.x", CPUs: 6, MemoryGiB: 24, Arch: "arm64"}},
		Boot:   &boot, Stock: 5, PricePerHour: &price,
	}
	out, err := parse(t, "").Settings(groups(t), map[string]scenario.Facts{"s": fact}, scenario.Variant{}, scenario.Flags{})
	require.NoError(t, err)
	s := out.Groups[1]
	assert.Equal(t, boot, s.Boot)
	assert.Equal(t, 0.4, s.PricePerHour)
	assert.Equal(t, 5, s.Stock)
	assert.Equal(t, "arm64", s.Template.Labels["kubernetes.io/arch"])
	assert.NotNil(t, s.Spot)
}

const overflowing = file + `overflow:
  scanInterval: 20s
  price: {perCPU: 0.2, perGiB: 0.02, currency: CNY}
  classes:
    - {class: spot, podSelector: "a=b", startWhen: {waitedFor: 1m, noGroupCanGrow: true}, maxPods: 7, scaleUpDelay: 5m}
`

func TestOverflowOfTheFile(t *testing.T) {
	cfg, err := config.Parse("nodegroups.yaml", []byte(overflowing))
	require.NoError(t, err)
	settings := func(text string, v scenario.Variant) (engine.Settings, error) {
		return parse(t, "groups: [{name: s, instanceType: ecs.g7.xlarge, pricePerHour: 1}]\n"+text).Settings(cfg, nil, v, scenario.Flags{})
	}
	out, err := settings("", scenario.Variant{})
	require.NoError(t, err)
	require.NotNil(t, out.Overflow)
	assert.Equal(t, 20*time.Second, out.Overflow.ScanInterval)
	assert.Equal(t, engine.Delay{Median: 15 * time.Second, P95: 30 * time.Second}, out.Overflow.Start)
	require.Len(t, out.Overflow.Classes, 1)
	c := out.Overflow.Classes[0]
	assert.Equal(t, config.ClassSpot, c.Class)
	assert.Equal(t, 5*time.Minute, c.ScaleUpDelay)
	assert.Equal(t, 7, c.Policy.MaxPods)
	assert.Equal(t, overflow.Start{After: time.Minute, WhenBlocked: true}, c.Policy.Start)
	assert.Equal(t, overflow.Price{PerCPU: 0.2, PerGiB: 0.02}, c.Policy.Price)

	out, err = settings("virtualNode: {start: {median: 40s}, price: {perCPU: 1, perGiB: 0}, labels: {a: b}}", scenario.Variant{})
	require.NoError(t, err)
	assert.Equal(t, engine.Delay{Median: 40 * time.Second, P95: 40 * time.Second}, out.Overflow.Start)
	assert.Equal(t, overflow.Price{PerCPU: 1}, out.Overflow.Classes[0].Policy.Price)
	assert.Equal(t, map[string]string{"a": "b"}, out.Overflow.Labels)

	out, err = settings("", scenario.Variant{WithoutOverflow: true})
	require.NoError(t, err)
	assert.Nil(t, out.Overflow)

	_, err = settings("virtualNode: {price: {perCPU: 1, perGiB: 0, currency: USD}}", scenario.Variant{})
	require.ErrorContains(t, err, "overflow: its price is in USD, those of the groups are in CNY")
	cfg.Overflow.Price = nil
	_, err = settings("", scenario.Variant{})
	require.ErrorContains(t, err, "write overflow.price in the node-group file, or virtualNode.price in the assumptions")
	_, err = scenario.Parse("a.yaml", []byte("apiVersion: buildpool/v1alpha1\nkind: Simulation\nvirtualNode: {start: {median: 2m, p95: 1m}, price: {perCPU: -1, perGiB: 1}}\n"))
	require.ErrorContains(t, err, "a.yaml:3:40: virtualNode.start.p95: is below the median")
	require.ErrorContains(t, err, "virtualNode.price.perCPU: the price is negative")
}

func TestWhatNobodySaysIsAsked(t *testing.T) {
	_, err := parse(t, "").Settings(groups(t), nil, scenario.Variant{}, scenario.Flags{})
	require.ErrorIs(t, err, cloudprovider.ErrNoTemplate)
	_, err = parse(t, "groups: [{name: s, instanceType: ecs.gn7i-c8g1.2xlarge}]").Settings(groups(t), nil, scenario.Variant{}, scenario.Flags{})
	require.ErrorContains(t, err, "assume cpus and memoryGiB")
	_, err = parse(t, "groups: [{name: s, cpus: 3, memoryGiB: 5}]").Settings(groups(t), nil, scenario.Variant{}, scenario.Flags{})
	require.ErrorIs(t, err, cloudprovider.ErrNoPrice)
}

func TestEverythingWrongAtOnce(t *testing.T) {
	_, err := scenario.Parse("a.yaml", []byte(`apiVersion: buildpool/v1alpha1
kind: Simulations
workload: {profile: morning, trace: x.csv, days: -1, timeZone: Nowhere}
groups:
  - {name: a, boot: {median: 2m, p95: 1m}, stock: -1, arch: mips}
  - {name: a, spot: {mass: [{at: 1h, share: 2}]}}
images: [{name: x, pull: 1s, baked: true}]
stockouts: [{group: a, from: 2h, until: 1h}]
autoscaler: {flags: [--scan-interval=x], release: 3}
unknown: 1
`))
	var problems config.Errors
	require.ErrorAs(t, err, &problems)
	for _, want := range []string{
		`a.yaml:2:7: kind: unknown kind "Simulations"; write Simulation`,
		`a.yaml:3:11: workload: has both a trace and a profile`,
		`workload.profile: unknown profile "morning"; use one of`,
		`workload.days: -1 is negative`, `workload.timeZone: "Nowhere" is no time zone`,
		`groups[0].boot.p95: is below the median`, `groups[0].stock: -1 is negative`, `groups[0].arch: unknown architecture "mips"`,
		`groups[1].name: the group "a" is assumed of already`, `groups[1].spot.mass[0].share: 2 is no share`,
		`images[0]: a baked image is not pulled`, `stockouts[0].until: the window ends before it begins`,
		`autoscaler.flags[0]: --scan-interval: "x" is no duration`, `autoscaler.release: 3 is no minor release`,
		`a.yaml:10:1: unknown: unknown key`,
	} {
		assert.ErrorContains(t, err, want)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(file)
	f.Add("apiVersion: buildpool/v1alpha1\nkind: Simulation\ngroups: [{name: a, spot: {}}]\n")
	f.Fuzz(func(_ *testing.T, text string) {
		_, _ = scenario.Parse("a.yaml", []byte(text))
	})
}
