package controller_test

import (
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	clocktesting "k8s.io/utils/clock/testing"
	"pgregory.net/rapid"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/cluster"
	"github.com/buildpool/buildpool/overflow"
	"github.com/buildpool/buildpool/overflow/controller"
)

// history is a cluster to which things happen at random, also between what a controller
// reads and what it writes. A build fills a node, so that the surplus can be counted.
type history struct {
	t     *rapid.T
	clock *clocktesting.FakeClock
	rules controller.Rules
	pods  *podAPI
	api   *cluster.Overflow
	// kinds is what each pod was made as, by UID, and made in which round it was, or was
	// given its toleration by others.
	kinds    map[types.UID]string
	made     map[types.UID]int
	machines []*machine
	groups   []controller.Group
	// blind: whoever knows the groups does not see which machines have joined.
	blind       bool
	said        map[string][2]time.Time
	controllers []*sight
	serial      int
	round       int // how many rounds there were, of all controllers
	depth       int // of rounds within rounds
	quiet       bool
	bursted     bool
	count       map[string]int // of what has been seen, over all histories
}

// machine is an instance and its node, from the moment it is asked for.
type machine struct {
	group int
	since time.Time
	id    string
	node  *cloudprovider.ClusterNode // nil: not registered
	open  bool
	// opened is when it opened, and openRound in which round.
	opened    time.Time
	openRound int
	used      bool // by a pod, ever
}

var classes = []string{"spot", "normal"}

// kindsOfBuilds are those that a history has; all but plain, gpu and elsewhere may not
// move as they are.
var kindsOfBuilds = []string{
	"plain", "plain", "plain", "plain", "plain", "gpu", "elsewhere", "hostPath", "privileged", "daemonSet",
	"replicaSet", "gated", "selecting", "tolerating", "stranger", "headroom",
}

