package config

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/cloudprovider"
)

func TestCompareFindsNothingInAGoodAccount(t *testing.T) {
	a := goodAccount()
	findings, err := Compare(t.Context(), parseGood(t, liveFile), a)
	require.NoError(t, err)
	assert.Empty(t, findings)
	assert.Equal(t, map[string]int{"Groups": 1, "GroupsByTags": 1, "Launch": 3, "InstanceTypes": 2}, a.calls, "each thing is read once")
}

// change is one difference to the good account or file, and all that is then found,
// as "group severity field: message".
type change struct {
	name   string
	cloud  func(*account)
	config func(*Config)
	want   []string
}

func setGroup(i int, set func(*cloudprovider.ScalingGroup)) func(*account) {
	return func(a *account) { set(&a.groups[i]) }
}

func setLaunch(id string, set func(*cloudprovider.Launch)) func(*account) {
	return func(a *account) {
		l := a.launches[id]
		set(&l)
		a.launches[id] = l
	}
}

func types(names ...string) func(*account) {
	return setLaunch("asg-normal", func(l *cloudprovider.Launch) { l.InstanceTypes = names })
}

func userData(text string) func(*account) {
	return setLaunch("asg-normal", func(l *cloudprovider.Launch) { l.UserData = text })
}

func checkChanges(t *testing.T, changes []change) {
	t.Helper()
	for _, c := range changes {
		t.Run(c.name, func(t *testing.T) {
			cloud, cfg := goodAccount(), parseGood(t, liveFile)
			if c.cloud != nil {
				c.cloud(cloud)
			}
			if c.config != nil {
				c.config(&cfg)
			}
			findings, err := Compare(t.Context(), cfg, cloud)
			require.NoError(t, err)
			var got []string
			for _, f := range findings {
				assert.NotEmpty(t, f.Fix, f.Message)
				got = append(got, fmt.Sprintf("%s %s %s: %s", f.Group, f.Severity, f.Field, f.Message))
			}
			assert.Equal(t, c.want, got)
		})
	}
}

