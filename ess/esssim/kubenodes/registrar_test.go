package kubenodes_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/utils/clock"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/buildpool/buildpool/ess/esssim/account"
	"github.com/buildpool/buildpool/ess/esssim/kubenodes"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const file = `apiVersion: buildpool/v1alpha1
kind: Account
region: cn-hangzhou
accessKeys: [{id: k, secret: s}]
vSwitches: [{id: vsw-h, zone: cn-hangzhou-h}]
kernelMemoryPercent: 5
instanceTypes:
  - {name: ecs.c7.2xlarge, cpus: 8, memoryGiB: 16, pricePerHour: 1}
  - {name: ecs.gn7i-c8g1.2xlarge, cpus: 8, memoryGiB: 30, arch: ARM, gpus: 1, gpuModel: NVIDIA A10, pricePerHour: 9}
launchTemplates:
  - id: lt-gpu
    instanceTypes: [ecs.gn7i-c8g1.2xlarge]
    tags: {ack.alibabacloud.com/nodepool-id: np1}
    userData: "kubelet --eviction-hard=memory.available<0 --node-labels=buildpool.io/class=gpu"
scalingGroups:
  - id: asg-spot
    max: 10
    desired: 2
    expectedNumberMode: true
    vSwitchIds: [vsw-h]
    scalingConfiguration:
      id: asc-spot
      instanceTypes: [ecs.c7.2xlarge]
      spotStrategy: SpotAsPriceGo
      systemDiskGiB: 120
      userData: |
        KUBELET_EXTRA_ARGS="--node-labels=buildpool.io/class=spot --register-with-taints=buildpool.io/class=spot:NoSchedule --kube-reserved=cpu=90m,memory=1565Mi,ephemeral-storage=1Gi --max-pods=64"
  - id: asg-gpu
    max: 10
    inService: 1
    expectedNumberMode: true
    vSwitchIds: [vsw-h]
    launchTemplate: {id: lt-gpu}
  - id: asg-broken
    max: 10
    inService: 1
    expectedNumberMode: true
    vSwitchIds: [vsw-h]
    scalingConfiguration: {id: asc-broken, instanceTypes: [ecs.c7.2xlarge], userData: "--register-with-taints=x"}
`

// cluster is a simulated account whose instances join a fake apiserver.
type cluster struct {
	t         *testing.T
	account   *account.Account
	clock     *clocktesting.FakeClock
	client    *fake.Clientset
	registrar *kubenodes.Registrar
}

func newCluster(t *testing.T, existing ...runtime.Object) *cluster {
	cfg, err := account.Parse("account.yaml", []byte(file))
	require.NoError(t, err)
	fakeClock := clocktesting.NewFakeClock(time.Date(2026, 8, 3, 15, 0, 0, 0, time.UTC))
	a, err := account.New(cfg, fakeClock, 1)
	require.NoError(t, err)
	c := &cluster{t: t, account: a, clock: fakeClock, client: fake.NewClientset(existing...)}
	c.restart("")
	return c
}

// restart replaces the registrar by one that knows nothing.
func (c *cluster) restart(form kubenodes.ProviderIDForm) {
	c.registrar = kubenodes.New(kubenodes.Options{
		Client: c.client, Account: c.account, Clock: c.clock, ProviderID: form, KernelMemoryPercent: 5,
	})
}

// after lets time pass and brings the nodes in step.
func (c *cluster) after(d time.Duration) []corev1.Node {
	c.t.Helper()
	c.clock.Step(d)
	require.NoError(c.t, c.registrar.Sync(c.t.Context()))
	return c.nodes()
}

func (c *cluster) nodes() []corev1.Node {
	c.t.Helper()
	list, err := c.client.CoreV1().Nodes().List(c.t.Context(), metav1.ListOptions{})
	require.NoError(c.t, err)
	return list.Items
}

func (c *cluster) instances(group string) []account.Instance {
	c.t.Helper()
	page, err := c.account.Instances(account.InstanceQuery{GroupID: group})
	require.NoError(c.t, err)
	return page.Items
}

func named(t *testing.T, nodes []corev1.Node, class string) corev1.Node {
	t.Helper()
	for _, n := range nodes {
		if n.Labels["buildpool.io/class"] == class {
			return n
		}
	}
	require.Fail(t, "no node of the class", class)
	return corev1.Node{}
}

func TestNodesJoinAfterTheDelayAndLeaveWithTheirInstance(t *testing.T) {
	c := newCluster(t)
	assert.Len(t, c.after(0), 1, "the GPU instance is long in service")
	c.after(time.Second)      // the check
	c.after(20 * time.Second) // created
	assert.Len(t, c.nodes(), 1)
	assert.Len(t, c.after(20*time.Second-time.Nanosecond), 1, "in service, not joined")
	assert.Len(t, c.after(time.Nanosecond), 3)

	_, err := c.account.RemoveInstances(account.Removal{GroupID: "asg-spot", InstanceIDs: []string{c.instances("asg-spot")[0].ID}})
	require.NoError(t, err)
	assert.Len(t, c.after(10*time.Second-time.Nanosecond), 3, "removing, not gone")
	left := c.after(time.Nanosecond)
	require.Len(t, left, 2)
	assert.Equal(t, "cn-hangzhou."+c.instances("asg-spot")[0].ID, named(t, left, "spot").Name)
}

