package nodegroups_test

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/utils/clock"
	"pgregory.net/rapid"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/ess/esssim"
	"github.com/buildpool/buildpool/nodegroups"
)

// A node of 8 CPUs and 16 GiB offers 7.91 CPUs, 14233395 KiB and 110 pods; one of
// ecs.odd 63.77 CPUs.
func TestPodPrice(t *testing.T) {
	price(t, []pricedSpec{plain, cards, odd}, nil, func(w *world) {
		for name, test := range map[string]struct {
			requests corev1.ResourceList
			want     float64
		}{
			"by its CPUs":             {requests("cpu", "791m", "memory", "1Ki"), 0.1 * 2},
			"by its memory":           {requests("cpu", "1m", "memory", "7116697Ki"), 0.5 * 2},
			"the whole node":          {requests("cpu", "7910m"), 2},
			"too large for the small": {requests("cpu", "7911m"), 7.911 / 63.77 * 20},
			"too large for any":       {requests("cpu", "80"), 80 / 63.77 * 20},
			"a GPU":                   {requests("cpu", "791m", "nvidia.com/gpu", "1"), 9},
			"nothing asked for":       {requests(), 2. / 110},
			"nothing of a GPU":        {requests("cpu", "791m", "nvidia.com/gpu", "0"), 0.1 * 2},
		} {
			got, err := w.PodPrice(test.requests, start, end)
			require.NoError(w.t, err, name)
			assert.InEpsilon(w.t, test.want, got, 2e-3, name)
		}
		_, err := w.PodPrice(requests("cpu", "1", "example.com/fpga", "1"), start, end)
		require.ErrorIs(w.t, err, cloudprovider.ErrNoPrice, "what no group has, has no price")
	})
}

func TestAPodCostsTheLeastOfAllGroups(t *testing.T) {
	price(t, []pricedSpec{plain, spotty}, nil, func(w *world) {
		got, err := w.PodPrice(requests("cpu", "791m"), start, end)
		require.NoError(w.t, err)
		assert.InEpsilon(w.t, 0.025, got, 1e-6)
	})
	price(t, []pricedSpec{odd}, broken("DescribePrice"), func(w *world) {
		_, err := w.PodPrice(requests("cpu", "1"), start, end)
		require.ErrorIs(w.t, err, cloudprovider.ErrNoPrice)
	})
}

// CA's score is what nodes cost by what pods cost: below 1 would mean that pods are
// worth more than the node they fill.
func TestPodsThatFillANodeCostNoMoreThanIt(t *testing.T) {
	account, cfg := pricedFiles(t, "", []pricedSpec{
		plain.with("price: {perHour: 2}"), spotty.with("price: {perHour: 0.25}"),
		cards.with("template: {gpu: {type: NVIDIA-A10}}, price: {perHour: 9}"), odd.with("price: {perHour: 20}"),
	})
	simulator, err := esssim.New(esssim.Options{Config: account, Clock: &manualClock{now: start}, Seed: 1})
	require.NoError(t, err)
	p, err := nodegroups.New(cfg, nodegroups.Settings{
		Cloud: newCloud(t, simulator), Clock: clock.RealClock{}, Log: slog.New(slog.DiscardHandler), NewToken: func() string { return "token" },
	})
	require.NoError(t, err)
	require.NoError(t, p.Refresh(t.Context()))
	rapid.Check(t, func(t *rapid.T) {
		group := rapid.SampledFrom([]string{"plain", "spotty", "cards", "odd"}).Draw(t, "group")
		template, err := p.TemplateNode(group)
		require.NoError(t, err)
		node, err := p.NodePrice(cloudprovider.Node{Name: fmt.Sprintf("template-node-for-%s-1", group)}, start, end)
		require.NoError(t, err)
		cpu := rapid.Int64Range(0, template.Allocatable.Cpu().MilliValue()).Draw(t, "cpu")
		memory := rapid.Int64Range(0, template.Allocatable.Memory().Value()).Draw(t, "memory")
		pod := corev1.ResourceList{
			corev1.ResourceCPU:    *resource.NewMilliQuantity(cpu, resource.DecimalSI),
			corev1.ResourceMemory: *resource.NewQuantity(memory, resource.BinarySI),
		}
		one, err := p.PodPrice(pod, start, end)
		require.NoError(t, err)
		assert.Positive(t, one)
		assert.LessOrEqual(t, one, node*(1+1e-9), "a pod that fits costs no more than the node")
		pod[corev1.ResourceCPU] = *resource.NewMilliQuantity(cpu+100, resource.DecimalSI)
		more, err := p.PodPrice(pod, start, end)
		require.NoError(t, err)
		assert.GreaterOrEqual(t, more, one, "more is never cheaper")
	})
}

// 200 groups, as in the benchmarks of the other RPCs.
func BenchmarkPodPrice(b *testing.B) {
	p, _, _ := large(b, 200, 1, time.Hour)
	pod := requests("cpu", "2", "memory", "4Gi")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.PodPrice(pod, start, end); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkNodePrice(b *testing.B) {
	p, _, _ := large(b, 200, 1, time.Hour)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.NodePrice(cloudprovider.Node{Name: "template-node-for-group-199-8812345678901234567"}, start, end); err != nil {
			b.Fatal(err)
		}
	}
}
