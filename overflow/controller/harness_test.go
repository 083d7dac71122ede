package controller_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/nodegroups/config"
	"github.com/buildpool/buildpool/overflow"
	"github.com/buildpool/buildpool/overflow/controller"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

const ciFile = `
apiVersion: buildpool/v1alpha1
kind: NodeGroups
region: cn-hangzhou
overflow:
  price: {perCPU: 1, perGiB: 0}
  classes:
    - class: spot
      podSelector: "app=build,class=spot"
      namespaces: [ci]
      startWhen: {waitedFor: 1m, noGroupCanGrow: true}
      maxPods: 5
      annotations: {k8s.aliyun.com/eci-spot-strategy: SpotAsPriceGo}
    - class: normal
      podSelector: app=build
      startWhen: {waitedFor: 5s}
      scaleUpDelay: 40s
      maxPods: 5
groups:
  - {name: spot, class: spot, scalingGroup: {id: asg-a}, max: 10}
  - {name: normal, class: normal, scalingGroup: {id: asg-b}, max: 10}
`

// town is a cluster in memory, node groups, and what was told. Pods are written as an
// apiserver does: each write makes a new version, and one of an old version is refused.
type town struct {
	t       testing.TB
	clock   *clocktesting.FakeClock
	pods    map[string]*corev1.Pod
	nodes   []*cloudprovider.ClusterNode
	groups  []controller.Group
	said    map[string][2]time.Time
	blind   error
	noGroup error

	version   int
	patched   []string
	events    []string
	moved     map[string]int
	refused   map[string]int
	live      map[string]int
	cost      map[string]float64
	saved     time.Duration
	meanwhile func(pod *corev1.Pod) // before a write
}

func newTown(t testing.TB) *town {
	w := &town{
		t: t, clock: clocktesting.NewFakeClock(noon), pods: map[string]*corev1.Pod{}, said: map[string][2]time.Time{},
		moved: map[string]int{}, refused: map[string]int{}, live: map[string]int{}, cost: map[string]float64{},
	}
	w.nodes = []*cloudprovider.ClusterNode{{
		Name: "virtual", Labels: map[string]string{"type": "virtual-kubelet"}, Ready: corev1.ConditionTrue,
		Taints: []corev1.Taint{{Key: "virtual-kubelet.io/provider", Effect: corev1.TaintEffectNoSchedule}},
	}}
	w.groups = []controller.Group{
		{Name: "spot", Class: "spot", Template: template("spot"), Boot: time.Minute},
		{Name: "normal", Class: "normal", Template: template("normal"), Boot: time.Minute},
	}
	return w
}

func template(class string) *cloudprovider.NodeTemplate {
	return &cloudprovider.NodeTemplate{
		Labels: map[string]string{cloudprovider.LabelClass: class},
		Taints: []corev1.Taint{{Key: "class", Value: class, Effect: corev1.TaintEffectNoSchedule}},
		Allocatable: corev1.ResourceList{
			corev1.ResourceCPU: resource.MustParse("4"), corev1.ResourceMemory: resource.MustParse("8Gi"), corev1.ResourcePods: resource.MustParse("110"),
		},
	}
}

func (w *town) controller() *controller.Controller {
	cfg, err := config.Parse("ci.yaml", []byte(ciFile))
	require.NoError(w.t, err)
	rules, err := controller.RulesOf(cfg.Overflow)
	require.NoError(w.t, err)
	return controller.New(controller.Settings{
		Cluster: w, Rules: func() controller.Rules { return rules },
		Groups:   func(context.Context) ([]controller.Group, error) { return w.groups, w.noGroup },
		Observer: w, Clock: w.clock, Log: slog.New(slog.DiscardHandler),
	})
}

// build adds a pod of the class that has waited for so long and fills a node.
func (w *town) build(name, class string, age time.Duration) *corev1.Pod {
	w.version++
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "ci", Name: name, UID: types.UID("uid-" + name), ResourceVersion: fmt.Sprint(w.version),
			Labels: map[string]string{"app": "build", "class": class}, CreationTimestamp: metav1.NewTime(w.clock.Now().Add(-age)),
		},
		Spec: corev1.PodSpec{
			Tolerations: []corev1.Toleration{{Key: "class", Value: class}},
			Containers: []corev1.Container{{Name: "build", Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{
				corev1.ResourceCPU: resource.MustParse("4"), corev1.ResourceMemory: resource.MustParse("4Gi"),
			}}}},
		},
		Status: corev1.PodStatus{Phase: corev1.PodPending},
	}
	w.pods[name] = pod
	return pod
}

