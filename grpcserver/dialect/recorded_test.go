package dialect

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc/protos"
)

// What every recorded request says: see testdata/README.md.
var (
	periodStart = time.Date(2026, 8, 1, 6, 30, 0, 500_000_000, time.UTC)
	periodEnd   = periodStart.Add(time.Hour)
)

func recordedPod(name string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "builds", Labels: map[string]string{"app": "agent"}},
		Spec: corev1.PodSpec{
			NodeSelector: map[string]string{"buildpool.io/class": "spot"},
			Containers: []corev1.Container{{Name: "build", Image: "golang:1.26", Resources: corev1.ResourceRequirements{
				Requests: corev1.ResourceList{"cpu": resource.MustParse("2"), "memory": resource.MustParse("4Gi")},
			}}},
		},
	}
}

func recordedNode(name string) *corev1.Node {
	return &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{
			Name: name, Labels: map[string]string{"buildpool.io/class": "spot", "kubernetes.io/os": "linux"},
			Annotations: map[string]string{"node.alpha.kubernetes.io/ttl": "0"},
		},
		Spec: corev1.NodeSpec{
			ProviderID: "cn-hangzhou.i-" + name,
			Taints:     []corev1.Taint{{Key: "buildpool.io/class", Value: "spot", Effect: corev1.TaintEffectNoSchedule}},
		},
		Status: corev1.NodeStatus{
			Capacity:    corev1.ResourceList{"cpu": resource.MustParse("8"), "memory": resource.MustParse("16Gi")},
			Allocatable: corev1.ResourceList{"cpu": resource.MustParse("7910m"), "memory": resource.MustParse("14Gi")},
		},
	}
}

// client is one release's requests.
type client struct {
	name    string
	dialect Dialect
	// file returns a request's bytes by the name of its file.
	file func(t testing.TB, name string) []byte
	// provision is whether it sends the time to be provisioned.
	provision bool
	// wholeSeconds is how it sends times.
	wholeSeconds bool
}

var clients = []client{
	{name: "1.26.4", dialect: CA125, file: recorded("ca-1.26.4"), wholeSeconds: true},
	{name: "1.30.1", dialect: CA129, file: recorded("ca-1.30.1"), provision: true, wholeSeconds: true},
	{name: "1.33.0", dialect: CA129, file: recorded("ca-1.33.0"), provision: true, wholeSeconds: true},
	{name: "1.34.2, by the field table", dialect: CA134, file: written134, provision: true},
	{name: "1.35, by the field table", dialect: CA135, file: written135, provision: true},
	{name: "1.36 line", dialect: CA135, file: recorded("ca-1.36"), provision: true},
}

func recorded(release string) func(testing.TB, string) []byte {
	return func(t testing.TB, name string) []byte {
		t.Helper()
		raw, err := os.ReadFile(filepath.Join("testdata", release, name))
		require.NoError(t, err)
		return raw
	}
}

func (c client) read(t testing.TB, name string, to proto.Message) {
	t.Helper()
	require.NoError(t, proto.Unmarshal(c.file(t, name), to))
}

func eachClient(t *testing.T, run func(t *testing.T, c client)) {
	for _, c := range clients {
		t.Run(c.name, func(t *testing.T) { run(t, c) })
	}
}

func TestOptionsRequests(t *testing.T) {
	eachClient(t, func(t *testing.T, c client) {
		var request protos.NodeGroupAutoscalingOptionsRequest
		c.read(t, "options_request.bin", &request)
		assert.Equal(t, "spot", request.GetId())
		assert.Equal(t, c.dialect, Of(request.GetDefaults()))

		want := Durations{Unneeded: 10 * time.Minute, Unready: 20 * time.Minute}
		if c.provision {
			want.Provision = 15 * time.Minute
		}
		durations, err := ReadDurations(request.GetDefaults())
		require.NoError(t, err)
		assert.Equal(t, want, durations)
	})
}

func (c client) times() (start, end time.Time) {
	if c.wholeSeconds {
		return periodStart.Truncate(time.Second), periodEnd.Truncate(time.Second)
	}
	return periodStart, periodEnd
}

func TestNodePriceRequests(t *testing.T) {
	eachClient(t, func(t *testing.T, c client) {
		var request protos.PricingNodePriceRequest
		c.read(t, "node_price_request.bin", &request)
		assert.Equal(t, "cn-hangzhou.i-spot-1", request.GetNode().GetProviderID())
		start, end, err := NodePriceTimes(&request)
		require.NoError(t, err)
		wantStart, wantEnd := c.times()
		assert.Equal(t, wantStart, start)
		assert.Equal(t, wantEnd, end)
	})
}

func TestPodPriceRequests(t *testing.T) {
	eachClient(t, func(t *testing.T, c client) {
		var request protos.PricingPodPriceRequest
		c.read(t, "pod_price_request.bin", &request)
		pod, start, end, err := PodPriceArguments(&request)
		require.NoError(t, err)
		assert.True(t, equality.Semantic.DeepEqual(recordedPod("build-1"), pod), "pod: %v", pod)
		wantStart, wantEnd := c.times()
		assert.Equal(t, wantStart, start)
		assert.Equal(t, wantEnd, end)
	})
}