func newHistory(t *rapid.T, count map[string]int) *history {
	h := &history{
		t: t, clock: clocktesting.NewFakeClock(noon), pods: newPodAPI(), kinds: map[types.UID]string{}, made: map[types.UID]int{},
		said: map[string][2]time.Time{}, count: count, blind: rapid.Bool().Draw(t, "blind"), rules: drawRules(t),
	}
	var err error
	if h.api, err = cluster.NewOverflow(h.pods.client, nil, nil, h.clock, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	for _, class := range classes {
		h.groups = append(h.groups, controller.Group{
			Name: class, Class: class, Template: template(class),
			Boot: rapid.SampledFrom([]time.Duration{0, 30 * time.Second, 2 * time.Minute}).Draw(t, "boot"),
		})
	}
	for g, class := range classes {
		for range rapid.IntRange(0, 8).Draw(t, "builds") {
			h.create("plain", class, drawSeconds(t, 90))
		}
		for range rapid.IntRange(0, 5).Draw(t, "machines") {
			h.machines = append(h.machines, &machine{group: g, since: h.clock.Now()})
		}
	}
	for range 2 {
		h.controllers = append(h.controllers, h.start())
	}
	return h
}

func drawRules(t *rapid.T) controller.Rules {
	rules := controller.Rules{ScanInterval: 10 * time.Second}
	for n, selector := range []string{"app=build,class=spot", "app=build"} {
		class := controller.Class{
			Name: classes[n], VirtualNodes: labels.SelectorFromSet(labels.Set{"type": "virtual-kubelet"}),
			Policy: overflow.Policy{
				Annotations: map[string]string{"k8s.aliyun.com/eci-spot-strategy": "SpotAsPriceGo"},
				TaintKey:    "virtual-kubelet.io/provider", Price: overflow.Price{PerCPU: 1},
				Start: overflow.Start{
					After:          rapid.SampledFrom([]time.Duration{5 * time.Second, 0, 5 * time.Second, time.Minute}).Draw(t, "after"),
					PredictedLater: rapid.SampledFrom([]time.Duration{0, time.Minute}).Draw(t, "later"),
					WhenBlocked:    rapid.Bool().Draw(t, "whenBlocked"),
				},
				Margin:         rapid.SampledFrom([]time.Duration{20 * time.Second, time.Minute}).Draw(t, "margin"),
				MaxPods:        rapid.SampledFrom([]int{300, 1, 5, 300, 300}).Draw(t, "maxPods"),
				MaxCostPerHour: rapid.SampledFrom([]float64{0, 0, 0, 10, 30}).Draw(t, "maxCost"),
			},
		}
		class.Policy.Selector, _ = labels.Parse(selector)
		if n == 0 {
			class.Policy.Namespaces = []string{"ci"}
		}
		if n == 1 && rapid.Bool().Draw(t, "delayed") {
			class.ScaleUpDelay = 40 * time.Second
		}
		rules.Classes = append(rules.Classes, class)
	}
	return rules
}

// start starts a controller that knows nothing.
func (h *history) start() *sight {
	s := &sight{Overflow: h.api, h: h}
	s.controller = controller.New(controller.Settings{
		Cluster: s, Rules: func() controller.Rules { return h.rules }, Groups: s.groups, Observer: nobody{},
		Clock: h.clock, Log: slog.New(slog.DiscardHandler),
	})
	return s
}

// create makes a build of the kind that has waited for so long.
func (h *history) create(kind, class string, age time.Duration) {
	h.serial++
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "ci", Name: fmt.Sprintf("%s-%d", kind, h.serial), UID: types.UID(fmt.Sprint(h.serial)),
			Labels:            map[string]string{"app": "build", "class": class},
			CreationTimestamp: metav1.NewTime(h.clock.Now().Add(-age).Truncate(time.Second)),
		},
		Spec: corev1.PodSpec{
			Tolerations: []corev1.Toleration{{Key: "class", Value: class}},
			Containers: []corev1.Container{{Name: "build", Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{
				corev1.ResourceCPU: resource.MustParse("4"), corev1.ResourceMemory: resource.MustParse("4Gi"),
			}}}},
		},
		Status: corev1.PodStatus{Phase: corev1.PodPending},
	}
	controlled, privileged := true, true
	switch kind {
	case "gpu":
		pod.Spec.Containers[0].Resources.Requests[cloudprovider.GPUResource] = resource.MustParse("1")
	case "elsewhere":
		pod.Namespace = "dev"
	case "hostPath":
		pod.Spec.Volumes = []corev1.Volume{{VolumeSource: corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: "/"}}}}
	case "privileged":
		pod.Spec.Containers[0].SecurityContext = &corev1.SecurityContext{Privileged: &privileged}
	case "daemonSet":
		pod.OwnerReferences = []metav1.OwnerReference{{Kind: "DaemonSet", Controller: &controlled}}
	case "replicaSet":
		pod.OwnerReferences = []metav1.OwnerReference{{Kind: "ReplicaSet", Controller: &controlled}}
	case "gated":
		pod.Spec.SchedulingGates = []corev1.PodSchedulingGate{{Name: "later"}}
	case "selecting":
		pod.Spec.NodeSelector = map[string]string{cloudprovider.LabelClass: class}
	case "tolerating":
		h.tolerate(pod)
	case "stranger":
		pod.Labels = nil
	case "headroom":
		pod.Labels = map[string]string{cloudprovider.LabelHeadroom: class}
	}
	h.kinds[pod.UID], h.made[pod.UID] = kind, h.round
	h.pods.put(pod)
}

func (h *history) tolerate(pod *corev1.Pod) {
	pod.Spec.Tolerations = append(pod.Spec.Tolerations, corev1.Toleration{Key: "virtual-kubelet.io/provider", Operator: corev1.TolerationOpExists})
}

// tolerations is how often the pod tolerates the virtual node.
func tolerations(pod *corev1.Pod) (n int) {
	for _, t := range pod.Spec.Tolerations {
		if t.Key == "virtual-kubelet.io/provider" {
			n++
		}
	}
	return n
}

// classOf is whose the pod is by the rules, and whether it may move; -1: nobody's.
func (h *history) classOf(pod *corev1.Pod) (class int, may bool) {
	switch {
	case pod.Labels["app"] != "build":
		return -1, false
	case pod.Labels["class"] != "spot" || pod.Namespace != "ci":
		class = 1
	}
	return class, slices.Contains([]string{"plain", "gpu", "elsewhere"}, h.kinds[pod.UID])
}