func TestANodeIsWhatItsUserDataAndTypeSay(t *testing.T) {
	c := newCluster(t)
	c.after(time.Second)
	c.after(20 * time.Second)
	nodes := c.after(20 * time.Second)
	n := named(t, nodes, "spot")
	name := "cn-hangzhou." + n.Annotations[kubenodes.InstanceAnnotation]
	assert.Equal(t, name, n.Name)
	assert.Equal(t, name, n.Spec.ProviderID)
	assert.Equal(t, "fake", n.Annotations["kwok.x-k8s.io/node"])
	assert.Equal(t, map[string]string{
		"buildpool.io/class":                         "spot",
		"kubernetes.io/hostname":                     name,
		"kubernetes.io/os":                           "linux",
		"kubernetes.io/arch":                         "amd64",
		"node.kubernetes.io/instance-type":           "ecs.c7.2xlarge",
		"topology.kubernetes.io/region":              "cn-hangzhou",
		"topology.kubernetes.io/zone":                "cn-hangzhou-h",
		"node.alibabacloud.com/instance-charge-type": "PostPaid",
		"node.alibabacloud.com/spot-strategy":        "SpotAsPriceGo",
	}, n.Labels)
	assert.Equal(t, []corev1.Taint{{Key: "buildpool.io/class", Value: "spot", Effect: corev1.TaintEffectNoSchedule}}, n.Spec.Taints)
	assert.Equal(t, corev1.ConditionFalse, n.Status.Conditions[0].Status)

	requireAmounts(t, n.Status.Capacity, map[corev1.ResourceName]string{
		// 16 GiB less 5 %, in whole KiB.
		"cpu": "8", "memory": "15938355Ki", "pods": "64", "ephemeral-storage": "120Gi",
	})
	requireAmounts(t, n.Status.Allocatable, map[corev1.ResourceName]string{
		// Also 100 Mi and 10 % that kubelet keeps by default; its 10 % is a float32 and
		// so takes 192 bytes more than a tenth.
		"cpu": "7910m", "memory": "14233395Ki", "pods": "64", "ephemeral-storage": "114890374976",
	})

	gpu := named(t, nodes, "gpu")
	assert.Equal(t, "arm64", gpu.Labels["kubernetes.io/arch"])
	assert.Equal(t, "NVIDIA-A10", gpu.Labels["aliyun.accelerator/nvidia_name"])
	assert.Equal(t, "np1", gpu.Labels["node.alibabacloud.com/nodepool-id"])
	one := resource.MustParse("1")
	assert.Equal(t, one.Value(), gpu.Status.Allocatable.Name("nvidia.com/gpu", resource.DecimalSI).Value())
	assert.Equal(t, "40Gi", gpu.Status.Capacity.StorageEphemeral().String(), "the default system disk")
	assert.True(t, gpu.Status.Capacity.Memory().Equal(*gpu.Status.Allocatable.Memory()), "nothing is kept")
}

func requireAmounts(t *testing.T, list corev1.ResourceList, want map[corev1.ResourceName]string) {
	t.Helper()
	require.Len(t, list, len(want))
	for name, amount := range want {
		got := list[name]
		assert.Zero(t, got.Cmp(resource.MustParse(amount)), "%s: %s is not %s", name, got.String(), amount)
	}
}

func TestProviderIDForm(t *testing.T) {
	c := newCluster(t)
	c.restart(kubenodes.ProviderIDURL)
	n := named(t, c.after(0), "gpu")
	assert.Equal(t, "alicloud://cn-hangzhou."+n.Annotations[kubenodes.InstanceAnnotation], n.Spec.ProviderID)
}

func TestARestartAdoptsAndCleansUp(t *testing.T) {
	orphan := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "cn-hangzhou.i-gone", Annotations: map[string]string{kubenodes.InstanceAnnotation: "i-gone"}}}
	foreign := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "control-plane"}}
	c := newCluster(t, orphan, foreign)
	first := c.after(0)
	require.Len(t, first, 2, "ours and the foreign one")
	c.restart("")
	assert.Equal(t, first, c.after(time.Nanosecond))

	require.NoError(t, c.client.CoreV1().Nodes().Delete(t.Context(), named(t, first, "gpu").Name, metav1.DeleteOptions{}))
	assert.Len(t, c.after(time.Minute), 1+2, "a node that somebody deleted stays deleted; the two spot nodes are new")
}

