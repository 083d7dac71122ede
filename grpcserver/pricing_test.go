package grpcserver

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/types/known/timestamppb"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc/protos"

	"github.com/buildpool/buildpool/cloudprovider"
)

// prices are what nodes cost per hour, by name, and what a CPU does.
type prices struct {
	nodes map[string]float64
	cpu   float64
}

func (a *account) PricePerHour(id string) (cloudprovider.Price, error) {
	if err := a.enter("PricePerHour " + id); err != nil {
		return cloudprovider.Price{}, err
	}
	return cloudprovider.Price{}, fmt.Errorf("price of group %s: %w", id, cloudprovider.ErrNoPrice)
}

func (a *account) NodePrice(node cloudprovider.Node, start, end time.Time) (float64, error) {
	if err := a.enter(fmt.Sprintf("NodePrice %s %v", node.Name, end.Sub(start))); err != nil {
		return 0, err
	}
	a.asked = node
	perHour, ok := a.prices.nodes[node.Name]
	if !ok {
		return 0, fmt.Errorf("price of node %s: %w", node.Name, cloudprovider.ErrNoPrice)
	}
	return perHour * end.Sub(start).Hours(), nil
}

func (a *account) PodPrice(requests corev1.ResourceList, start, end time.Time) (float64, error) {
	if err := a.enter(fmt.Sprintf("PodPrice %v %v", requests.Cpu(), end.Sub(start))); err != nil {
		return 0, err
	}
	if a.prices.cpu == 0 {
		return 0, fmt.Errorf("price of pod: %w", cloudprovider.ErrNoPrice)
	}
	return requests.Cpu().AsApproximateFloat64() * a.prices.cpu * end.Sub(start).Hours(), nil
}

func hourFrom(start time.Time) (from, to *timestamppb.Timestamp) {
	return timestamppb.New(start), timestamppb.New(start.Add(time.Hour))
}

func build(cpu string) *corev1.Pod {
	return &corev1.Pod{Spec: corev1.PodSpec{Containers: []corev1.Container{{Resources: asking(cpu)}}}}
}

func asking(cpu string) corev1.ResourceRequirements {
	return corev1.ResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(cpu)}}
}

func encoded(t *testing.T, message interface{ Marshal() ([]byte, error) }) []byte {
	t.Helper()
	bytes, err := message.Marshal()
	require.NoError(t, err)
	return bytes
}

func TestNodePrice(t *testing.T) {
	provider := &account{prices: prices{nodes: map[string]float64{"template-gpu": 9.5}}}
	w := connect(t, provider, slog.LevelInfo)
	from, to := hourFrom(epoch)
	node := &protos.ExternalGrpcNode{Name: "template-gpu", Labels: map[string]string{cloudprovider.LabelClass: "gpu"}}
	answer, err := w.PricingNodePrice(t.Context(), &protos.PricingNodePriceRequest{Node: node, StartTimestamp: from, EndTimestamp: to})
	require.NoError(t, err)
	assert.InDelta(t, 9.5, answer.GetPrice(), 1e-12)
	assert.Equal(t, "gpu", provider.asked.Labels[cloudprovider.LabelClass], "labels tell whose template it is")

	_, err = w.PricingNodePrice(t.Context(), &protos.PricingNodePriceRequest{StartTimestamp: from, EndTimestamp: to})
	requireStatus(t, err, codes.InvalidArgument, "no node")
}

// CA up to 1.34 sends the times in other fields. A price for no time at all would be 0.
func TestNodePriceOfAnOldClient(t *testing.T) {
	provider := &account{prices: prices{nodes: map[string]float64{"template-gpu": 9.5}}}
	w := connect(t, provider, slog.LevelInfo)
	request := &protos.PricingNodePriceRequest{Node: &protos.ExternalGrpcNode{Name: "template-gpu"}}
	var old []byte
	for number, at := range map[protowire.Number]time.Time{2: epoch, 3: epoch.Add(2 * time.Hour)} {
		moment := metav1.NewTime(at)
		old = protowire.AppendTag(old, number, protowire.BytesType)
		old = protowire.AppendBytes(old, encoded(t, &moment))
	}
	request.ProtoReflect().SetUnknown(old)
	answer, err := w.PricingNodePrice(t.Context(), request)
	require.NoError(t, err)
	assert.InDelta(t, 19, answer.GetPrice(), 1e-12)
}