func TestCompareScalingGroups(t *testing.T) {
	checkChanges(t, []change{
		{"missing", func(a *account) { a.groups = a.groups[1:] }, nil, []string{
			"n error groups[0].scalingGroup.id: there is no scaling group asg-normal in cn-hangzhou"}},
		{"no tag match", setGroup(2, func(g *cloudprovider.ScalingGroup) { g.Tags = nil }), nil, []string{
			"s error groups[2].scalingGroup.tags: no scaling group in cn-hangzhou carries these tags"}},
		{"several tag matches", setGroup(0, func(g *cloudprovider.ScalingGroup) { g.Tags = map[string]string{"buildpool": "spot"} }), nil, []string{
			"s error groups[2].scalingGroup.tags: 2 scaling groups carry these tags: asg-normal, asg-spot"}},
		{"taken", nil, func(c *Config) { c.Groups = []Group{c.Groups[1], c.Groups[1]} }, []string{
			"g error groups[1].scalingGroup.id: scaling group asg-gpu is already group g"}},
		{"taken by tags", func(a *account) { a.groups[1].Tags, a.groups[2].Tags = a.groups[2].Tags, nil }, nil, []string{
			"s error groups[2].scalingGroup.tags: scaling group asg-gpu is already group g"}},
		{"region", setGroup(0, func(g *cloudprovider.ScalingGroup) { g.Region = "cn-beijing" }), nil, []string{
			"n error groups[0].scalingGroup: scaling group asg-normal is in cn-beijing, the file says cn-hangzhou"}},
		{"inactive", setGroup(0, func(g *cloudprovider.ScalingGroup) { g.Lifecycle = cloudprovider.GroupInactive }), nil, []string{
			"n error groups[0].scalingGroup: scaling group asg-normal is Inactive, not Active"}},
		{"deleting", setGroup(0, func(g *cloudprovider.ScalingGroup) { g.Lifecycle = cloudprovider.GroupDeleting }), nil, []string{
			"n error groups[0].scalingGroup: scaling group asg-normal is Deleting, not Active"}},
		{"suspended", setGroup(0, func(g *cloudprovider.ScalingGroup) {
			g.Suspended = []string{"AlarmNotification", "HealthCheck", "ScaleIn", "ScaleOut", "System"}
		}), nil, []string{
			"n error groups[0].scalingGroup: scaling group asg-normal has the process System suspended: ESS suspended the group after days of failures",
			"n error groups[0].scalingGroup: scaling group asg-normal has the process ScaleOut suspended: it cannot grow",
			"n error groups[0].scalingGroup: scaling group asg-normal has the process ScaleIn suspended: it cannot shrink",
			"n warning groups[0].scalingGroup: scaling group asg-normal has the process HealthCheck suspended: dead instances stay in it"}},
		{"no expected-number mode", setGroup(0, func(g *cloudprovider.ScalingGroup) { g.ExpectedNumberMode = false }), nil, []string{
			"n error groups[0].scalingGroup: scaling group asg-normal is not in expected-number mode: it keeps no desired number and runs one activity at a time"}},
		{"min above ours", setGroup(0, func(g *cloudprovider.ScalingGroup) { g.Min = 2 }), nil, []string{
			"n error groups[0].min: scaling group asg-normal has min 2: the group can never shrink to 1"}},
		{"min below ours", setGroup(0, func(g *cloudprovider.ScalingGroup) { g.Min = 0 }), nil, nil},
		{"max below ours", setGroup(0, func(g *cloudprovider.ScalingGroup) { g.Max = 9 }), nil, []string{
			"n error groups[0].max: scaling group asg-normal has max 9: the group can never grow to 10"}},
		{"max above ours", setGroup(0, func(g *cloudprovider.ScalingGroup) { g.Max = 11 }), nil, nil},
		{"desired above max", setGroup(0, func(g *cloudprovider.ScalingGroup) { g.Desired = 11 }), nil, []string{
			"n warning groups[0].max: scaling group asg-normal wants 11 instances now, more than max 10"}},
		{"no launch settings", func(a *account) { delete(a.launches, "asg-normal") }, nil, []string{
			"n error groups[0].scalingGroup: scaling group asg-normal has no launch settings"}},
		{"spot on demand", setLaunch("asg-spot", func(l *cloudprovider.Launch) { l.SpotStrategy = cloudprovider.NoSpot }), nil, []string{
			"s error groups[2].class: class is spot, but asc-spot buys on demand"}},
		{"normal on spot", setLaunch("asg-normal", func(l *cloudprovider.Launch) { l.SpotStrategy = "SpotWithPriceLimit" }), nil, []string{
			"n error groups[0].class: class is normal, but asc-normal buys spot instances, which may be reclaimed"}},
		{"gpu on spot", setLaunch("asg-gpu", func(l *cloudprovider.Launch) { l.SpotStrategy = "SpotAsPriceGo" }), nil, []string{
			"g warning groups[1].class: asc-gpu buys spot instances: GPU builds may be interrupted"}},
	})
}

