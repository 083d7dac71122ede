package report

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/buildpool/buildpool/nodegroups/config"
	"github.com/buildpool/buildpool/simulations/engine"
)

// Settings are what a run was made with, for people and for comparisons.
type Settings struct {
	// Trace describes the builds.
	Trace Trace `json:"trace"`
	// Seed of the run's chance.
	Seed string `json:"seed"`
	// Scheduler strategy of kube-scheduler.
	Scheduler engine.Scheduler `json:"scheduler"`
	// Expander is buildpool's own policy, as in the node-group file.
	Expander json.RawMessage `json:"expander"`
	// Autoscaler are cluster-autoscaler's flags.
	Autoscaler []Setting `json:"autoscaler"`
	// AgentStartSeconds is how long containers take to start on a warm node.
	AgentStartSeconds float64 `json:"agentStartSeconds"`
	// Images that nodes pull.
	Images map[string]ImageSettings `json:"images,omitempty"`
	// Quota of instances; 0: none.
	Quota int `json:"quota"`
	// Stockouts are windows in which a group has fewer instances to get.
	Stockouts []StockoutSettings `json:"stockouts,omitempty"`
	// Overflow to a virtual node; left out where there is none.
	Overflow *OverflowSettings `json:"overflow,omitempty"`
	// Groups in the order of the node-group file.
	Groups []GroupSettings `json:"groups"`
}

// Setting is a named value.
type Setting struct {
	// Name of the setting, such as a flag.
	Name string `json:"name"`
	// Value as text.
	Value string `json:"value"`
}

// Trace describes builds.
type Trace struct {
	// Builds in the trace.
	Builds int `json:"builds"`
	// Shapes are the kinds of build.
	Shapes int `json:"shapes"`
	// SpanSeconds from the start to the last arrival.
	SpanSeconds float64 `json:"spanSeconds"`
	// BuildHours is the sum of the builds' durations.
	BuildHours float64 `json:"buildHours"`
}

// ImageSettings is how nodes get an image.
type ImageSettings struct {
	// PullSeconds that the first build on a node waits.
	PullSeconds float64 `json:"pullSeconds"`
	// Baked into the node: no pull.
	Baked bool `json:"baked"`
}

// StockoutSettings is a window in which a group has fewer instances to get.
type StockoutSettings struct {
	// Group by name.
	Group string `json:"group"`
	// FromSeconds after the start.
	FromSeconds float64 `json:"fromSeconds"`
	// UntilSeconds after the start.
	UntilSeconds float64 `json:"untilSeconds"`
	// Stock in that time.
	Stock int `json:"stock"`
}

// GroupSettings is a node group and the cloud behind it.
type GroupSettings struct {
	// Name of the group.
	Name string `json:"name"`
	// Config is the group as in the node-group file; `buildpool schema` describes it.
	Config json.RawMessage `json:"config"`
	// Allocatable is what a node offers to builds, as Kubernetes quantities.
	Allocatable map[string]string `json:"allocatable"`
	// PricePerHour of a node.
	PricePerHour float64 `json:"pricePerHour"`
	// Boot is how long a node takes from its request to being ready.
	Boot DelaySettings `json:"boot"`
	// Warm is the same for a stopped instance that is started again; left out where
	// instances are not stopped.
	Warm *DelaySettings `json:"warm,omitempty"`
	// RemovalSeconds for which a node is billed after its removal was asked for.
	RemovalSeconds float64 `json:"removalSeconds"`
	// Stock of instances; 0: as many as asked for.
	Stock int `json:"stock"`
	// Spot market of the group; left out where the cloud takes nothing back.
	Spot *SpotSettings `json:"spot,omitempty"`
}

// DelaySettings is a delay that is drawn per node.
type DelaySettings struct {
	// MedianSeconds of the delay.
	MedianSeconds float64 `json:"medianSeconds"`
	// P95Seconds is its 95th percentile.
	P95Seconds float64 `json:"p95Seconds"`
}

// SpotSettings is the market that instances come from.
type SpotSettings struct {
	// ProtectedSeconds for which a new instance is safe.
	ProtectedSeconds float64 `json:"protectedSeconds"`
	// NoticeSeconds before its end.
	NoticeSeconds float64 `json:"noticeSeconds"`
	// ReclaimsPerHour of an instance that is not protected.
	ReclaimsPerHour float64 `json:"reclaimsPerHour"`
	// MassReclaims counts the instants at which many are taken at once.
	MassReclaims int `json:"massReclaims"`
}

func describeSettings(s engine.Settings) Settings {
	out := Settings{
		Trace:             describeTrace(s),
		Seed:              strconv.FormatUint(s.Seed, 10),
		Scheduler:         s.Scheduler,
		Expander:          asJSON(s.Expander),
		Autoscaler:        autoscalerFlags(s.Autoscaler),
		AgentStartSeconds: seconds(s.AgentStart),
		Quota:             s.Quota,
		Overflow:          describeOverflow(s.Overflow),
		Groups:            []GroupSettings{},
	}
	for name, image := range s.Images {
		if out.Images == nil {
			out.Images = map[string]ImageSettings{}
		}
		out.Images[name] = ImageSettings{PullSeconds: seconds(image.Pull), Baked: image.Baked}
	}
	for _, o := range s.Stockouts {
		out.Stockouts = append(out.Stockouts, StockoutSettings{
			Group: o.Group, FromSeconds: seconds(o.From), UntilSeconds: seconds(o.Until), Stock: o.Stock,
		})
	}
	for _, g := range s.Groups {
		out.Groups = append(out.Groups, describeGroup(g))
	}
	return out
}

