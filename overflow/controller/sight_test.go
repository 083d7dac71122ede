package controller_test

import (
	"context"
	"errors"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/cluster"
	"github.com/buildpool/buildpool/overflow"
	"github.com/buildpool/buildpool/overflow/controller"
)

// sight is what one controller sees of a history, and holds what it does against what is
// true. Pods are read and patched by the production client, nodes seen with a lag.
type sight struct {
	*cluster.Overflow
	h          *history
	controller *controller.Controller
	nodes      []*cloudprovider.ClusterNode // as of the round's start
	asked      bool                         // for the groups, in this round
	disturbed  bool                         // by another controller, in this round
	// waiting are the pods as this round read them, tried those that it tried to move,
	// by class and group, said what the autoscaler had said, blocked what of the groups.
	waiting []corev1.Pod
	tried   [2]map[int]int
	said    map[string][2]time.Time
	blocked [2]overflow.Reason
	// most is how many builds may move at most, by class and group.
	most [2]map[int]int
	// times are when this controller tried to move one.
	times  []time.Time
	writes int
}

// look lets the controller go one round.
func (s *sight) look() {
	h := s.h
	h.depth++
	h.round++
	s.nodes, s.asked, s.disturbed, s.waiting = nil, false, false, nil
	s.tried = [2]map[int]int{{}, {}}
	if err := s.controller.Round(context.Background()); err != nil {
		h.t.Fatalf("a round fails: %v", err)
	}
	h.depth--
	for class, tried := range s.tried {
		for g, n := range tried {
			most := s.most[class][g]
			if class == 1 {
				most -= s.tried[0][g]
			}
			if n > most {
				h.t.Fatalf("class %s moves %d builds of group %d, the surplus is %d", classes[class], n, g, most)
			}
		}
	}
}

func (s *sight) Current() error { return nil }

func (s *sight) Nodes() []*cloudprovider.ClusterNode {
	if s.asked {
		s.h.meanwhileOnNodes()
	}
	if s.asked && s.h.lags() {
		return s.lagging()
	}
	s.nodes = []*cloudprovider.ClusterNode{{
		Name: "virtual", Labels: map[string]string{"type": "virtual-kubelet"}, Ready: corev1.ConditionTrue,
		Taints: []corev1.Taint{{Key: "virtual-kubelet.io/provider", Effect: corev1.TaintEffectNoSchedule}},
	}}
	for _, m := range s.h.machines {
		if m.node != nil {
			s.nodes = append(s.nodes, m.node)
		}
	}
	return s.nodes
}

// lagging are the nodes as they were when the round began. From when a node registers
// until it is Ready takes longer than anybody lags.
func (s *sight) lagging() []*cloudprovider.ClusterNode {
	nodes := slices.Clone(s.nodes)
	for _, m := range s.h.machines {
		if m.node == nil || slices.ContainsFunc(nodes, func(n *cloudprovider.ClusterNode) bool { return n.Name == m.node.Name }) {
			continue
		}
		node := *m.node
		node.Ready = corev1.ConditionFalse
		nodes = append(nodes, &node)
	}
	return nodes
}

func (s *sight) PodsOn(node string) (out []*cloudprovider.Pod) {
	for _, p := range s.h.pods.on(node) {
		asks := p.Spec.Containers[0].Resources.Requests
		gpus := asks[cloudprovider.GPUResource]
		out = append(out, &cloudprovider.Pod{
			Namespace: p.Namespace, Name: p.Name, UID: string(p.UID), Node: node, Labels: p.Labels, Phase: p.Status.Phase,
			MilliCPU: asks.Cpu().MilliValue(), MemoryBytes: asks.Memory().Value(), GPUs: gpus.Value(),
		})
	}
	return out
}

func (s *sight) Said(uid string) (triggered, notTriggered time.Time) {
	return s.said[uid][0], s.said[uid][1]
}

func (s *sight) Waiting(ctx context.Context) ([]corev1.Pod, error) {
	pods, err := s.Overflow.Waiting(ctx)
	s.waiting = slices.Clone(pods)
	s.h.meanwhile()
	return pods, err
}

func (s *sight) Bound(ctx context.Context, node string) ([]corev1.Pod, error) {
	pods, err := s.Overflow.Bound(ctx, node)
	s.h.meanwhile()
	return pods, err
}

// groups is the last of what happens before a decision that it could know of.
func (s *sight) groups(context.Context) ([]controller.Group, error) {
	h := s.h
	h.meanwhile()
	s.asked, s.said = true, map[string][2]time.Time{}
	for uid, said := range h.said {
		s.said[uid] = said
	}
	groups := slices.Clone(h.groups)
	for g := range groups {
		s.blocked[g] = groups[g].Blocked
		for _, m := range h.machines {
			joined := m.node != nil && m.node.Ready == corev1.ConditionTrue
			if m.group == g && (h.blind || !joined) {
				groups[g].Coming = append(groups[g].Coming, controller.Coming{InstanceID: m.id, Since: m.since})
			}
		}
	}
	for class := range s.most {
		s.most[class] = h.surplus(s.waiting, h.rules.Classes[class].Policy.Margin)
	}
	return groups, nil
}

