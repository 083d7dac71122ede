package grpcserver

import (
	"log/slog"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc/protos"

	"github.com/buildpool/buildpool/cloudprovider"
)

func TestRefresh(t *testing.T) {
	provider := &account{}
	w := connect(t, provider, slog.LevelInfo)
	_, err := w.Refresh(t.Context(), &protos.RefreshRequest{})
	require.NoError(t, err)
	assert.Equal(t, []string{"Refresh"}, provider.made())

	provider.fail = cloudprovider.ErrNotReady
	_, err = w.Refresh(t.Context(), &protos.RefreshRequest{})
	requireStatus(t, err, codes.Unavailable, "the cloud has not been read yet")
}

func TestCleanupTouchesNothing(t *testing.T) {
	provider := &account{}
	w := connect(t, provider, slog.LevelInfo)
	_, err := w.Cleanup(t.Context(), &protos.CleanupRequest{})
	require.NoError(t, err)
	assert.Empty(t, provider.made())
}

func TestGPU(t *testing.T) {
	w := connect(t, &account{gpus: cloudprovider.GPUs{
		Label: cloudprovider.LabelGPU,
		Types: []string{"NVIDIA-A10", "NVIDIA-T4"},
	}}, slog.LevelInfo)
	label, err := w.GPULabel(t.Context(), &protos.GPULabelRequest{})
	require.NoError(t, err)
	assert.Equal(t, "aliyun.accelerator/nvidia_name", label.GetLabel())
	types, err := w.GetAvailableGPUTypes(t.Context(), &protos.GetAvailableGPUTypesRequest{})
	require.NoError(t, err)
	assert.Equal(t, []string{"NVIDIA-A10", "NVIDIA-T4"}, slices.Sorted(maps.Keys(types.GetGpuTypes())))
}
