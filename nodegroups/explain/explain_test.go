package explain

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/buildpool/buildpool/cloudprovider"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func list(cpu, memory string) corev1.ResourceList {
	return corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(cpu), corev1.ResourceMemory: resource.MustParse(memory)}
}

func template(class, cpu, memory string) *cloudprovider.NodeTemplate {
	room := list(cpu, memory)
	room[corev1.ResourcePods] = resource.MustParse("110")
	return &cloudprovider.NodeTemplate{
		Labels:      map[string]string{cloudprovider.LabelClass: class, "workload_type": class, corev1.LabelTopologyZone: "cn-hangzhou-h", corev1.LabelArchStable: "amd64"},
		Taints:      []corev1.Taint{{Key: "buildpool.io/class", Value: class, Effect: corev1.TaintEffectNoSchedule}},
		Allocatable: room,
	}
}

// aCluster is a quiet cluster of two groups and the pod ci/build, which waits and which
// the spot group would take.
func aCluster() Facts {
	return Facts{
		Now: noon, Server: Server{Taken: noon.Add(-5 * time.Second)},
		Groups: []Group{
			{Name: "builds-normal", Class: "normal", Max: 20, Template: template("normal", "3500m", "14Gi"), Boot: 90 * time.Second},
			{Name: "builds-spot", Class: "spot", Max: 40, Template: template("spot", "7910m", "13Gi"), Boot: 95 * time.Second},
		},
		Pods: []corev1.Pod{*aBuild("build")},
	}
}

func aBuild(name string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "ci", Name: name},
		Spec: corev1.PodSpec{
			NodeSelector: map[string]string{cloudprovider.LabelClass: "spot"},
			Tolerations:  []corev1.Toleration{{Key: "buildpool.io/class", Operator: corev1.TolerationOpExists}},
			Containers:   []corev1.Container{{Name: "build", Resources: corev1.ResourceRequirements{Requests: list("4", "4Gi")}}},
		},
		Status: corev1.PodStatus{Phase: corev1.PodPending, Conditions: []corev1.PodCondition{
			{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: "Unschedulable", Message: "0/1 nodes are available: 1 Insufficient cpu."},
		}},
	}
}

func aNode(name, class, cpu string) corev1.Node {
	room := list(cpu, "13Gi")
	room[corev1.ResourcePods] = resource.MustParse("110")
	return corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{cloudprovider.LabelClass: class, "workload_type": class}},
		Spec:       corev1.NodeSpec{Taints: []corev1.Taint{{Key: "buildpool.io/class", Value: class, Effect: corev1.TaintEffectNoSchedule}}},
		Status:     corev1.NodeStatus{Allocatable: room, Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}},
	}
}

// readyFor is a spot node that became Ready so many seconds ago.
func readyFor(name string, seconds int) corev1.Node {
	n := aNode(name, "spot", "7910m")
	n.Status.Conditions[0].LastTransitionTime = metav1.NewTime(noon.Add(-time.Duration(seconds) * time.Second))
	return n
}

func bound(node string) *corev1.Pod {
	p := aBuild("other")
	p.Spec.NodeName, p.Status.Phase = node, corev1.PodRunning
	return p
}

func claim(p *corev1.Pod, name string) {
	p.Spec.Volumes = append(p.Spec.Volumes, corev1.Volume{Name: name, VolumeSource: corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: name}}})
}

func inZone(zone string) *corev1.NodeSelector {
	return &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{MatchExpressions: []corev1.NodeSelectorRequirement{
		{Key: corev1.LabelTopologyZone, Operator: corev1.NodeSelectorOpIn, Values: []string{zone}},
	}}}}
}

// said is cluster-autoscaler's word on the pod, so many seconds ago.
func said(reason string, ago int) Event {
	return Event{Pod: "ci/build", Reason: reason, Message: "in backoff", At: noon.Add(-time.Duration(ago) * time.Second)}
}

func in(f *Facts, group string) *Group {
	for n := range f.Groups {
		if f.Groups[n].Name == group {
			return &f.Groups[n]
		}
	}
	panic(group)
}

func trouble(reason cloudprovider.SkipReason, code string) []cloudprovider.Skip {
	return []cloudprovider.Skip{{Reason: reason, Code: code, At: noon.Add(-2 * time.Minute), Until: noon.Add(3 * time.Minute)}}
}

