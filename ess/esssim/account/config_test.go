package account

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	clocktesting "k8s.io/utils/clock/testing"
)

const small = `apiVersion: buildpool/v1alpha1
kind: Account
region: cn-hangzhou
accessKeys:
  - {id: sim-access-key, secret: sim-secret}
vSwitches:
  - {id: vsw-h, zone: cn-hangzhou-h}
instanceTypes:
  - {name: ecs.c7.2xlarge, cpus: 8, memoryGiB: 16, pricePerHour: 1.5}
stock:
  - {zone: cn-hangzhou-h, type: ecs.c7.2xlarge, charge: spot, count: 0}
throttle:
  - {api: "*", requests: 10, per: 1m}
launchTemplates:
  - {id: lt-a, instanceTypes: [ecs.c7.2xlarge]}
scalingGroups:
  - id: asg-a
    min: 1
    max: 4
    vSwitchIds: [vsw-h]
    scalingConfiguration: {id: asc-a, instanceTypes: [ecs.c7.2xlarge]}
`

func TestDefaultsOfAnAccount(t *testing.T) {
	cfg, err := Parse("small.yaml", []byte(small))
	require.NoError(t, err)
	g := cfg.ScalingGroups[0]
	assert.Equal(t, "asg-a", g.Name)
	assert.Equal(t, 1, *g.Desired)
	assert.Equal(t, Active, g.Lifecycle)
	assert.Equal(t, Priority, g.MultiAZPolicy)
	assert.Equal(t, Release, g.ScalingPolicy)
	assert.Equal(t, NoSpot, g.ScalingConfiguration.SpotStrategy)
	assert.Equal(t, "X86", cfg.InstanceTypes[0].Arch)
	assert.InDelta(t, 0.15, cfg.InstanceTypes[0].SpotPricePerHour, 1e-9)
	assert.Equal(t, 1, cfg.LaunchTemplates[0].Version)
	a, err := New(cfg, clocktesting.NewFakePassiveClock(time.Unix(0, 0)), 1)
	require.NoError(t, err)
	assert.Equal(t, defaultDelays, a.Delays())
}

func TestLoadNamesTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "account.yaml")
	_, err := Load(path)
	require.ErrorContains(t, err, path)
	require.NoError(t, os.WriteFile(path, []byte("region: [x]"), 0o600))
	_, err = Load(path)
	require.ErrorContains(t, err, path)
}

