package nodegroups_test

import (
	"context"
	"log/slog"
	"net"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/types/known/durationpb"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc/protos"
	"k8s.io/utils/clock"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/grpcserver"
	"github.com/buildpool/buildpool/nodegroups"
)

// caller is what a scenario's cluster-autoscaler can ask.
type caller interface {
	refresh(ctx context.Context) error
	groups(ctx context.Context) ([]cloudprovider.NodeGroup, error)
	groupForNode(ctx context.Context, node cloudprovider.Node) (group cloudprovider.NodeGroup, ours bool, err error)
	target(ctx context.Context, group string) (int, error)
	instances(ctx context.Context, group string) ([]cloudprovider.InstanceStatus, error)
	increase(ctx context.Context, group string, delta int) error
	remove(ctx context.Context, group string, nodes []cloudprovider.Node) error
	decrease(ctx context.Context, group string, delta int) error
	template(ctx context.Context, group string) (cloudprovider.NodeTemplate, error)
	options(ctx context.Context, group string, defaults cloudprovider.Options) (options cloudprovider.Options, set bool, err error)
	// className names an error as both ways of calling know it.
	className(err error) string
	hangUp()
}

// connector joins a scenario to a provider.
type connector func(t *testing.T, p *nodegroups.Provider) caller

// direct calls the provider in our own process.
type direct struct{ *nodegroups.Provider }

func directly(_ *testing.T, p *nodegroups.Provider) caller { return direct{p} }

func (d direct) refresh(ctx context.Context) error { return d.Refresh(ctx) }
func (d direct) groups(context.Context) ([]cloudprovider.NodeGroup, error) {
	return d.NodeGroups()
}

func (d direct) groupForNode(_ context.Context, node cloudprovider.Node) (cloudprovider.NodeGroup, bool, error) {
	group, err := d.NodeGroupForNode(node)
	if classOf(err) == classNotManaged {
		return cloudprovider.NodeGroup{}, false, nil
	}
	return group, err == nil, err
}

func (d direct) target(_ context.Context, group string) (int, error) { return d.TargetSize(group) }

func (d direct) instances(_ context.Context, group string) ([]cloudprovider.InstanceStatus, error) {
	return d.Instances(group)
}

func (d direct) increase(ctx context.Context, group string, delta int) error {
	return d.IncreaseSize(ctx, group, delta)
}

func (d direct) remove(ctx context.Context, group string, nodes []cloudprovider.Node) error {
	return d.DeleteNodes(ctx, group, nodes)
}

func (d direct) decrease(ctx context.Context, group string, delta int) error {
	return d.DecreaseTargetSize(ctx, group, delta)
}

func (d direct) template(_ context.Context, group string) (cloudprovider.NodeTemplate, error) {
	return d.TemplateNode(group)
}

func (d direct) options(_ context.Context, group string, defaults cloudprovider.Options) (cloudprovider.Options, bool, error) {
	return d.Options(group, defaults)
}

func (d direct) className(err error) string { return classOf(err) }
func (d direct) hangUp()                    {}

// remote calls the provider through grpcserver with the client that CA is built with.
type remote struct {
	protos.CloudProviderClient
	end func()
}

func overGRPC(t *testing.T, p *nodegroups.Provider) caller {
	t.Helper()
	server := grpcserver.New(grpcserver.Options{
		Provider: p, Clock: clock.RealClock{}, Log: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(),
	})
	listener := bufconn.Listen(1 << 20)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	connection, err := grpc.NewClient("passthrough:///buildpool",
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }))
	require.NoError(t, err)
	return remote{protos.NewCloudProviderClient(connection), func() {
		ended, cancel := context.WithCancel(context.Background())
		cancel()
		_ = server.Stop(ended) // RPCs that were cut off are the scenario's
		assert.NoError(t, connection.Close())
		assert.NoError(t, <-served)
	}}
}

func (r remote) hangUp() { r.end() }

func (r remote) refresh(ctx context.Context) error {
	_, err := r.Refresh(ctx, &protos.RefreshRequest{})
	return err
}

func (r remote) groups(ctx context.Context) ([]cloudprovider.NodeGroup, error) {
	answer, err := r.NodeGroups(ctx, &protos.NodeGroupsRequest{})
	var groups []cloudprovider.NodeGroup
	for _, g := range answer.GetNodeGroups() {
		groups = append(groups, cloudprovider.NodeGroup{ID: g.GetId(), Min: int(g.GetMinSize()), Max: int(g.GetMaxSize())})
	}
	return groups, err
}