// Each situation has one true cause, and the answer names it.
func TestWhyAPodWaits(t *testing.T) {
	for name, c := range map[string]struct {
		stage func(f *Facts, pod *corev1.Pod)
		cause Cause
		says  string
		when  string
	}{
		"nothing is wrong": {func(*Facts, *corev1.Pod) {}, WillGrow,
			"Nothing stops group builds-spot from growing for it", "A node of that group took 1m35s to join of late."},
		"a class that no group has": {func(_ *Facts, p *corev1.Pod) { p.Spec.NodeSelector[cloudprovider.LabelClass] = "gpu" }, Label,
			"No node group takes it. The nearest is builds-spot: the pod asks for nodes with buildpool.io/class=gpu, and these have buildpool.io/class=spot.", ""},
		"a label that no node has": {func(_ *Facts, p *corev1.Pod) { p.Spec.NodeSelector["disk"] = "ssd" }, Label,
			"the pod asks for nodes with disk=ssd, and these have no label disk", ""},
		"an affinity to another zone": {func(_ *Facts, p *corev1.Pod) {
			p.Spec.Affinity = &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{RequiredDuringSchedulingIgnoredDuringExecution: inZone("cn-hangzhou-i")}}
		}, Label, "the pod's required node affinity (topology.kubernetes.io/zone In cn-hangzhou-i) does not match their labels", ""},
		"a taint it does not tolerate": {func(_ *Facts, p *corev1.Pod) { p.Spec.Tolerations = nil }, Taint,
			"builds-spot: they are tainted buildpool.io/class=spot:NoSchedule, which the pod does not tolerate.", ""},
		"more than a node has": {func(_ *Facts, p *corev1.Pod) { p.Spec.Containers[0].Resources.Requests = list("8", "4Gi") }, Request,
			"the pod asks for 8 of cpu, and they have 7910m for pods", ""},
		"a GPU where there is none": {func(_ *Facts, p *corev1.Pod) {
			p.Spec.Containers[0].Resources.Requests[cloudprovider.GPUResource] = resource.MustParse("1")
		}, Request, "the pod asks for 1 of nvidia.com/gpu, and they have none", ""},
		"a claim that does not exist": {func(f *Facts, p *corev1.Pod) {
			claim(p, "cache")
			f.Claims = []Claim{{Name: "ci/cache", Missing: true}}
		}, Volume,
			"It names the claim ci/cache, which does not exist", ""},
		"a volume of another zone": {func(f *Facts, p *corev1.Pod) {
			claim(p, "cache")
			f.Claims = []Claim{{Name: "other/cache", Missing: true}, {Name: "ci/cache", Volume: "pv-1", Nodes: inZone("cn-hangzhou-i")}}
			f.Nodes = append(f.Nodes, aNode("n", "spot", "7910m")) // of no zone
		}, Volume, "No node group takes it. The nearest is builds-spot: volume pv-1 of the pod's claim ci/cache can be used on nodes with topology.kubernetes.io/zone In cn-hangzhou-i only.", ""},
		"a volume of the zone": {func(f *Facts, p *corev1.Pod) {
			claim(p, "cache")
			f.Claims = []Claim{{Name: "ci/cache", Volume: "pv-1", Nodes: inZone("cn-hangzhou-h")}}
		}, WillGrow, "builds-spot", "A node of that group took 1m35s to join of late."},
		"a claim of the pod's own that nobody has made yet": {func(f *Facts, p *corev1.Pod) {
			p.Spec.Volumes = []corev1.Volume{{Name: "scratch", VolumeSource: corev1.VolumeSource{Ephemeral: &corev1.EphemeralVolumeSource{}}}}
			f.Claims = []Claim{{Name: "ci/build-scratch", Missing: true}}
		}, WillGrow, "builds-spot", "A node of that group took 1m35s to join of late."},
		"cluster-autoscaler sees what we do not": {func(f *Facts, _ *corev1.Pod) {
			f.Events = []Event{said("TriggeredScaleUp", 400), said("NotTriggerScaleUp", 30)}
		}, Declined, "By labels, taints, requests and volumes group builds-spot would take it, but cluster-autoscaler said 30s ago that it adds no node for it: in backoff.", ""},
		"cluster-autoscaler and the scheduler see what keeps it off a node": {func(f *Facts, _ *corev1.Pod) {
			f.Nodes, f.Events = append(f.Nodes, readyFor("n", 31)), []Event{said("NotTriggerScaleUp", 30)}
		}, Declined, "By labels, taints, requests and volumes node n has room for it, but cluster-autoscaler said 30s ago", ""},
		"cluster-autoscaler spoke before the node was there": {func(f *Facts, _ *corev1.Pod) {
			f.Nodes, f.Events = append(f.Nodes, readyFor("n", 30)), []Event{said("NotTriggerScaleUp", 30)}
		}, HasRoom, "Node n has room for it", ""},
		"cluster-autoscaler has thought better of it": {func(f *Facts, _ *corev1.Pod) {
			f.Events = []Event{said("NotTriggerScaleUp", 30), said("TriggeredScaleUp", 4)}
		}, WillGrow, "builds-spot", "A node of that group took 1m35s to join of late."},
		"cluster-autoscaler said so long ago": {func(f *Facts, _ *corev1.Pod) { f.Events = []Event{said("NotTriggerScaleUp", 361)} },
			WillGrow, "builds-spot", "A node of that group took 1m35s to join of late."},
		"the group is at its max": {func(f *Facts, _ *corev1.Pod) {
			g := in(f, "builds-spot")
			g.Target, g.Running, g.Max = 1, 1, 1
			f.Nodes, f.Pods = append(f.Nodes, aNode("n", "spot", "7910m")), append(f.Pods, *bound("n"))
		}, AtMax, "It fits, but for now nothing grows for it. The nearest is builds-spot: it has all the nodes it may have: 1, the max in the node-group file.",
			"When a node of the group is free, or its max is raised."},
		"out of stock": {func(f *Facts, _ *corev1.Pod) {
			in(f, "builds-spot").Troubles = trouble(cloudprovider.SkippedOutOfStock, "OperationDenied.NoStock")
		}, OutOfStock, "2m00s ago the cloud had no instance to give (OperationDenied.NoStock); the expander prefers other groups for another 3m00s", "It may be tried again in 3m00s."},
		"the account's quota": {func(f *Facts, _ *corev1.Pod) {
			in(f, "builds-spot").Troubles = trouble(cloudprovider.SkippedOutOfStock, "QuotaExceed.ElasticQuota")
		}, Quota, "the account's quota or balance forbids more (QuotaExceed.ElasticQuota)", "It may be tried again in 3m00s."},
		"creations fail": {func(f *Facts, _ *corev1.Pod) {
			in(f, "builds-spot").Troubles = trouble(cloudprovider.SkippedFailed, "InvalidSecurityGroup")
		}, Failing, "an instance could not be created (InvalidSecurityGroup)", "It may be tried again in 3m00s."},
		"the group is not served": {func(f *Facts, _ *corev1.Pod) {
			f.Groups = f.Groups[1:]
			f.Groups[0] = Group{Name: "builds-spot", NotServed: "no scaling group carries its tags"}
		}, NotServed, "builds-spot: cluster-autoscaler is not offered it: no scaling group carries its tags.", ""},
		"the scaling group is disabled": {func(f *Facts, _ *corev1.Pod) { in(f, "builds-spot").Inactive = "scaling group asg-spot is Inactive" }, Inactive,
			"its scaling group does not grow: scaling group asg-spot is Inactive", ""},
		"no template": {func(f *Facts, _ *corev1.Pod) {
			f.Groups = f.Groups[1:]
			f.Groups[0].Template, f.Groups[0].TemplateProblem = nil, "the launch template names no instance type"
		}, NoTemplate, "it cannot be told what a new node would be: the launch template names no instance type", ""},
		"a node is on its way": {func(f *Facts, _ *corev1.Pod) {
			g := in(f, "builds-spot")
			g.Target, g.Creating = 1, 1
		}, OnTheWay, "A node of group builds-spot, on which it fits, is on its way.", "Four of five nodes of the group join within 1m35s; others that wait may come first."},
		"its node has not joined yet": {func(f *Facts, _ *corev1.Pod) {
			g := in(f, "builds-spot")
			g.Target, g.Running, g.Boot = 2, 2, 0
			n := aNode("n", "spot", "7910m")
			f.Nodes, f.Pods = append(f.Nodes, n), append(f.Pods, *bound("n"))
		}, OnTheWay, "A node of group builds-spot", "How long its nodes take to join has not been measured yet."},
		"a node has room": {func(f *Facts, _ *corev1.Pod) { f.Nodes = append(f.Nodes, aNode("n", "spot", "7910m")) }, HasRoom, "Node n has room for it", ""},
		"the node that had room is closed": {func(f *Facts, _ *corev1.Pod) {
			n := aNode("n", "spot", "7910m")
			n.Spec.Unschedulable = true
			f.Nodes = append(f.Nodes, n)
		}, WillGrow, "builds-spot", "A node of that group took 1m35s to join of late."},
		"the server is not ready": {func(f *Facts, _ *corev1.Pod) { f.Server.NotReady = "the account has not been read yet: Forbidden.RAM" }, ServerDown,
			"buildpool is not ready, so no group grows: the account has not been read yet: Forbidden.RAM.", ""},
		"nobody calls the server": {func(f *Facts, _ *corev1.Pod) { f.Server.Taken = noon.Add(-20 * time.Minute) }, NotCalled, "cluster-autoscaler has not called for 20m00s", ""},
		"a dry run":               {func(f *Facts, _ *corev1.Pod) { f.Server.DryRun = true }, DryRun, "it refuses every scale-up", ""},
		"a scheduling gate": {func(_ *Facts, p *corev1.Pod) {
			p.Spec.SchedulingGates = []corev1.PodSchedulingGate{{Name: "kueue.x-k8s.io/admission"}}
		}, Gated,
			"A scheduling gate holds it back (kueue.x-k8s.io/admission)", ""},
		"a priority too low": {func(_ *Facts, p *corev1.Pod) { p.Spec.Priority = new(int32(-20)) }, LowPriority, "Its priority is -20", ""},
		"it pulls its images": {func(_ *Facts, p *corev1.Pod) {
			p.Spec.NodeName = "n"
			p.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "build", State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "ImagePullBackOff"}}}}
		}, NotWaiting, "it is bound to n, which pulls its images or starts it (container build: ImagePullBackOff).", ""},
		"no groups": {func(f *Facts, _ *corev1.Pod) { f.Groups = nil }, NoGroups, "No node groups are configured.", ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := aCluster()
			c.stage(&f, &f.Pods[0])
			e, err := Pod(f, "ci", "build")
			require.NoError(t, err)
			assert.Equal(t, c.cause, e.Cause, e.Answer)
			assert.Contains(t, e.Answer, c.says)
			assert.Equal(t, c.when, e.When)
		})
	}
}

