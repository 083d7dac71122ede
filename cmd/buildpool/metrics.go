package main

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"k8s.io/utils/clock"

	"github.com/buildpool/buildpool/nodegroups"
	reclaims "github.com/buildpool/buildpool/nodegroups/spot"
)

// newRegistry holds what is true of the process whatever it does.
func newRegistry() *prometheus.Registry {
	registry := prometheus.NewRegistry()
	b := thisBuild()
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Name:        "buildpool_build_info",
		Help:        "Always 1; the labels say which build this is.",
		ConstLabels: prometheus.Labels{"version": b.Version, "revision": b.Revision, "go_version": b.GoVersion},
	})
	info.Set(1)
	registry.MustRegister(
		info,
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return registry
}

// groupCollector turns the provider's status into metrics at the moment they are
// read, so that they cannot fall behind it.
type groupCollector struct {
	status   func() nodegroups.Status
	notReady func() string
	clock    clock.PassiveClock
}

var _ prometheus.Collector = groupCollector{}

var (
	descReady = prometheus.NewDesc("buildpool_ready",
		"1 if /readyz says ready, else 0.", nil, nil)
	descDryRun = prometheus.NewDesc("buildpool_dry_run",
		"1 if no write is sent to the account (--dry-run), else 0.", nil, nil)
	descSnapshotAge = prometheus.NewDesc("buildpool_snapshot_age_seconds",
		"Age of the reading of the account that is served; absent until there is one.", nil, nil)
	descRefreshGood = prometheus.NewDesc("buildpool_last_refresh_success",
		"1 if the account could be read the last time it was tried, else 0.", nil, nil)
	descMin = prometheus.NewDesc("buildpool_node_group_min_count",
		"Fewest nodes the group is to have, as the autoscaler sees it.", []string{"node_group", "class"}, nil)
	descMax = prometheus.NewDesc("buildpool_node_group_max_count",
		"Most nodes the group may have, as the autoscaler sees it.", []string{"node_group", "class"}, nil)
	descTarget = prometheus.NewDesc("buildpool_node_group_target_count",
		"Nodes the group is to have now, placeholders included.", []string{"node_group", "class"}, nil)
	descInstances = prometheus.NewDesc("buildpool_node_group_instances",
		"Instances of the group by state: running, creating, deleting, placeholder (could not be created), stopped (kept, no capacity, started first).", []string{"node_group", "state"}, nil)
	descBoot = prometheus.NewDesc("buildpool_node_group_boot_seconds",
		"Within what time four of five of the group's latest nodes joined, by the start of their instance: created, or started (it was stopped before); absent where none was measured.", []string{"node_group", "start"}, nil)
	descCost = prometheus.NewDesc("buildpool_node_group_cost_per_hour",
		"What the group's running instances cost together, without disks and traffic, and where their prices come from; absent where one is not known. assumed is true if one was worked out and not read.",
		[]string{"node_group", "class", "currency", "source", "assumed"}, nil)
	descNoticed = prometheus.NewDesc("buildpool_spot_instances_noticed",
		"Spot instances of the group that the cloud has announced to take back and that still run. replaced is true for those in whose place another is created already.", []string{"node_group", "replaced"}, nil)
	descNotices = prometheus.NewDesc("buildpool_spot_notices_total",
		"Reclaim notices of the group's spot instances, by instance type and zone.", []string{"node_group", "instance_type", "zone"}, nil)
	descReclaims = prometheus.NewDesc("buildpool_spot_reclaims_per_instance_hour",
		"How often a spot instance of this type and zone is to be expected to be taken back in an hour, by the notices of the last days; absent where nothing is known.", []string{"instance_type", "zone"}, nil)
	descNoticesSeen = prometheus.NewDesc("buildpool_spot_notices_seen",
		"1 if the reclaim notices of spot instances can be read, else 0.", nil, nil)
	descServed = prometheus.NewDesc("buildpool_node_group_served",
		"1 if the group is offered to the autoscaler, 0 if its scaling group is missing or not active.", []string{"node_group", "class"}, nil)
)

// Describe implements prometheus.Collector.
func (c groupCollector) Describe(to chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{descReady, descDryRun, descSnapshotAge, descRefreshGood, descMin, descMax, descTarget, descInstances, descBoot, descCost, descNoticed, descNotices, descReclaims, descNoticesSeen, descServed} {
		to <- desc
	}
}

// Collect implements prometheus.Collector.
func (c groupCollector) Collect(to chan<- prometheus.Metric) {
	gauge := func(desc *prometheus.Desc, value float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
	}
	status := c.status()
	gauge(descReady, truth(c.notReady() == ""))
	gauge(descDryRun, truth(status.DryRun))
	gauge(descRefreshGood, truth(status.Ready && status.LastError == ""))
	if status.Ready {
		gauge(descSnapshotAge, c.clock.Since(status.Taken).Seconds())
	}
	gauge(descNoticesSeen, truth(status.NoticesProblem == ""))
	collectReclaims(status.Groups, to)
	for _, group := range status.Groups {
		class := string(group.Class)
		gauge(descServed, truth(status.Ready && group.Problem == ""), group.ID, class)
		gauge(descMin, float64(group.Min), group.ID, class)
		gauge(descMax, float64(group.Max), group.ID, class)
		gauge(descTarget, float64(group.Target), group.ID, class)
		gauge(descInstances, float64(group.Running), group.ID, "running")
		gauge(descInstances, float64(group.Creating), group.ID, "creating")
		gauge(descInstances, float64(group.Deleting), group.ID, "deleting")
		gauge(descInstances, float64(group.Placeholders), group.ID, "placeholder")
		gauge(descInstances, float64(group.Stopped), group.ID, "stopped")
		if group.Boot > 0 {
			gauge(descBoot, group.Boot.Seconds(), group.ID, "created")
		}
		if group.BootStarted > 0 {
			gauge(descBoot, group.BootStarted.Seconds(), group.ID, "started")
		}
		if group.CostProblem == "" {
			gauge(descCost, group.Cost.PerHour, group.ID, class, group.Cost.Currency, group.Cost.Source, strconv.FormatBool(group.Cost.Assumed))
		}
	}
}

// collectReclaims tells of spot instances that are taken back. Groups may share a pool.
func collectReclaims(groups []nodegroups.GroupStatus, to chan<- prometheus.Metric) {
	pools := map[reclaims.Pool]float64{}
	for _, group := range groups {
		replaced := 0
		for _, n := range group.Notices {
			if n.LetGo {
				replaced++
			}
		}
		to <- prometheus.MustNewConstMetric(descNoticed, prometheus.GaugeValue, float64(replaced), group.ID, "true")
		to <- prometheus.MustNewConstMetric(descNoticed, prometheus.GaugeValue, float64(len(group.Notices)-replaced), group.ID, "false")
		for pool, n := range group.Noticed {
			to <- prometheus.MustNewConstMetric(descNotices, prometheus.CounterValue, float64(n), group.ID, pool.InstanceType, pool.Zone)
		}
		for _, pool := range group.Pools {
			pools[pool.Pool] = pool.PerHour()
		}
	}
	for pool, perHour := range pools {
		to <- prometheus.MustNewConstMetric(descReclaims, prometheus.GaugeValue, perHour, pool.InstanceType, pool.Zone)
	}
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