// bind is what the scheduler and a kubelet do.
func (w *town) bind(name, node string) {
	w.version++
	w.pods[name].Spec.NodeName, w.pods[name].Status.Phase = node, corev1.PodRunning
	w.pods[name].ResourceVersion = fmt.Sprint(w.version)
}

func (w *town) list(node string) []corev1.Pod {
	var out []corev1.Pod
	for _, p := range w.pods {
		if p.Spec.NodeName == node {
			out = append(out, *p.DeepCopy())
		}
	}
	return out
}

func (w *town) tolerating() int {
	n := 0
	for _, p := range w.pods {
		for _, t := range p.Spec.Tolerations {
			if t.Key == "virtual-kubelet.io/provider" {
				n++
			}
		}
	}
	return n
}

func (w *town) Current() error                                             { return w.blind }
func (w *town) Nodes() []*cloudprovider.ClusterNode                        { return w.nodes }
func (w *town) Said(uid string) (triggered, not time.Time)                 { return w.said[uid][0], w.said[uid][1] }
func (w *town) Waiting(context.Context) ([]corev1.Pod, error)              { return w.list(""), nil }
func (w *town) Bound(_ context.Context, node string) ([]corev1.Pod, error) { return w.list(node), nil }

func (w *town) PodsOn(node string) []*cloudprovider.Pod {
	var out []*cloudprovider.Pod
	for _, p := range w.list(node) {
		out = append(out, &cloudprovider.Pod{
			Namespace: p.Namespace, Name: p.Name, UID: string(p.UID), Node: p.Spec.NodeName, Labels: p.Labels, Phase: p.Status.Phase,
			MilliCPU: p.Spec.Containers[0].Resources.Requests.Cpu().MilliValue(), MemoryBytes: p.Spec.Containers[0].Resources.Requests.Memory().Value(),
			LimitMilliCPU: p.Spec.Containers[0].Resources.Requests.Cpu().MilliValue(), LimitMemoryBytes: p.Spec.Containers[0].Resources.Requests.Memory().Value(),
			Virtual: p.Annotations,
		})
	}
	return out
}

func (w *town) Tolerate(_ context.Context, pod *corev1.Pod, toleration corev1.Toleration, annotations map[string]string) error {
	return w.write(pod, annotations, func(p *corev1.Pod) { p.Spec.Tolerations = append(p.Spec.Tolerations, toleration) })
}

func (w *town) Annotate(_ context.Context, pod *corev1.Pod, annotations map[string]string) error {
	return w.write(pod, annotations, func(*corev1.Pod) {})
}

func (w *town) write(pod *corev1.Pod, annotations map[string]string, change func(*corev1.Pod)) error {
	if w.meanwhile != nil {
		w.meanwhile(pod)
	}
	now, there := w.pods[pod.Name]
	if !there || now.ResourceVersion != pod.ResourceVersion {
		return fmt.Errorf("patch: %w", cloudprovider.ErrPodChanged)
	}
	w.version++
	changed := now.DeepCopy()
	change(changed)
	metav1.SetMetaDataAnnotation(&changed.ObjectMeta, "seen", "by a test")
	for key, value := range annotations {
		changed.Annotations[key] = value
	}
	changed.ResourceVersion = fmt.Sprint(w.version)
	w.pods[pod.Name] = changed
	w.patched = append(w.patched, pod.Name)
	return nil
}

func (w *town) Tell(pod *corev1.Pod, reason, sentence string) {
	w.events = append(w.events, pod.Name+" "+reason+": "+sentence)
}

func (w *town) Moved(class string, why overflow.Reason)   { w.moved[class+"/"+string(why)]++ }
func (w *town) Refused(class string, why overflow.Reason) { w.refused[class+"/"+string(why)]++ }
func (w *town) Saved(_ string, wait time.Duration)        { w.saved += wait }
func (w *town) Live(class string, pods int, cost float64) {
	w.live[class], w.cost[class] = pods, cost
}