// Every group is judged, the nearest first, and whoever else has said something is heard.
func TestAPodHearsOfEveryGroup(t *testing.T) {
	f := aCluster()
	f.Events = []Event{
		{Pod: "ci/build", Reason: "NotTriggerScaleUp", Message: "pod didn't trigger scale-up: 1 max node group size reached", At: noon.Add(-10 * time.Second)},
		{Pod: "ci/build", Reason: "Scheduled", At: noon},
		{Pod: "ci/other", Reason: "NotTriggerScaleUp", At: noon},
	}
	e, err := Pod(f, "ci", "build")
	require.NoError(t, err)
	require.Len(t, e.Groups, 2)
	assert.Equal(t, "builds-spot", e.Groups[0].Group)
	assert.Empty(t, e.Groups[0].Obstacles)
	assert.Equal(t, []Obstacle{
		{Label, "the pod asks for nodes with buildpool.io/class=spot, and these have buildpool.io/class=normal"},
		{Request, "the pod asks for 4 of cpu, and they have 3500m for pods"},
	}, e.Groups[1].Obstacles)
	assert.Equal(t, []string{
		"scheduler: 0/1 nodes are available: 1 Insufficient cpu.",
		"cluster-autoscaler, 10s ago: NotTriggerScaleUp: pod didn't trigger scale-up: 1 max node group size reached",
	}, e.Said)
	claim(&f.Pods[0], "cache")
	f.Claims = []Claim{{Name: "ci/cache", Unread: "no right to get persistentvolumes"}}
	e, err = Pod(f, "ci", "build")
	require.NoError(t, err)
	assert.Equal(t, "buildpool: on which nodes the volume of claim ci/cache can be used was not looked at: no right to get persistentvolumes", e.Said[2])
	_, err = Pod(f, "ci", "nobody")
	require.ErrorContains(t, err, "explain pod ci/nobody: there is no such pod")
}