// groupOf is the only group that could serve the pod; -1: none.
func (h *history) groupOf(pod *corev1.Pod) int {
	if h.kinds[pod.UID] == "gpu" {
		return -1
	}
	return slices.Index(classes, pod.Spec.Tolerations[0].Value)
}

// events are what may happen.
func (h *history) events() map[string]func() {
	return map[string]func(){
		"a build": func() {
			h.create(rapid.SampledFrom(kindsOfBuilds).Draw(h.t, "kind"), rapid.SampledFrom(classes).Draw(h.t, "class"), drawSeconds(h.t, 90))
		},
		"some builds": func() {
			class := rapid.SampledFrom(classes).Draw(h.t, "class")
			for range rapid.IntRange(1, 8).Draw(h.t, "builds") {
				h.create("plain", class, drawSeconds(h.t, 90))
			}
		},
		"the scheduler binds": h.bind,
		"the autoscaler":      h.autoscale,
		"machines go on":      h.advance,
		"a machine fails":     h.fail,
		"a group is blocked":  h.block,
		"a pod goes":          func() { h.withPod(func(p *corev1.Pod) { h.pods.remove(p) }) },
		"a pod is written": func() {
			h.withPod(func(p *corev1.Pod) { p.Annotations = map[string]string{"by": "others"}; h.pods.put(p) })
		},
		"a pod opts out":         func() { h.withPod(func(p *corev1.Pod) { p.Labels = nil; h.pods.put(p) }) },
		"a pod is made anew":     h.replace,
		"tolerated by hand":      h.byHand,
		"a machine gets readier": h.ready,
	}
}

func drawSeconds(t *rapid.T, most int) time.Duration {
	return time.Duration(rapid.IntRange(0, most).Draw(t, "seconds")) * time.Second
}

// meanwhile lets things happen while a controller looks and writes.
func (h *history) meanwhile() {
	if h.quiet || h.depth > 1 || rapid.Bool().Draw(h.t, "happens not") {
		return
	}
	events := h.events()
	names := slices.Sorted(maps.Keys(events))
	names = append(names, "machines go on", "machines go on", "a machine gets readier", "a machine gets readier", "the scheduler binds", "the scheduler binds", "the autoscaler")
	events[rapid.SampledFrom(names).Draw(h.t, "meanwhile")]()
}

func (h *history) withPod(do func(*corev1.Pod)) {
	if all := h.pods.pods; len(all) > 0 {
		do(all[rapid.IntRange(0, len(all)-1).Draw(h.t, "pod")].DeepCopy())
	}
}

// replace makes another pod of the same name.
func (h *history) replace() {
	h.withPod(func(p *corev1.Pod) {
		h.serial++
		kind := h.kinds[p.UID]
		p.UID = types.UID(fmt.Sprint(h.serial))
		if p.Spec.NodeName != "" || tolerations(p) > 0 {
			return
		}
		h.kinds[p.UID], h.made[p.UID] = kind, h.round
		h.pods.put(p)
	})
}

func (h *history) byHand() {
	h.withPod(func(p *corev1.Pod) {
		if p.Spec.NodeName != "" || tolerations(p) > 0 {
			return
		}
		h.tolerate(p)
		h.kinds[p.UID], h.made[p.UID] = "tolerating", h.round
		h.pods.put(p)
	})
}

// bind is what the scheduler does with some of the pods that wait.
func (h *history) bind() {
	most := rapid.IntRange(1, 10).Draw(h.t, "bound")
	for _, pod := range h.pods.all() {
		if most == 0 || pod.Spec.NodeName != "" || h.kinds[pod.UID] == "gated" {
			continue
		}
		node := ""
		if tolerations(pod) > 0 && pod.Spec.NodeSelector == nil {
			node = "virtual"
		}
		for _, m := range h.machines {
			if node == "" && m.open && m.group == h.groupOf(pod) && len(h.pods.on(m.node.Name)) == 0 {
				node, m.used = m.node.Name, true
			}
		}
		if node == "" {
			continue
		}
		most--
		pod.Spec.NodeName, pod.Status.Phase = node, corev1.PodRunning
		h.pods.put(pod)
	}
}

