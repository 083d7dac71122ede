package grpcserver

import (
	"log/slog"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc/protos"
)

func TestStandbyRefusesEverythingButHealth(t *testing.T) {
	var why atomic.Value
	why.Store("another replica leads: replica-2")
	w := connectTo(t, Options{Provider: &account{}, Standby: func() string { return why.Load().(string) }}, slog.LevelInfo)
	_, err := w.Refresh(t.Context(), &protos.RefreshRequest{})
	assert.Equal(t, codes.Unavailable, status.Code(err))
	assert.ErrorContains(t, err, "another replica leads: replica-2")
	_, err = w.NodeGroups(t.Context(), &protos.NodeGroupsRequest{})
	assert.Equal(t, codes.Unavailable, status.Code(err))
	_, err = healthpb.NewHealthClient(w.connection).Check(t.Context(), &healthpb.HealthCheckRequest{})
	require.NoError(t, err)

	why.Store("")
	_, err = w.NodeGroups(t.Context(), &protos.NodeGroupsRequest{})
	require.NoError(t, err)
}
