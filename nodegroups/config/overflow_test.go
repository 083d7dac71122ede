package config

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/buildpool/buildpool/overflow"
)

func TestPolicyOfAClass(t *testing.T) {
	cfg, err := Load("testdata/good/overflow.yaml")
	require.NoError(t, err)
	spot, err := cfg.Overflow.Classes[0].Policy(cfg.Overflow.Price)
	require.NoError(t, err)
	assert.True(t, spot.Selector.Matches(labels.Set{"app": "build"}))
	assert.False(t, spot.Selector.Matches(labels.Set{"app": "build", "tier": "cache"}))
	spot.Selector = nil
	assert.Equal(t, overflow.Policy{
		Namespaces: []string{"ci", "ci-nightly"}, TaintKey: "k8s.aliyun.com/vnode",
		Start:   overflow.Start{After: 5 * time.Minute, PredictedLater: 3 * time.Minute, WhenBlocked: true},
		MaxPods: 10000, MaxCostPerHour: 0.01,
		Price:       overflow.Price{PerCPU: 0.1764, PerGiB: 0.02205, SpotDiscount: 0.99, InstanceTypes: map[string]float64{"ecs.gn6i-c4g1.xlarge": 8.5}},
		Annotations: map[string]string{"k8s.aliyun.com/eci-use-specs": "2-4Gi,4-8Gi", "k8s.aliyun.com/eci-spot-strategy": "SpotAsPriceGo"},
	}, spot)

	normal, err := cfg.Overflow.Classes[1].Policy(nil)
	require.NoError(t, err)
	normal.Selector = nil
	assert.Equal(t, overflow.Policy{
		Deployments: true, TaintKey: "virtual-kubelet.io/provider",
		Start: overflow.Start{After: 5 * time.Second}, Margin: time.Minute, MaxPods: 1,
	}, normal, "what is left out has its default")
	assert.Equal(t, "type=virtual-kubelet", cfg.Overflow.Classes[1].VirtualNode.Selector)
}

func TestOverflowByDefault(t *testing.T) {
	cfg, err := Load("testdata/good/minimal.yaml")
	require.NoError(t, err)
	assert.Equal(t, Overflow{ScanInterval: duration(10 * time.Second)}, cfg.Overflow, "nothing moves")
}
