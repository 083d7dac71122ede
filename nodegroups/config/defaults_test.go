package config

import (
	"maps"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"pgregory.net/rapid"
)

func parseGood(t require.TestingT, text string) Config {
	cfg, err := Parse("good.yaml", []byte(text))
	require.NoError(t, err)
	return cfg
}

const header = "apiVersion: buildpool/v1alpha1\nkind: NodeGroups\nregion: cn-hangzhou\n"

const fileWithDefaults = header + `
defaults:
  labels: {team: ci, disk: hdd}
  template:
    instanceType: ecs.c7.xlarge
    reserved: {cpu: 100m, memory: 1Gi, ephemeralStorage: 2Gi}
    memoryOverheadPercent: 7
    maxPods: 50
    podNetwork: terway
    ephemeralStorage: 100Gi
    gpu: {type: NVIDIA-A10, count: 4}
  options:
    scaleDownUtilizationThreshold: 0.4
    scaleDownGPUUtilizationThreshold: 0.3
    scaleDownUnneededTime: 5m
    scaleDownUnreadyTime: 6m
    maxNodeProvisionTime: 7m
    ignoreDaemonSetsUtilization: true
  cooldown: {afterScaleUp: 1m, afterScaleDown: 2m, afterFailure: 3m}
groups:
  - {name: plain, class: normal, max: 1, scalingGroup: {id: asg-a}}
  - name: own
    class: gpu
    max: 1
    scalingGroup: {id: asg-b}
    labels: {disk: ssd}
    template:
      instanceType: ecs.gn7i
      reserved: {memory: 3Gi}
      memoryOverheadPercent: 0
      maxPods: 9
      podNetwork: flannel
      ephemeralStorage: 1Ti
      gpu: {type: Tesla-T4}
    options: {scaleDownUtilizationThreshold: 0, scaleDownUnneededTime: 0s, ignoreDaemonSetsUtilization: false}
    cooldown: {afterScaleUp: 0s}
  - {name: dflt, class: gpu, max: 1, scalingGroup: {id: asg-c}}
`

func TestDefaultsAreMergedIntoEachGroup(t *testing.T) {
	cfg := parseGood(t, fileWithDefaults)
	assert.Equal(t, ProviderIDAuto, cfg.ProviderID)
	assert.Equal(t, CredentialsDefault, cfg.Account.Credentials)
	plain, own, dflt := cfg.Groups[0], cfg.Groups[1], cfg.Groups[2]

	assert.Equal(t, map[string]string{"team": "ci", "disk": "hdd", "buildpool.io/class": "normal"}, plain.Labels)
	assert.Equal(t, map[string]string{"team": "ci", "disk": "ssd", "buildpool.io/class": "gpu"}, own.Labels)

	want := cfg.Defaults.Template
	want.GPU = nil
	assert.Equal(t, want, plain.Template, "a default GPU is no concern of a group without")
	assert.Equal(t, cfg.Defaults.Options, plain.Options)
	assert.Equal(t, cfg.Defaults.Cooldown, plain.Cooldown)
	assert.Equal(t, &GPU{Type: "NVIDIA-A10", Count: 4}, dflt.Template.GPU)

	quantity := func(s string) *resource.Quantity { q := resource.MustParse(s); return &q }
	zero := 0
	assert.Equal(t, Template{
		InstanceType:          "ecs.gn7i",
		Reserved:              Reserved{CPU: quantity("100m"), Memory: quantity("3Gi"), EphemeralStorage: quantity("2Gi")},
		MemoryOverheadPercent: &zero, MaxPods: 9, PodNetwork: PodNetworkFlannel,
		EphemeralStorage: quantity("1Ti"),
		GPU:              &GPU{Type: "Tesla-T4"},
	}, own.Template, "its own GPU is not mixed with the default count")

	assert.Zero(t, *own.Options.ScaleDownUtilizationThreshold, "an explicit 0 is a value")
	assert.Zero(t, *own.Options.ScaleDownUnneededTime)
	assert.False(t, *own.Options.IgnoreDaemonSetsUtilization)
	assert.InDelta(t, 0.3, *own.Options.ScaleDownGPUUtilizationThreshold, 0)
	assert.Equal(t, Duration(6*time.Minute), *own.Options.ScaleDownUnreadyTime)
	assert.Zero(t, *own.Cooldown.AfterScaleUp)
	assert.Equal(t, Duration(2*time.Minute), *own.Cooldown.AfterScaleDown)
}

func TestAnchorsAndMergeKeysAreFollowed(t *testing.T) {
	cfg, err := Load("testdata/good/anchors-and-merge-keys.yaml")
	require.NoError(t, err)
	a, b := cfg.Groups[0], cfg.Groups[1]
	assert.Equal(t, 30, a.Template.MaxPods)
	assert.Equal(t, 60, b.Template.MaxPods, "the mapping's own key wins")
	assert.Equal(t, a.Template.Reserved, b.Template.Reserved)
	assert.Equal(t, a.Taints, b.Taints)
	assert.Equal(t, map[string]string{"a": "own", "c": "d", "e": "f", "buildpool.io/class": "normal"}, b.Labels, "of two merged mappings the first wins")
}

// Groups must not share what a caller may change.
func TestGroupsShareNoLabels(t *testing.T) {
	cfg := parseGood(t, header+"defaults: {labels: {a: b}}\ngroups:\n- {name: a, class: normal, max: 1, scalingGroup: {id: asg-a}}\n- {name: b, class: normal, max: 1, scalingGroup: {id: asg-b}}\n")
	cfg.Groups[0].Labels["a"] = "changed"
	assert.Equal(t, "b", cfg.Groups[1].Labels["a"])
	assert.Equal(t, "b", cfg.Defaults.Labels["a"])
}

// The class always stands among a group's labels, own labels win over the
// defaults', and no other label appears.
func TestMergedLabels(t *testing.T) {
	labels := rapid.MapOf(rapid.SampledFrom([]string{"a", "b", "c", "d"}), rapid.SampledFrom([]string{"1", "2", "3"}))
	rapid.Check(t, func(t *rapid.T) {
		defaults, own := labels.Draw(t, "defaults"), labels.Draw(t, "own")
		class := rapid.SampledFrom([]Class{ClassNormal, ClassGPU, ClassSpot}).Draw(t, "class")
		want := maps.Clone(defaults)
		maps.Copy(want, own)
		want["buildpool.io/class"] = string(class)
		got := groupWithDefaults(Group{Class: class, Labels: own}, Defaults{Labels: defaults})
		assert.Equal(t, want, got.Labels)
		assert.Equal(t, got, groupWithDefaults(got, Defaults{Labels: defaults}), "merging twice changes nothing")
	})
}

func TestTaintsAreRead(t *testing.T) {
	cfg, err := Load("testdata/good/taints-of-one-key.yaml")
	require.NoError(t, err)
	assert.Equal(t, []Taint{
		{Key: "a", Effect: corev1.TaintEffectNoSchedule},
		{Key: "a", Value: "b", Effect: corev1.TaintEffectNoExecute},
		{Key: "a", Effect: corev1.TaintEffectPreferNoSchedule},
	}, cfg.Groups[0].Taints)
}