// A simulator that is killed and started again has the account and the cluster to go
// by: what joined stays joined, what was to join joins at its time, and what went
// meanwhile leaves.
func TestAResumedAccountPicksUpItsNodes(t *testing.T) {
	c := newCluster(t)
	begun := c.clock.Now()
	var kept []account.Change
	c.account.Keep(func(change account.Change) error { kept = append(kept, change); return nil })
	c.after(time.Second)
	c.after(20 * time.Second)
	first := c.after(20 * time.Second)
	require.Len(t, first, 3)
	spots := c.instances("asg-spot")
	require.NoError(t, c.client.CoreV1().Nodes().Delete(t.Context(), "cn-hangzhou."+spots[0].ID, metav1.DeleteOptions{}))
	_, err := c.account.RemoveInstances(account.Removal{GroupID: "asg-spot", InstanceIDs: []string{spots[1].ID}, KeepDesired: true})
	require.NoError(t, err)

	cfg, err := account.Parse("account.yaml", []byte(file))
	require.NoError(t, err)
	c.account, err = account.Resume(cfg, c.clock, 1, begun)
	require.NoError(t, err)
	for _, change := range kept {
		_, err := c.account.Redo(change)
		require.NoError(t, err)
	}
	c.restart("")
	assert.Len(t, c.after(10*time.Second), 1, "a deleted node stays deleted; the removed instance's leaves; the GPU node stays")
	c.after(20 * time.Second) // its replacement is created
	assert.Len(t, c.after(20*time.Second), 2, "and joins")
}

func TestErrorsOfTheAPIServerAreTriedAgain(t *testing.T) {
	c := newCluster(t)
	failing := "list"
	c.client.PrependReactor("*", "nodes", func(action clienttesting.Action) (bool, runtime.Object, error) {
		return action.GetVerb() == failing, nil, errors.New("the apiserver is away")
	})
	require.ErrorContains(t, c.registrar.Sync(t.Context()), "list nodes")
	failing = "create"
	require.ErrorContains(t, c.registrar.Sync(t.Context()), "create node")
	failing = ""
	assert.Len(t, c.after(0), 1)

	failing = "delete"
	none := 0
	require.NoError(t, c.account.EditGroup("asg-gpu", account.GroupChange{Desired: &none}))
	c.clock.Step(time.Second)
	c.account.Now()
	c.clock.Step(10 * time.Second)
	require.ErrorContains(t, c.registrar.Sync(t.Context()), "delete node")
	failing = ""
	assert.Empty(t, c.after(0))
}

func TestANodeOfSomebodyElseIsNotTaken(t *testing.T) {
	c := newCluster(t)
	name := "cn-hangzhou." + c.instances("asg-gpu")[0].ID
	_, err := c.client.CoreV1().Nodes().Create(t.Context(), &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{})
	require.NoError(t, err)
	require.ErrorContains(t, c.registrar.Sync(t.Context()), "not of this simulator")
}

func TestRunFollowsTheClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg, err := account.Parse("account.yaml", []byte(strings.Replace(file, "inService: 1\n", "\n", 1)))
		require.NoError(t, err)
		real := clock.RealClock{}
		a, err := account.New(cfg, real, 1)
		require.NoError(t, err)
		client := fake.NewClientset()
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		registrar := kubenodes.New(kubenodes.Options{Client: client, Account: a, Clock: real})
		go func() { registrar.Run(ctx); close(ended) }()
		count := func() int {
			list, err := client.CoreV1().Nodes().List(t.Context(), metav1.ListOptions{})
			require.NoError(t, err)
			return len(list.Items)
		}
		real.Sleep(40 * time.Second)
		synctest.Wait()
		assert.Equal(t, 0, count())
		real.Sleep(3 * time.Second)
		synctest.Wait()
		assert.Equal(t, 2, count())
		stop()
		<-ended
	})
}

// Where nobody deletes the node of an instance that has gone, its kubelet only falls
// silent: kwok plays it no longer. A simulator that is started again leaves it so.
func TestNodesOfInstancesThatAreGoneMayBeKept(t *testing.T) {
	c := newCluster(t)
	keep := func() {
		c.registrar = kubenodes.New(kubenodes.Options{Client: c.client, Account: c.account, Clock: c.clock, KeepNodes: true})
	}
	keep()
	node := named(t, c.after(5*time.Minute), "spot")
	assert.Equal(t, "fake", node.Annotations["kwok.x-k8s.io/node"])
	node.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}} // kwok's work
	_, err := c.client.CoreV1().Nodes().UpdateStatus(t.Context(), &node, metav1.UpdateOptions{})
	require.NoError(t, err)
	spots := c.instances("asg-spot")
	_, err = c.account.RemoveInstances(account.Removal{GroupID: "asg-spot", InstanceIDs: []string{spots[0].ID, spots[1].ID}})
	require.NoError(t, err)
	for range 2 {
		node = named(t, c.after(5*time.Minute), "spot")
		assert.NotContains(t, node.Annotations, "kwok.x-k8s.io/node")
		require.Len(t, node.Status.Conditions, 1)
		assert.Equal(t, corev1.ConditionUnknown, node.Status.Conditions[0].Status)
		keep()
	}
}