func TestMistakesAreNamed(t *testing.T) {
	for name, test := range map[string]struct{ old, new, says string }{
		"unknown field":     {"region:", "regions: x\nregion:", "line 3: field regions not found"},
		"wrong type":        {"min: 1", "min: one", "line 18: cannot unmarshal"},
		"version":           {"v1alpha1", "v2", `apiVersion: "buildpool/v2"`},
		"kind":              {"kind: Account", "kind: Pod", `kind: "Pod"`},
		"region":            {"region: cn-hangzhou", "region: ''", "region: is missing"},
		"real key":          {"sim-access-key", "LTAI5tExample", "accessKeys[0].id: looks like a real access key"},
		"real token key":    {"sim-access-key", "STS.NUExample", "accessKeys[0].id: looks like a real access key"},
		"no secret":         {", secret: sim-secret", "", "accessKeys[0].secret: is missing"},
		"expiry":            {"secret: sim-secret", "secret: x, expires: soon", "accessKeys[0].expires"},
		"no zone":           {", zone: cn-hangzhou-h}\ninst", "}\ninst", "vSwitches[0].zone"},
		"no CPUs":           {"cpus: 8", "cpus: 0", "instanceTypes[0].cpus"},
		"no memory":         {"memoryGiB: 16", "memoryGiB: 0", "instanceTypes[0].memoryGiB"},
		"arch":              {"pricePerHour: 1.5", "arch: amd64", `instanceTypes[0].arch: "amd64" is not one of X86, ARM`},
		"GPU model":         {"pricePerHour: 1.5", "gpus: 1", "instanceTypes[0].gpus"},
		"negative price":    {"pricePerHour: 1.5", "pricePerHour: -1", "instanceTypes[0].pricePerHour"},
		"stock zone":        {"- {zone: cn-hangzhou-h, type", "- {zone: nowhere, type", `stock[0]: zone: no vSwitch is in "nowhere"`},
		"stock type":        {"type: ecs.c7.2xlarge, charge", "type: ecs.x, charge", `stock[0]: type: "ecs.x"`},
		"stock charge":      {"charge: spot", "charge: cheap", `stock[0]: charge: "cheap"`},
		"stock count":       {"count: 0", "count: -2", "stock[0]: count"},
		"throttle window":   {"per: 1m", "per: 0s", "throttle[0].per"},
		"duration":          {"per: 1m", "per: minute", `"minute" is not a duration`},
		"retry without end": {"vSwitches:", "delays: {retry: 10ms}\nvSwitches:", "delays.retry: 10ms is less than 1s"},
		"negative delay":    {"vSwitches:", "delays: {create: -1s}\nvSwitches:", "delays.create"},
		"kernel memory":     {"vSwitches:", "kernelMemoryPercent: 100\nvSwitches:", "kernelMemoryPercent"},
		"template type":     {"lt-a, instanceTypes: [ecs.c7.2xlarge]", "lt-a, instanceTypes: [ecs.x]", "launchTemplates[0].instanceTypes[0]"},
		"min over max":      {"min: 1", "min: 5", "scalingGroups[0].max: min 5 and max 4"},
		"max too large":     {"max: 4", "max: 2001", "scalingGroups[0].max"},
		"desired":           {"max: 4", "max: 4\n    desired: 5", "scalingGroups[0].desired: 5 is not between min 1 and max 4"},
		"in service":        {"max: 4", "max: 4\n    desired: 1\n    inService: 2", "scalingGroups[0].inService"},
		"vSwitch":           {"vSwitchIds: [vsw-h]", "vSwitchIds: [vsw-x]", `scalingGroups[0].vSwitchIds[0]: "vsw-x"`},
		"no vSwitch":        {"vSwitchIds: [vsw-h]", "vSwitchIds: []", "scalingGroups[0].vSwitchIds: is missing"},
		"lifecycle":         {"max: 4", "max: 4\n    lifecycle: On", "scalingGroups[0].lifecycle"},
		"policy":            {"max: 4", "max: 4\n    multiAZPolicy: ANY", "scalingGroups[0].multiAZPolicy"},
		"spot strategy":     {"{id: asc-a,", "{id: asc-a, spotStrategy: Cheap,", "scalingConfiguration.spotStrategy"},
		"both launches":     {"max: 4", "max: 4\n    launchTemplate: {id: lt-a}", "not both"},
		"neither launch":    {"    scalingConfiguration: {id: asc-a, instanceTypes: [ecs.c7.2xlarge]}\n", "", "an Active group has"},
		"second document":   {"apiVersion", "apiVersion: x\n---\napiVersion", "more than one document"},
	} {
		t.Run(name, func(t *testing.T) { requireMistake(t, test.old, test.new, test.says) })
	}
	_, err := Parse("account.yaml", nil)
	require.ErrorContains(t, err, "empty")
}

// requireMistake changes the small account in one place, which must be refused.
func requireMistake(t *testing.T, old, changed, says string) {
	t.Helper()
	text := strings.Replace(small, old, changed, 1)
	require.NotEqual(t, small, text, "the test changes nothing")
	_, err := Parse("account.yaml", []byte(text))
	require.ErrorContains(t, err, says)
	assert.ErrorContains(t, err, "account.yaml")
}