func (r remote) groupForNode(ctx context.Context, node cloudprovider.Node) (cloudprovider.NodeGroup, bool, error) {
	answer, err := r.NodeGroupForNode(ctx, &protos.NodeGroupForNodeRequest{Node: encode(node)})
	g := answer.GetNodeGroup()
	return cloudprovider.NodeGroup{ID: g.GetId(), Min: int(g.GetMinSize()), Max: int(g.GetMaxSize())}, g.GetId() != "", err
}

func (r remote) target(ctx context.Context, group string) (int, error) {
	answer, err := r.NodeGroupTargetSize(ctx, &protos.NodeGroupTargetSizeRequest{Id: group})
	return int(answer.GetTargetSize()), err
}

func (r remote) instances(ctx context.Context, group string) ([]cloudprovider.InstanceStatus, error) {
	answer, err := r.NodeGroupNodes(ctx, &protos.NodeGroupNodesRequest{Id: group})
	var instances []cloudprovider.InstanceStatus
	for _, i := range answer.GetInstances() {
		s := cloudprovider.InstanceStatus{ID: i.GetId(), State: cloudprovider.InstanceState(i.GetStatus().GetInstanceState())}
		if e := i.GetStatus().GetErrorInfo(); e.GetErrorCode() != "" {
			s.Failure = &cloudprovider.Failure{Class: cloudprovider.FailureClass(e.GetInstanceErrorClass()), Code: e.GetErrorCode(), Message: e.GetErrorMessage()}
		}
		instances = append(instances, s)
	}
	return instances, err
}

func (r remote) increase(ctx context.Context, group string, delta int) error {
	_, err := r.NodeGroupIncreaseSize(ctx, &protos.NodeGroupIncreaseSizeRequest{Id: group, Delta: int32(delta)})
	return err
}

func (r remote) remove(ctx context.Context, group string, nodes []cloudprovider.Node) error {
	request := &protos.NodeGroupDeleteNodesRequest{Id: group}
	for _, n := range nodes {
		request.Nodes = append(request.Nodes, encode(n))
	}
	_, err := r.NodeGroupDeleteNodes(ctx, request)
	return err
}

func (r remote) decrease(ctx context.Context, group string, delta int) error {
	_, err := r.NodeGroupDecreaseTargetSize(ctx, &protos.NodeGroupDecreaseTargetSizeRequest{Id: group, Delta: int32(delta)})
	return err
}

func (r remote) template(ctx context.Context, group string) (cloudprovider.NodeTemplate, error) {
	answer, err := r.NodeGroupTemplateNodeInfo(ctx, &protos.NodeGroupTemplateNodeInfoRequest{Id: group})
	if err != nil {
		return cloudprovider.NodeTemplate{}, err
	}
	var node corev1.Node
	if err := node.Unmarshal(answer.GetNodeBytes()); err != nil {
		return cloudprovider.NodeTemplate{}, err
	}
	delete(node.Labels, corev1.LabelHostname) // the wire's own
	return cloudprovider.NodeTemplate{Labels: node.Labels, Taints: node.Spec.Taints, Capacity: node.Status.Capacity, Allocatable: node.Status.Allocatable}, nil
}

func (r remote) options(ctx context.Context, group string, defaults cloudprovider.Options) (cloudprovider.Options, bool, error) {
	answer, err := r.NodeGroupGetOptions(ctx, &protos.NodeGroupAutoscalingOptionsRequest{Id: group, Defaults: &protos.NodeGroupAutoscalingOptions{
		ScaleDownUtilizationThreshold: defaults.ScaleDownUtilizationThreshold,
		ScaleDownUnneededDuration:     durationpb.New(defaults.ScaleDownUnneededTime),
		ScaleDownUnreadyDuration:      durationpb.New(defaults.ScaleDownUnreadyTime),
		MaxNodeProvisionDuration:      durationpb.New(defaults.MaxNodeProvisionTime),
	}})
	o := answer.GetNodeGroupAutoscalingOptions()
	if err != nil || o == nil {
		return defaults, false, err
	}
	return cloudprovider.Options{
		ScaleDownUtilizationThreshold: o.GetScaleDownUtilizationThreshold(),
		ScaleDownUnneededTime:         o.GetScaleDownUnneededDuration().AsDuration(),
		ScaleDownUnreadyTime:          o.GetScaleDownUnreadyDuration().AsDuration(),
		MaxNodeProvisionTime:          o.GetMaxNodeProvisionDuration().AsDuration(),
	}, true, nil
}

func (r remote) className(err error) string { return classOfStatus(err) }

func encode(n cloudprovider.Node) *protos.ExternalGrpcNode {
	return &protos.ExternalGrpcNode{Name: n.Name, ProviderID: n.ProviderID, Labels: n.Labels, Annotations: n.Annotations}
}