func TestCompareInstanceTypes(t *testing.T) {
	checkChanges(t, []change{
		{"no types", types(), nil, []string{
			"n error groups[0].scalingGroup: asc-normal names no instance type"}},
		{"unknown type", types("ecs.c7.2xlarge", "ecs.x"), nil, []string{
			"n error groups[0].scalingGroup: asc-normal names the instance type ecs.x, which is unknown in cn-hangzhou"}},
		{"overrides win", setGroup(0, func(g *cloudprovider.ScalingGroup) { g.InstanceTypes = []string{"ecs.y"} }), nil, []string{
			"n error groups[0].scalingGroup: asc-normal names the instance type ecs.y, which is unknown in cn-hangzhou"}},
		{"same shape", types("ecs.c7.2xlarge", "ecs.c7a.2xlarge"), nil, nil},
		{"other shapes", types("ecs.c7.2xlarge", "ecs.c7.xlarge"), nil, []string{
			"n warning groups[0].template.instanceType: the group's instance types differ in size; the smallest, ecs.c7.xlarge, is the template"}},
		{"smallest chosen", types("ecs.c7.2xlarge", "ecs.c7.xlarge"), func(c *Config) { c.Groups[0].Template.InstanceType = "ecs.c7.xlarge" }, nil},
		{"larger chosen", types("ecs.c7.2xlarge", "ecs.c7.xlarge"), func(c *Config) { c.Groups[0].Template.InstanceType = "ecs.c7.2xlarge" }, []string{
			"n warning groups[0].template.instanceType: the group may get ecs.c7.xlarge, which is smaller than the template ecs.c7.2xlarge: builds planned for it may not fit"}},
		{"chosen elsewhere", nil, func(c *Config) { c.Groups[0].Template.InstanceType = "ecs.c7.xlarge" }, []string{
			"n error groups[0].template.instanceType: asc-normal makes no ecs.c7.xlarge, but ecs.c7.2xlarge"}},
		{"architectures", types("ecs.c7.2xlarge", "ecs.c8y.2xlarge"), nil, []string{
			"n error groups[0].scalingGroup: the group mixes architectures: ecs.c7.2xlarge is amd64, ecs.c8y.2xlarge is arm64"}},
		{"gpu without GPU", setLaunch("asg-gpu", func(l *cloudprovider.Launch) { l.InstanceTypes = []string{"ecs.c7.2xlarge"} }), nil, []string{
			"g error groups[1].class: class is gpu, but instance type ecs.c7.2xlarge has no GPU"}},
		{"normal with GPU", types("ecs.gn7i.2xlarge"), nil, []string{
			"n warning groups[0].class: instance type ecs.gn7i.2xlarge has 1 GPUs, which class normal does not offer"}},
		{"gpu count", nil, func(c *Config) { c.Groups[1].Template.GPU = &GPU{Type: "NVIDIA-A10", Count: 2} }, []string{
			"g error groups[1].template.gpu.count: instance type ecs.gn7i.2xlarge has 1 GPUs, the file says 2"}},
		{"gpu count left out", nil, func(c *Config) { c.Groups[1].Template.GPU = &GPU{Type: "NVIDIA-A10"} }, nil},
		{"gpu model", nil, func(c *Config) { c.Groups[1].Template.GPU = &GPU{Type: "NVIDIA-A100"} }, []string{
			`g warning groups[1].template.gpu.type: instance type ecs.gn7i.2xlarge has "NVIDIA A10", the file says "NVIDIA-A100"`}},
		{"gpu model of many words", func(a *account) {
			a.types["ecs.gn7i.2xlarge"] = cloudprovider.InstanceType{Name: "ecs.gn7i.2xlarge", GPUs: 1, GPUModel: "NVIDIA V100"}
		}, func(c *Config) { c.Groups[1].Template.GPU = &GPU{Type: "Tesla-V100-SXM2-16GB"} }, nil},
	})
}