func describeTrace(s engine.Settings) Trace {
	t := Trace{Builds: len(s.Trace.Builds), Shapes: len(s.Trace.Shapes)}
	var ran time.Duration
	for _, b := range s.Trace.Builds {
		ran += b.Duration
		t.SpanSeconds = max(t.SpanSeconds, seconds(b.Arrival))
	}
	t.BuildHours = hours(ran)
	return t
}

func describeGroup(g engine.Group) GroupSettings {
	out := GroupSettings{
		Name: g.Config.Name, Config: asJSON(withoutAccount(g.Config)), Allocatable: quantities(g.Template.Allocatable),
		PricePerHour: g.PricePerHour, Boot: describeDelay(g.Boot), RemovalSeconds: seconds(g.Removal), Stock: g.Stock,
	}
	if g.Recycles {
		warm := describeDelay(g.Warm)
		out.Warm = &warm
	}
	if g.Spot != nil {
		out.Spot = &SpotSettings{
			ProtectedSeconds: seconds(g.Spot.Protected), NoticeSeconds: seconds(g.Spot.Notice),
			ReclaimsPerHour: g.Spot.ReclaimsPerHour, MassReclaims: len(g.Spot.Mass),
		}
	}
	return out
}

func describeDelay(d engine.Delay) DelaySettings {
	return DelaySettings{MedianSeconds: seconds(d.Median), P95Seconds: seconds(d.P95)}
}

// withoutAccount takes off what names the account's resources: a report is passed on. So
// does the default of what is done at a reclaim notice go, which every group has that was
// read from a file, with a spot market or without.
func withoutAccount(g config.Group) config.Group {
	g.ScalingGroup = config.ScalingGroup{}
	if g.Spot.OnReclaimNotice == config.ReclaimReplaced {
		g.Spot.OnReclaimNotice = ""
	}
	return g
}

// asJSON of values of the node-group file, which always have a JSON form.
func asJSON(v any) json.RawMessage {
	out, err := json.Marshal(v)
	if err != nil {
		panic("node-group file without a JSON form: " + err.Error())
	}
	return out
}

// autoscalerFlags are the settings under cluster-autoscaler's own names.
func autoscalerFlags(a engine.Autoscaler) []Setting {
	float := func(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }
	return []Setting{
		{"--scan-interval", a.ScanInterval.String()},
		{"--expander", strings.Join(a.Expander, ",")},
		{"--new-pod-scale-up-delay", a.NewPodScaleUpDelay.String()},
		{"--max-node-provision-time", a.MaxNodeProvisionTime.String()},
		{"--scale-down-enabled", strconv.FormatBool(a.ScaleDownEnabled)},
		{"--scale-down-delay-after-add", a.ScaleDownDelayAfterAdd.String()},
		{"--scale-down-delay-after-delete", a.ScaleDownDelayAfterDelete.String()},
		{"--scale-down-delay-after-failure", a.ScaleDownDelayAfterFailure.String()},
		{"--scale-down-delay-type-local", strconv.FormatBool(a.ScaleDownDelayTypeLocal)},
		{"--scale-down-unneeded-time", a.ScaleDownUnneededTime.String()},
		{"--scale-down-unready-time", a.ScaleDownUnreadyTime.String()},
		{"--scale-down-utilization-threshold", float(a.ScaleDownUtilizationThreshold)},
		{"--scale-down-gpu-utilization-threshold", float(a.ScaleDownGPUUtilization)},
		{"--unremovable-node-recheck-timeout", a.UnremovableNodeRecheckTimeout.String()},
		{"--max-empty-bulk-delete", strconv.Itoa(a.MaxEmptyBulkDelete)},
		{"--max-scale-down-parallelism", strconv.Itoa(a.MaxScaleDownParallelism)},
		{"--max-drain-parallelism", strconv.Itoa(a.MaxDrainParallelism)},
		{"--max-nodes-per-scaleup", strconv.Itoa(a.MaxNodesPerScaleUp)},
		{"--max-nodes-total", strconv.Itoa(a.MaxNodesTotal)},
		{"--initial-node-group-backoff-duration", a.InitialNodeGroupBackoff.String()},
		{"--max-node-group-backoff-duration", a.MaxNodeGroupBackoff.String()},
		{"--node-group-backoff-reset-timeout", a.NodeGroupBackoffReset.String()},
		{"--balance-similar-node-groups", strconv.FormatBool(a.BalanceSimilarNodeGroups)},
		{"--enforce-node-group-min-size", strconv.FormatBool(a.EnforceNodeGroupMinSize)},
		{"--node-delete-delay-after-taint", a.NodeDeleteDelayAfterTaint.String()},
		{"builds may be drained", strconv.FormatBool(a.EvictableBuilds)},
		{"time of a loop", a.LoopTime.String()},
	}
}
