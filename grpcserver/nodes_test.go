package grpcserver

import (
	"log/slog"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc/protos"

	"github.com/buildpool/buildpool/cloudprovider"
)

func TestNodeGroupNodes(t *testing.T) {
	state := func(s protos.InstanceStatus_InstanceState) *protos.InstanceStatus {
		return &protos.InstanceStatus{InstanceState: s}
	}
	failed := func(code, message string, class int32) *protos.InstanceStatus {
		return &protos.InstanceStatus{
			InstanceState: protos.InstanceStatus_instanceCreating,
			ErrorInfo:     &protos.InstanceErrorInfo{ErrorCode: code, ErrorMessage: message, InstanceErrorClass: class},
		}
	}
	for name, test := range map[string]struct {
		instance cloudprovider.InstanceStatus
		want     *protos.InstanceStatus
	}{
		"running":  {cloudprovider.InstanceStatus{State: cloudprovider.Running}, state(1)},
		"creating": {cloudprovider.InstanceStatus{State: cloudprovider.Creating}, state(2)},
		"deleting": {cloudprovider.InstanceStatus{State: cloudprovider.Deleting}, state(3)},
		"placeholder": {
			cloudprovider.InstanceStatus{State: cloudprovider.Creating, Failure: &cloudprovider.Failure{
				Class: cloudprovider.OutOfResources, Code: "OperationDenied.NoStock", Message: "no spot \xffleft"}},
			failed("OperationDenied.NoStock", "no spot \uFFFDleft", 1),
		},
		"placeholder of another reason": {
			cloudprovider.InstanceStatus{State: cloudprovider.Creating, Failure: &cloudprovider.Failure{
				Class: cloudprovider.OtherFailure, Code: "InvalidImage", Message: "gone"}},
			failed("InvalidImage", "gone", 99),
		},
		// CA ignores error information without a code, and would wait for the instance.
		"stock-out without a code": {
			cloudprovider.InstanceStatus{State: cloudprovider.Creating, Failure: &cloudprovider.Failure{Class: cloudprovider.OutOfResources}},
			failed("OutOfResources", "", 1),
		},
		"failure without a code": {
			cloudprovider.InstanceStatus{State: cloudprovider.Creating, Failure: &cloudprovider.Failure{Class: cloudprovider.OtherFailure}},
			failed("Unknown", "", 99),
		},
	} {
		t.Run(name, func(t *testing.T) {
			test.instance.ID = "cn-hangzhou.i-1"
			w := connect(t, &account{
				groups:    []cloudprovider.NodeGroup{{ID: "spot"}},
				instances: map[string][]cloudprovider.InstanceStatus{"spot": {test.instance}},
			}, slog.LevelInfo)
			response, err := w.NodeGroupNodes(t.Context(), &protos.NodeGroupNodesRequest{Id: "spot"})
			require.NoError(t, err)
			want := &protos.NodeGroupNodesResponse{Instances: []*protos.Instance{{Id: "cn-hangzhou.i-1", Status: test.want}}}
			assert.True(t, proto.Equal(want, response), "want %v, got %v", want, response)
		})
	}
}

func TestNodeGroupNodesKeepsOrder(t *testing.T) {
	w := connect(t, &account{
		groups: []cloudprovider.NodeGroup{{ID: "spot"}, {ID: "empty"}},
		instances: map[string][]cloudprovider.InstanceStatus{"spot": {
			{ID: "cn-hangzhou.i-2", State: cloudprovider.Running},
			{ID: "cn-hangzhou.i-1", State: cloudprovider.Running},
			{ID: "placeholder-1", State: cloudprovider.Creating},
		}},
	}, slog.LevelInfo)
	response, err := w.NodeGroupNodes(t.Context(), &protos.NodeGroupNodesRequest{Id: "spot"})
	require.NoError(t, err)
	var ids []string
	for _, instance := range response.GetInstances() {
		ids = append(ids, instance.GetId())
	}
	assert.Equal(t, []string{"cn-hangzhou.i-2", "cn-hangzhou.i-1", "placeholder-1"}, ids)

	response, err = w.NodeGroupNodes(t.Context(), &protos.NodeGroupNodesRequest{Id: "empty"})
	require.NoError(t, err)
	assert.Empty(t, response.GetInstances())
}