func TestCompareRegistration(t *testing.T) {
	const labels = "--node-labels=buildpool.io/class=normal,team=ci "
	const taints = "--register-with-taints=class=normal:NoSchedule "
	checkChanges(t, []change{
		{"nothing in user data", userData(""), nil, []string{
			"n warning groups[0].labels: cannot tell what nodes register with: the user data of asc-normal sets neither --node-labels nor --register-with-taints"}},
		{"labels missing", userData(taints), nil, []string{
			"n error groups[0].class: nodes do not register with the label buildpool.io/class=normal: builds that select it would never start",
			"n error groups[0].labels[team]: nodes do not register with the label team=ci: builds that select it would never start"}},
		{"label of other value", userData("--node-labels=buildpool.io/class=spot,team=ci " + taints), nil, []string{
			`n error groups[0].class: nodes register with buildpool.io/class=spot by the user data of asc-normal, the file says "normal"`}},
		{"more labels", userData(labels + "--node-labels=more=x " + taints), nil, nil},
		{"taint missing", userData(labels), nil, []string{
			"n error groups[0].taints[0]: nodes do not register with the taint class=normal:NoSchedule: other pods would take their place"}},
		{"taint of other effect", userData(labels + "--register-with-taints=class=normal:NoExecute"), nil, []string{
			"n error groups[0].taints[0]: nodes do not register with the taint class=normal:NoSchedule: other pods would take their place",
			"n error groups[0].taints: nodes register with the taint class=normal:NoExecute by the user data of asc-normal, which the file does not name: cluster-autoscaler would add nodes for builds that cannot run on them"}},
		{"extra taint", userData(labels + taints + "--register-with-taints=dedicated:NoExecute"), nil, []string{
			"n error groups[0].taints: nodes register with the taint dedicated:NoExecute by the user data of asc-normal, which the file does not name: cluster-autoscaler would add nodes for builds that cannot run on them"}},
		{"extra soft taint", userData(labels + taints + "--register-with-taints=soft=x:PreferNoSchedule"), nil, []string{
			"n warning groups[0].taints: nodes register with the taint soft=x:PreferNoSchedule by the user data of asc-normal, which the file does not name: the scheduler avoids such a node, which cluster-autoscaler does not know"}},
		{"passing taints", userData(labels + taints + "--register-with-taints=startup-taint.cluster-autoscaler.kubernetes.io/x=y:NoSchedule,node.kubernetes.io/not-ready:NoExecute"), nil, nil},
		{"unclear labels", userData("--node-labels=$LABELS " + taints), nil, []string{
			`n warning groups[0].labels: cannot read "--node-labels $LABELS" in the user data of asc-normal`,
			"n warning groups[0].class: nodes do not register with the label buildpool.io/class=normal: builds that select it would never start",
			"n warning groups[0].labels[team]: nodes do not register with the label team=ci: builds that select it would never start"}},
		{"labels by tags", func(a *account) {
			userData(taints + "--node-labels=buildpool.io/class=normal")(a)
			a.groups[0].Tags = map[string]string{"k8s.io/cluster-autoscaler/node-template/label/team": "ci"}
		}, nil, nil},
		{"tags alone", func(a *account) {
			userData("")(a)
			a.groups[0].Tags = map[string]string{
				"k8s.io/cluster-autoscaler/node-template/label/buildpool.io/class": "normal",
				"k8s.io/cluster-autoscaler/node-template/taint/class":              "normal:NoSchedule",
			}
			setLaunch("asg-normal", func(l *cloudprovider.Launch) {
				l.Tags = map[string]string{"k8s.io/cluster-autoscaler/node-template/label/team": "ci", "owner": "x"}
			})(a)
		}, nil, nil},
		{"tags contradict", func(a *account) {
			a.groups[0].Tags = map[string]string{
				"k8s.io/cluster-autoscaler/node-template/label/team": "qa",
				"k8s.io/cluster-autoscaler/node-template/taint/x":    ":NoSchedule",
			}
		}, nil, []string{
			`n error groups[0].labels[team]: nodes register with team=qa by the tags of scaling group asg-normal, the file says "ci"`,
			"n error groups[0].taints: nodes register with the taint x:NoSchedule by the tags of scaling group asg-normal, which the file does not name: cluster-autoscaler would add nodes for builds that cannot run on them"}},
	})
}

func TestCompareReportsWhatItCannotRead(t *testing.T) {
	for _, call := range []string{"Groups", "GroupsByTags", "Launch", "InstanceTypes"} {
		t.Run(call, func(t *testing.T) {
			cloud := goodAccount()
			cloud.failing[call] = cloudprovider.ErrForbidden
			_, err := Compare(t.Context(), parseGood(t, liveFile), cloud)
			require.ErrorIs(t, err, cloudprovider.ErrForbidden)
		})
	}
}

func TestCompareGoesOnAfterAnErrorInOneGroup(t *testing.T) {
	cloud := goodAccount()
	cloud.failing["GroupsByTags"] = cloudprovider.ErrThrottled
	cloud.groups[0].Min = 5
	findings, err := Compare(t.Context(), parseGood(t, liveFile), cloud)
	require.ErrorIs(t, err, cloudprovider.ErrThrottled)
	require.ErrorContains(t, err, "compare group s: ")
	require.Len(t, findings, 1)
	assert.Equal(t, "groups[0].min", findings[0].Field)
}
