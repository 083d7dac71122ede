package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/nodegroups"
	"github.com/buildpool/buildpool/nodegroups/config"
	reclaims "github.com/buildpool/buildpool/nodegroups/spot"
)

var threePM = time.Date(2026, 11, 23, 15, 0, 0, 0, time.UTC)

// anAfternoon is a provider in which a little of everything has happened.
func anAfternoon() nodegroups.Status {
	aPool := reclaims.Pool{InstanceType: "ecs.c7.2xlarge", Zone: "cn-hangzhou-h"}
	return nodegroups.Status{
		Ready: true, Taken: threePM.Add(-7 * time.Second),
		ProviderID: nodegroups.ProviderIDStatus{Form: cloudprovider.FormDot, Origin: nodegroups.FormLearned},
		Groups: []nodegroups.GroupStatus{
			{
				ID: "builds-normal", Class: config.ClassNormal, ScalingGroupID: "asg-normal", Min: 2, MinReason: nodegroups.BoundScalingGroup,
				Max: 20, MaxReason: nodegroups.BoundConfigured, Target: 3, Running: 3,
				Recycles: true, Stopped: 4, Boot: 90 * time.Second, BootStarted: 35 * time.Second,
				Price: cloudprovider.Price{PerHour: 1.630796, Currency: "CNY", Source: "ECS DescribePrice", AsOf: threePM.Add(-time.Hour)},
			},
			{
				ID: "builds-spot", Class: config.ClassSpot, ScalingGroupID: "asg-spot", Max: 40, MinReason: nodegroups.BoundConfigured,
				MaxReason: nodegroups.BoundScalingGroup, Target: 12, Running: 8, Creating: 2, Deleting: 1, Placeholders: 2,
				Price: cloudprovider.Price{PerHour: 0.4892388, Currency: "CNY", Source: "assumption", Assumed: true},
				Notices: []nodegroups.Notice{
					{InstanceID: "i-sim000000001", Since: threePM.Add(-2 * time.Minute), LetGo: true}, {InstanceID: "i-sim000000002", Since: threePM.Add(-time.Minute)},
				},
				Noticed: map[reclaims.Pool]int{aPool: 9}, ReclaimsPerHour: 0.25, LosesMore: true,
				Pools:     []nodegroups.PoolReclaims{{Pool: aPool, Tally: reclaims.Tally{Reclaims: 8.2, Hours: 22.8}}},
				LastError: nodegroups.GroupError{Message: "out of stock: OperationDenied.NoStock: none\x1b[2J left\n", At: threePM.Add(-150 * time.Second)},
			},
			{
				ID: "gpu", Class: config.ClassGPU, Max: 4, MinReason: nodegroups.BoundConfigured, MaxReason: nodegroups.BoundConfigured,
				Problem: "no scaling group carries its tags", PriceProblem: "the group has not been read yet",
			},
			{
				ID: "odd", Class: config.ClassNormal, ScalingGroupID: "asg-odd", Max: 4, MinReason: nodegroups.BoundConfigured,
				MaxReason: nodegroups.BoundConfigured, PriceProblem: "no price known",
			},
		},
	}
}

func TestStatusText(t *testing.T) {
	report := reportOn(anAfternoon(), threePM, "", "1.35+")
	report.Version = "v0.1.0"
	assert.Equal(t, `buildpool v0.1.0: ready
snapshot: 7s old   autoscaler: 1.35+   provider IDs: <region>.<id> (learned)

GROUP          CLASS   MIN                 MAX                 TARGET  RUNNING  CREATING  DELETING  FAILED      PRICE/H  COOLDOWN  SCHEDULE  SERVED
builds-normal  normal    2  scaling group   20  configured          3        3         0         0       0    1.631 CNY  -         -         yes
builds-spot    spot      0  configured      40  scaling group      12        8         2         1       2  ~0.4892 CNY  -         -         yes
gpu            gpu       0  configured       4  configured          0        0         0         0       0            ?  -         -         NO
odd            normal    0  configured       4  configured          0        0         0         0       0            ?  -         -         yes

builds-normal: 4 instances stopped, to be started first; such a node took 35s to join, a new one 1m30s
builds-spot: the cloud takes back 2 spot instances (i-sim000000001, i-sim000000002), 1 replaced ahead
builds-spot: a spot instance is to be expected to be taken back 0.25 times an hour: of late 8.2 in 23 hours of ecs.c7.2xlarge in cn-hangzhou-h; lost builds would cost more than spot saves, and the expander prefers other groups
builds-spot, 2m30s ago: out of stock: OperationDenied.NoStock: none [2J left
gpu is not served: no scaling group carries its tags
odd has no price: no price known
`, statusText(report))
}

func TestStatusTextBeforeTheFirstReading(t *testing.T) {
	status := nodegroups.Status{LastError: "down", ProviderID: nodegroups.ProviderIDStatus{Form: cloudprovider.FormDot, Origin: nodegroups.FormAssumed}}
	report := reportOn(status, threePM, "the account has not been read yet: down", "unknown")
	report.Version = "devel"
	assert.Equal(t, `buildpool devel: NOT READY: the account has not been read yet: down
snapshot: none yet   autoscaler: release not known yet   provider IDs: <region>.<id> (assumed)
last refresh failed: down

no node groups
`, statusText(report))
}

func TestAges(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second:                     "0s",
		0:                                "0s",
		59*time.Second + 999*1e6:         "59s",
		time.Minute:                      "1m00s",
		9*time.Minute + 59*time.Second:   "9m59s",
		10 * time.Minute:                 "10m",
		59*time.Minute + 59*time.Second:  "59m",
		time.Hour:                        "1h00m",
		26*time.Hour + 5*time.Minute + 1: "26h05m",
	} {
		assert.Equal(t, want, ageText(d))
	}
}

func TestColumnsAreAlignedByCharactersNotBytes(t *testing.T) {
	var out table
	out.right = []bool{false, true}
	out.add("grün", "1")
	out.add("x", "10")
	require.Equal(t, "grün   1\nx     10\n", out.String())
}
