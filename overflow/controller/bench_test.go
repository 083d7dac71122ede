package controller_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/overflow"
	"github.com/buildpool/buildpool/overflow/controller"
)

// photograph is a town of which what was read once is read again, so that only the
// controller's own work is measured.
type photograph struct {
	*town
	waiting []corev1.Pod
	podsOn  map[string][]*cloudprovider.Pod
}

func (p *photograph) Waiting(context.Context) ([]corev1.Pod, error)       { return p.waiting, nil }
func (p *photograph) Bound(context.Context, string) ([]corev1.Pod, error) { return nil, nil }
func (p *photograph) PodsOn(node string) []*cloudprovider.Pod             { return p.podsOn[node] }
func (p *photograph) Tolerate(context.Context, *corev1.Pod, corev1.Toleration, map[string]string) error {
	return nil
}

// BenchmarkRound is one round over 2,000 builds that wait, with twenty groups, 200 nodes of
// which half have just opened, and 200 more on their way. What is asked of the apiserver
// is not in it. A hundred builds move.
func BenchmarkRound(b *testing.B) {
	w := newTown(b)
	p := &photograph{town: w, podsOn: map[string][]*cloudprovider.Pod{}}
	w.groups = nil
	for g := range 20 {
		class := "spot"
		if g%2 == 1 {
			class = "normal"
		}
		group := controller.Group{Name: fmt.Sprintf("g-%d", g), Class: class, Template: template(class), Blocked: overflow.MovedAtMax, Boot: time.Minute}
		for n := range 10 {
			group.Coming = append(group.Coming, controller.Coming{InstanceID: fmt.Sprintf("i-%d-%d", g, n), Since: noon})
		}
		w.groups = append(w.groups, group)
	}
	for n := range 200 {
		node := spotNode()
		node.Name, node.InstanceID = fmt.Sprintf("node-%d", n), fmt.Sprintf("i-%d", n)
		w.nodes = append(w.nodes, node)
		for i := range 4 {
			p.podsOn[node.Name] = append(p.podsOn[node.Name], &cloudprovider.Pod{UID: fmt.Sprintf("runs-%d-%d", n, i), Node: node.Name, MilliCPU: 1000})
		}
	}
	for n := range 2000 {
		w.build(fmt.Sprint(n), []string{"spot", "normal"}[n%2], time.Duration(n)*time.Millisecond)
	}
	p.waiting = w.list("")
	p.podsOn[""] = w.PodsOn("")
	c := w.controller()
	c.Cluster = p
	b.ReportAllocs()
	for b.Loop() {
		c = controller.New(c.Settings) // its bucket is full
		if err := c.Round(context.Background()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(c.Latest())), "pods")
}