// autoscale asks for nodes, and says for which builds it does and for which it does not.
func (h *history) autoscale() {
	g := rapid.IntRange(0, 1).Draw(h.t, "group")
	nodes := rapid.IntRange(0, 5).Draw(h.t, "nodes")
	all := rapid.Bool().Draw(h.t, "says it of all")
	for _, pod := range h.pods.all() {
		uid := string(pod.UID)
		if pod.Spec.NodeName != "" || tolerations(pod) > 0 || h.groupOf(pod) != g {
			continue
		}
		said := h.said[uid]
		if nodes > 0 && h.groups[g].Blocked == "" {
			nodes--
			h.machines = append(h.machines, &machine{group: g, since: h.clock.Now()})
			said[0] = h.clock.Now()
			if !all {
				h.said[uid] = said
				continue
			}
		}
		said[1] = h.clock.Now()
		h.said[uid] = said
	}
}

// advance takes machines further: they are listed, registered, Ready, open.
func (h *history) advance() {
	for _, m := range h.machines {
		for range rapid.IntRange(0, 4).Draw(h.t, "steps") {
			h.step(m)
		}
	}
}

func (h *history) step(m *machine) {
	switch {
	case m.id == "":
		h.serial++
		m.id = fmt.Sprintf("i-%d", h.serial)
	case m.node == nil:
		m.node = &cloudprovider.ClusterNode{
			Name: "node-" + m.id, InstanceID: m.id, Created: h.clock.Now(), Ready: corev1.ConditionFalse,
			Labels: map[string]string{cloudprovider.LabelClass: classes[m.group]}, MilliCPU: 4000, MemoryBytes: 8 << 30,
		}
	default:
		h.readier(m)
	}
}

// ready makes a registered machine readier.
func (h *history) ready() {
	for _, m := range h.machines {
		if m.node != nil && !m.open {
			h.readier(m)
			return
		}
	}
}

func (h *history) readier(m *machine) {
	if m.open {
		return
	}
	node := *m.node
	if node.Ready != corev1.ConditionTrue && rapid.Bool().Draw(h.t, "with a startup taint") {
		node.Taints = []corev1.Taint{{Key: corev1.TaintNodeNotReady, Effect: corev1.TaintEffectNoSchedule}}
	} else {
		node.Taints, m.open, m.opened, m.openRound = nil, true, h.clock.Now(), h.round
	}
	node.Ready = corev1.ConditionTrue
	m.node = &node
}

// fail loses a machine, and its pods with it.
func (h *history) fail() {
	if len(h.machines) == 0 {
		return
	}
	n := rapid.IntRange(0, len(h.machines)-1).Draw(h.t, "failing")
	if node := h.machines[n].node; node != nil {
		for _, p := range h.pods.on(node.Name) {
			h.pods.remove(p)
		}
	}
	h.machines = slices.Delete(h.machines, n, n+1)
}

func (h *history) block() {
	g := rapid.IntRange(0, 1).Draw(h.t, "group")
	h.groups[g].Blocked = rapid.SampledFrom([]overflow.Reason{"", overflow.MovedAtMax, overflow.MovedOutOfStock, overflow.MovedByBackoff}).Draw(h.t, "blocked")
}

// onTheirWay is how many nodes of the group are on their way, and not late, or open for a
// short time and not used yet. Nobody sees what opens while he looks.
func (h *history) onTheirWay(g int, margin time.Duration) (n int) {
	boot := h.groups[g].Boot
	if boot == 0 {
		boot = 3 * time.Minute
	}
	for _, m := range h.machines {
		from := m.since.Add(boot)
		if m.open && m.openRound != h.round {
			from = m.opened
		}
		if m.group == g && !m.used && !h.clock.Now().After(from.Add(margin)) {
			n++
		}
	}
	return n
}

// nobody hears of what comes of it.
type nobody struct{}

func (nobody) Moved(string, overflow.Reason)   {}
func (nobody) Refused(string, overflow.Reason) {}
func (nobody) Live(string, int, float64)       {}
func (nobody) Saved(string, time.Duration)     {}