func TestPodPrice(t *testing.T) {
	w := connect(t, &account{prices: prices{cpu: 0.2}}, slog.LevelInfo)
	from, to := hourFrom(epoch)
	answer, err := w.PricingPodPrice(t.Context(), &protos.PricingPodPriceRequest{PodBytes: encoded(t, build("1500m")), StartTimestamp: from, EndTimestamp: to})
	require.NoError(t, err)
	assert.InDelta(t, 0.3, answer.GetPrice(), 1e-12)

	for name, request := range map[string]*protos.PricingPodPriceRequest{
		"no pod":         {StartTimestamp: from, EndTimestamp: to},
		"not a pod":      {PodBytes: []byte{0xff}, StartTimestamp: from, EndTimestamp: to},
		"an endless day": {PodBytes: encoded(t, build("1")), StartTimestamp: from, EndTimestamp: &timestamppb.Timestamp{Nanos: -1}},
	} {
		_, err = w.PricingPodPrice(t.Context(), request)
		requireStatus(t, err, codes.InvalidArgument)
		assert.Error(t, err, name)
	}
}

func TestAnUnknownPriceIsNeverZero(t *testing.T) {
	w := connect(t, &account{}, slog.LevelInfo)
	from, to := hourFrom(epoch)
	node, err := w.PricingNodePrice(t.Context(), &protos.PricingNodePriceRequest{Node: &protos.ExternalGrpcNode{Name: "x"}, StartTimestamp: from, EndTimestamp: to})
	requireStatus(t, err, codes.Unimplemented, "no price known")
	assert.Nil(t, node)
	pod, err := w.PricingPodPrice(t.Context(), &protos.PricingPodPriceRequest{PodBytes: encoded(t, build("1")), StartTimestamp: from, EndTimestamp: to})
	requireStatus(t, err, codes.Unimplemented, "no price known")
	assert.Nil(t, pod)
	assert.NotContains(t, w.log.String(), "level=WARN", "CA asks once per pod and option")
}

func TestWhatAPodAsksFor(t *testing.T) {
	always := corev1.ContainerRestartPolicyAlways
	once := func(cpu string) corev1.Container { return corev1.Container{Resources: asking(cpu)} }
	sidecar := func(cpu string) corev1.Container {
		return corev1.Container{Resources: asking(cpu), RestartPolicy: &always}
	}
	own := asking("3")
	for name, test := range map[string]struct {
		spec corev1.PodSpec
		want string
	}{
		"nothing":                  {corev1.PodSpec{}, "0"},
		"containers together":      {corev1.PodSpec{Containers: []corev1.Container{once("1"), once("500m")}}, "1500m"},
		"a larger init container":  {corev1.PodSpec{Containers: []corev1.Container{once("1")}, InitContainers: []corev1.Container{once("2"), once("1")}}, "2"},
		"a smaller init container": {corev1.PodSpec{Containers: []corev1.Container{once("1")}, InitContainers: []corev1.Container{once("500m")}}, "1"},
		"a sidecar runs along":     {corev1.PodSpec{Containers: []corev1.Container{once("1")}, InitContainers: []corev1.Container{sidecar("500m")}}, "1500m"},
		"an init container beside the sidecar before it": {corev1.PodSpec{Containers: []corev1.Container{once("1")},
			InitContainers: []corev1.Container{sidecar("500m"), once("2")}}, "2500m"},
		"an init container before the sidecar": {corev1.PodSpec{Containers: []corev1.Container{once("1")},
			InitContainers: []corev1.Container{once("2"), sidecar("500m")}}, "2"},
		"the pod's own figure": {corev1.PodSpec{Containers: []corev1.Container{once("1")}, Resources: &own}, "3"},
		"overhead on top": {corev1.PodSpec{Containers: []corev1.Container{once("1")}, Resources: &own,
			Overhead: asking("250m").Requests}, "3250m"},
	} {
		t.Run(name, func(t *testing.T) {
			before := test.spec.DeepCopy()
			got := requestsOf(test.spec)
			assert.Zero(t, got.Cpu().Cmp(resource.MustParse(test.want)), "%v", got.Cpu())
			assert.Equal(t, before, &test.spec, "the pod is left as it was")
		})
	}
}