func TestMistakesOfBehaviourAreNamed(t *testing.T) {
	for name, test := range map[string]struct{ old, new, says string }{
		"weight":            {"{id: asc-a,", "{id: asc-a, weights: {ecs.c7.2xlarge: 501},", "weights.ecs.c7.2xlarge: 501 is not between 1 and 500"},
		"weight of nothing": {"{id: asc-a,", "{id: asc-a, weights: {ecs.x: 2},", `weights: "ecs.x" is not among`},
		"price limit":       {"{id: asc-a,", "{id: asc-a, spotPriceLimits: {ecs.c7.2xlarge: 0},", "spotPriceLimits.ecs.c7.2xlarge: 0 is not a price"},
		"stopped":           {"max: 4", "max: 4\n    stopped: 1", "scalingGroups[0].stopped"},
		"scaling policy":    {"max: 4", "max: 4\n    scalingPolicy: hoard", "scalingGroups[0].scalingPolicy"},
		"health check":      {"max: 4", "max: 4\n    healthCheckType: LOAD_BALANCER", "scalingGroups[0].healthCheckType"},
		"process":           {"max: 4", "max: 4\n    suspended: [Breathing]", "scalingGroups[0].suspended"},
		"mixture":           {"max: 4", "max: 4\n    onDemandBase: 1", "onDemandBase, onDemandPercentAboveBase"},
		"base":              {"max: 4", "max: 4\n    multiAZPolicy: COST_OPTIMIZED\n    onDemandBase: 1001", "scalingGroups[0].onDemandBase"},
		"percent":           {"max: 4", "max: 4\n    multiAZPolicy: COST_OPTIMIZED\n    onDemandPercentAboveBase: 101", "scalingGroups[0].onDemandPercentAboveBase"},
		"heartbeat":         {"max: 4", "max: 4\n    lifecycleHooks: [{id: h, transition: SCALE_OUT, heartbeatTimeout: 29s}]", "lifecycleHooks[0].heartbeatTimeout: 29s is not between 30s and 6h0m0s"},
		"transition":        {"max: 4", "max: 4\n    lifecycleHooks: [{id: h, transition: OUT}]", "lifecycleHooks[0].transition"},
		"default result":    {"max: 4", "max: 4\n    lifecycleHooks: [{id: h, transition: SCALE_IN, defaultResult: ROLLBACK}]", "lifecycleHooks[0].defaultResult"},
		"rule":              {"max: 4", "max: 4\n    scalingRules: [{ari: a, adjustmentType: TotalCapacity, value: 2001}]", "scalingRules[0]"},
		"quota":             {"vSwitches:", "quotas: {instances: -1}\nvSwitches:", "quotas.instances: -1 is negative"},
		"amplitude":         {"vSwitches:", "spotMarket: {amplitude: 11}\nvSwitches:", "spotMarket.amplitude"},
		"market check":      {"vSwitches:", "spotMarket: {check: 1ms}\nvSwitches:", "spotMarket.check: 1ms is less than 1s"},
		"market notice":     {"vSwitches:", "spotMarket: {notice: -1s}\nvSwitches:", "spotMarket.notice"},
		"machine type":      {"vSwitches:", "machines: [{id: i-1, type: ecs.x, vSwitchId: vsw-h}]\nvSwitches:", "machines[0].type"},
		"machine subnet":    {"vSwitches:", "machines: [{id: i-1, type: ecs.c7.2xlarge, vSwitchId: vsw-x}]\nvSwitches:", "machines[0].vSwitchId"},
		"no health delay":   {"vSwitches:", "delays: {health: 1ms}\nvSwitches:", "delays.health: 1ms is less than 1s"},
	} {
		t.Run(name, func(t *testing.T) { requireMistake(t, test.old, test.new, test.says) })
	}
}

func TestAllMistakesAreReportedAtOnce(t *testing.T) {
	text := strings.NewReplacer("cpus: 8", "cpus: 0", "min: 1", "min: 5", "kind: Account", "kind: Pod").Replace(small)
	_, err := Parse("account.yaml", []byte(text))
	for _, says := range []string{"kind", "instanceTypes[0].cpus", "scalingGroups[0].max"} {
		require.ErrorContains(t, err, says)
	}
}

func TestLaunchTemplateUses(t *testing.T) {
	use := func(what string) string {
		return strings.Replace(small, "scalingConfiguration: {id: asc-a, instanceTypes: [ecs.c7.2xlarge]}", "launchTemplate: "+what, 1)
	}
	for _, good := range []string{"{id: lt-a}", "{id: lt-a, version: Latest}", `{id: lt-a, version: "1"}`} {
		_, err := Parse("account.yaml", []byte(use(good)))
		require.NoError(t, err, good)
	}
	for what, says := range map[string]string{
		"{id: lt-b}":                        `"lt-b" is not among launchTemplates`,
		`{id: lt-a, version: "2"}`:          "has no version 2",
		"{id: lt-a, version: New}":          "neither a number nor Default nor Latest",
		"{id: lt-a, overrides: [ecs.nope]}": "overrides[0]",
	} {
		_, err := Parse("account.yaml", []byte(use(what)))
		require.ErrorContains(t, err, says)
	}
}