// surplus is how many of the pods that were read as waiting, and still wait, have no node
// on its way, by group.
func (h *history) surplus(waiting []corev1.Pod, margin time.Duration) map[int]int {
	out := map[int]int{}
	for n := range waiting {
		pod := &waiting[n]
		if kind := h.kinds[pod.UID]; kind == "headroom" || kind == "gated" || tolerations(pod) > 0 {
			continue
		}
		now := h.pods.find(pod.Namespace, pod.Name)
		if now >= 0 && h.pods.pods[now].UID == pod.UID && h.pods.pods[now].Spec.NodeName != "" {
			continue
		}
		out[h.groupOf(pod)]++
	}
	for g := range h.groups {
		out[g] = max(0, out[g]-h.onTheirWay(g, margin))
	}
	return out
}

func (s *sight) Tolerate(ctx context.Context, pod *corev1.Pod, toleration corev1.Toleration, annotations map[string]string) error {
	h := s.h
	class, may := h.classOf(pod)
	if class < 0 {
		h.t.Fatalf("%s moves, which is nobody's", pod.Name)
	}
	s.tried[class][h.groupOf(pod)]++
	s.takesToken()
	s.awaitsNone(class, pod)
	h.meanwhile()
	if !h.quiet && h.depth == 1 && h.anotherLooks() {
		for _, other := range h.controllers {
			if other != s {
				other.look()
				s.disturbed = true
			}
		}
	}
	err := s.Overflow.Tolerate(ctx, pod, toleration, annotations)
	if errors.Is(err, cloudprovider.ErrPodChanged) {
		h.count["conflicts"]++
		return err
	}
	if err != nil {
		h.t.Fatalf("a patch fails: %v", err)
	}
	s.writes++
	h.count["moved"]++
	now := h.pods.pods[h.pods.find(pod.Namespace, pod.Name)]
	switch {
	case !may:
		h.t.Fatalf("%s moves, and may not", pod.Name)
	case now.UID != pod.UID || now.Spec.NodeName != "":
		h.t.Fatalf("%s is patched, and is bound to %q", pod.Name, now.Spec.NodeName)
	case tolerations(now) != 1:
		h.t.Fatalf("%s tolerates the virtual node %d times", pod.Name, tolerations(now))
	}
	s.withinLimits(class)
	return nil
}

func (s *sight) Annotate(ctx context.Context, pod *corev1.Pod, annotations map[string]string) error {
	s.h.meanwhile()
	if err := s.Overflow.Annotate(ctx, pod, annotations); err != nil {
		return err
	}
	if class, may := s.h.classOf(pod); class != 1 || s.h.rules.Classes[class].ScaleUpDelay == 0 || !may {
		s.h.t.Fatalf("%s is kept from the autoscaler", pod.Name)
	}
	s.writes++
	s.h.count["annotated"]++
	return nil
}

func (s *sight) Tell(*corev1.Pod, string, string) {}

// takesToken holds every stretch of time against the rate.
func (s *sight) takesToken() {
	now := s.h.clock.Now()
	s.times = append(s.times, now)
	for n, from := range s.times {
		moved := len(s.times) - n
		if most := 100 + 20*now.Sub(from).Seconds(); float64(moved) > most {
			s.h.t.Fatalf("%d builds move within %v", moved, now.Sub(from))
		}
		if moved == 100 && now.Equal(from) {
			s.h.count["bursts"]++
		}
	}
}

// awaitsNone: no scale-up that the build triggered may still bring its node.
func (s *sight) awaitsNone(class int, pod *corev1.Pod) {
	g := s.h.groupOf(pod)
	triggered := s.said[string(pod.UID)][0]
	if g < 0 || triggered.IsZero() {
		return
	}
	policy := s.h.rules.Classes[class].Policy
	if b := s.blocked[g]; policy.Start.WhenBlocked && (b == overflow.MovedOutOfStock || b == overflow.MovedByBackoff) {
		return
	}
	wait := s.h.groups[g].Boot
	if wait == 0 {
		wait = policy.Start.After
	}
	if since := s.h.clock.Now().Sub(triggered); since <= wait+policy.Margin {
		s.h.t.Fatalf("%s moves %v after it triggered a scale-up", pod.Name, since)
	}
	s.h.count["late"]++
}

// withinLimits counts the class's pods on the virtual node and on their way there, but
// for those that others sent meanwhile.
func (s *sight) withinLimits(class int) {
	if s.disturbed {
		return
	}
	policy := s.h.rules.Classes[class].Policy
	live, cost, unknown := 0, 0.0, false
	for _, p := range s.h.pods.pods {
		ours, _ := s.h.classOf(p)
		there := p.Spec.NodeName == "virtual" || p.Spec.NodeName == "" && tolerations(p) > 0 && p.Spec.NodeSelector == nil
		if ours != class || !there || s.h.made[p.UID] == s.h.round && s.h.kinds[p.UID] == "tolerating" {
			continue
		}
		live++
		cost += 4
		unknown = unknown || s.h.kinds[p.UID] == "gpu"
	}
	if live > policy.MaxPods {
		s.h.t.Fatalf("%d pods are on the virtual node, %d may be", live, policy.MaxPods)
	}
	if limit := policy.MaxCostPerHour; limit > 0 && (cost > limit || unknown) {
		s.h.t.Fatalf("the pods on the virtual node cost %g (known: %v), the limit is %g", cost, !unknown, limit)
	}
	if live == policy.MaxPods {
		s.h.count["at the limit"]++
	}
}