func TestWhyAGroupDoesNotGrow(t *testing.T) {
	f := aCluster()
	e, err := OfGroup(f, "builds-spot")
	require.NoError(t, err)
	assert.Equal(t, CanGrow, e.Cause)
	assert.Contains(t, e.Notes, "1 pod waits that it would take.")

	g := in(&f, "builds-spot")
	g.Target, g.Running, g.Failed, g.Max, g.MaxReason, g.Min, g.Floor = 3, 2, 1, 3, "scaling group", 2, "a warm window is open until 17:00"
	f.Nodes = []corev1.Node{aNode("n", "spot", "7910m"), aNode("other", "normal", "3500m")}
	e, err = OfGroup(f, "builds-spot")
	require.NoError(t, err)
	assert.Equal(t, AtMax, e.Cause)
	assert.Equal(t, []string{
		"2 instances run and 0 are being created; 1 node is Ready.",
		"1 instance could not be created, and cluster-autoscaler has yet to give up on that.",
		"1 instance runs without a Ready node: still booting, or its bootstrap fails. cluster-autoscaler gives up after --max-node-provision-time.",
		"It does not go below 2 nodes: a warm window is open until 17:00.",
		"A pod lands on it with a node selector among buildpool.io/class=spot, workload_type=spot, a toleration of buildpool.io/class=spot:NoSchedule, and requests of at most 7910m of cpu, 13Gi of memory, less what DaemonSets take.",
		"1 pod waits that it would take.",
	}, e.Notes)
	_, err = OfGroup(f, "none")
	require.ErrorContains(t, err, "there are: builds-normal, builds-spot")
}
