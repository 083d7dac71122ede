package main

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	testingclock "k8s.io/utils/clock/testing"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/nodegroups"
	"github.com/buildpool/buildpool/nodegroups/config"
	reclaims "github.com/buildpool/buildpool/nodegroups/spot"
)

func TestGroupMetrics(t *testing.T) {
	taken := time.Unix(1_790_000_000, 0)
	pool := reclaims.Pool{InstanceType: "ecs.c7.2xlarge", Zone: "cn-hangzhou-h"}
	status := nodegroups.Status{
		Ready: true, Taken: taken,
		Groups: []nodegroups.GroupStatus{
			{ID: "spot", Class: config.ClassSpot, Min: 1, Max: 40, Target: 9, Running: 4, Creating: 2, Deleting: 1, Placeholders: 2,
				Notices: []nodegroups.Notice{{InstanceID: "i-1", LetGo: true}, {InstanceID: "i-2"}, {InstanceID: "i-3"}},
				Noticed: map[reclaims.Pool]int{pool: 5}, Pools: []nodegroups.PoolReclaims{{Pool: pool, Tally: reclaims.Tally{Reclaims: 3, Hours: 20}}},
				Stopped: 3, Boot: 90 * time.Second, BootStarted: 40 * time.Second,
				Cost: cloudprovider.Price{PerHour: 0.8, Currency: "CNY", Source: "ECS DescribeSpotPriceHistory in cn-hangzhou-h"}},
			{ID: "gpu", Class: config.ClassGPU, Max: 4, Problem: "missing", CostProblem: "no price known"},
		},
	}
	notReady := ""
	collector := groupCollector{
		status:   func() nodegroups.Status { return status },
		notReady: func() string { return notReady },
		clock:    testingclock.NewFakePassiveClock(taken.Add(90 * time.Second)),
	}
	want := `
# HELP buildpool_dry_run 1 if no write is sent to the account (--dry-run), else 0.
# TYPE buildpool_dry_run gauge
buildpool_dry_run 0
# HELP buildpool_last_refresh_success 1 if the account could be read the last time it was tried, else 0.
# TYPE buildpool_last_refresh_success gauge
buildpool_last_refresh_success 1
# HELP buildpool_node_group_boot_seconds Within what time four of five of the group's latest nodes joined, by the start of their instance: created, or started (it was stopped before); absent where none was measured.
# TYPE buildpool_node_group_boot_seconds gauge
buildpool_node_group_boot_seconds{node_group="spot",start="created"} 90
buildpool_node_group_boot_seconds{node_group="spot",start="started"} 40
# HELP buildpool_node_group_cost_per_hour What the group's running instances cost together, without disks and traffic, and where their prices come from; absent where one is not known. assumed is true if one was worked out and not read.
# TYPE buildpool_node_group_cost_per_hour gauge
buildpool_node_group_cost_per_hour{assumed="false",class="spot",currency="CNY",node_group="spot",source="ECS DescribeSpotPriceHistory in cn-hangzhou-h"} 0.8
# HELP buildpool_node_group_instances Instances of the group by state: running, creating, deleting, placeholder (could not be created), stopped (kept, no capacity, started first).
# TYPE buildpool_node_group_instances gauge
buildpool_node_group_instances{node_group="gpu",state="creating"} 0
buildpool_node_group_instances{node_group="gpu",state="deleting"} 0
buildpool_node_group_instances{node_group="gpu",state="placeholder"} 0
buildpool_node_group_instances{node_group="gpu",state="running"} 0
buildpool_node_group_instances{node_group="gpu",state="stopped"} 0
buildpool_node_group_instances{node_group="spot",state="creating"} 2
buildpool_node_group_instances{node_group="spot",state="deleting"} 1
buildpool_node_group_instances{node_group="spot",state="placeholder"} 2
buildpool_node_group_instances{node_group="spot",state="running"} 4
buildpool_node_group_instances{node_group="spot",state="stopped"} 3
# HELP buildpool_node_group_max_count Most nodes the group may have, as the autoscaler sees it.
# TYPE buildpool_node_group_max_count gauge
buildpool_node_group_max_count{class="gpu",node_group="gpu"} 4
buildpool_node_group_max_count{class="spot",node_group="spot"} 40
# HELP buildpool_node_group_min_count Fewest nodes the group is to have, as the autoscaler sees it.
# TYPE buildpool_node_group_min_count gauge
buildpool_node_group_min_count{class="gpu",node_group="gpu"} 0
buildpool_node_group_min_count{class="spot",node_group="spot"} 1
# HELP buildpool_node_group_served 1 if the group is offered to the autoscaler, 0 if its scaling group is missing or not active.
# TYPE buildpool_node_group_served gauge
buildpool_node_group_served{class="gpu",node_group="gpu"} 0
buildpool_node_group_served{class="spot",node_group="spot"} 1
# HELP buildpool_node_group_target_count Nodes the group is to have now, placeholders included.
# TYPE buildpool_node_group_target_count gauge
buildpool_node_group_target_count{class="gpu",node_group="gpu"} 0
buildpool_node_group_target_count{class="spot",node_group="spot"} 9
# HELP buildpool_ready 1 if /readyz says ready, else 0.
# TYPE buildpool_ready gauge
buildpool_ready 1
# HELP buildpool_snapshot_age_seconds Age of the reading of the account that is served; absent until there is one.
# TYPE buildpool_snapshot_age_seconds gauge
buildpool_snapshot_age_seconds 90
# HELP buildpool_spot_instances_noticed Spot instances of the group that the cloud has announced to take back and that still run. replaced is true for those in whose place another is created already.
# TYPE buildpool_spot_instances_noticed gauge
buildpool_spot_instances_noticed{node_group="gpu",replaced="false"} 0
buildpool_spot_instances_noticed{node_group="gpu",replaced="true"} 0
buildpool_spot_instances_noticed{node_group="spot",replaced="false"} 2
buildpool_spot_instances_noticed{node_group="spot",replaced="true"} 1
# HELP buildpool_spot_notices_seen 1 if the reclaim notices of spot instances can be read, else 0.
# TYPE buildpool_spot_notices_seen gauge
buildpool_spot_notices_seen 1
# HELP buildpool_spot_notices_total Reclaim notices of the group's spot instances, by instance type and zone.
# TYPE buildpool_spot_notices_total counter
buildpool_spot_notices_total{instance_type="ecs.c7.2xlarge",node_group="spot",zone="cn-hangzhou-h"} 5
# HELP buildpool_spot_reclaims_per_instance_hour How often a spot instance of this type and zone is to be expected to be taken back in an hour, by the notices of the last days; absent where nothing is known.
# TYPE buildpool_spot_reclaims_per_instance_hour gauge
buildpool_spot_reclaims_per_instance_hour{instance_type="ecs.c7.2xlarge",zone="cn-hangzhou-h"} 0.1
`
	require.NoError(t, testutil.CollectAndCompare(collector, strings.NewReader(want)))

	status, notReady = nodegroups.Status{LastError: "down"}, "the account has not been read yet: down"
	require.NoError(t, testutil.CollectAndCompare(collector, strings.NewReader(`
# HELP buildpool_dry_run 1 if no write is sent to the account (--dry-run), else 0.
# TYPE buildpool_dry_run gauge
buildpool_dry_run 0
# HELP buildpool_last_refresh_success 1 if the account could be read the last time it was tried, else 0.
# TYPE buildpool_last_refresh_success gauge
buildpool_last_refresh_success 0
# HELP buildpool_ready 1 if /readyz says ready, else 0.
# TYPE buildpool_ready gauge
buildpool_ready 0
# HELP buildpool_spot_notices_seen 1 if the reclaim notices of spot instances can be read, else 0.
# TYPE buildpool_spot_notices_seen gauge
buildpool_spot_notices_seen 1
`)))
}

func TestRegistryNamesTheBuild(t *testing.T) {
	registry := newRegistry()
	count, err := testutil.GatherAndCount(registry, "buildpool_build_info", "go_goroutines", "process_start_time_seconds")
	require.NoError(t, err)
	assert.Equal(t, 3, count)
	problems, err := testutil.GatherAndLint(registry, "buildpool_build_info")
	require.NoError(t, err)
	assert.Empty(t, problems)
	problems, err = testutil.CollectAndLint(groupCollector{
		status: func() nodegroups.Status {
			return nodegroups.Status{Ready: true, Groups: make([]nodegroups.GroupStatus, 1)}
		},
		notReady: func() string { return "" },
		clock:    testingclock.NewFakePassiveClock(time.Unix(1_790_000_000, 0)),
	})
	require.NoError(t, err)
	for _, problem := range problems {
		// "_count" is the vocabulary's plural of a node here, as in cluster_autoscaler's own metrics.
		assert.Contains(t, problem.Text, `"_count"`, problem.Metric)
	}
	require.NoError(t, registry.Register(prometheus.NewGauge(prometheus.GaugeOpts{Name: "other"})))
}
