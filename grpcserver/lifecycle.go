package grpcserver

import (
	"context"

	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc/protos"
)

// Refresh lets the provider read the cloud. CA calls it at the start of every loop
// and ends the loop on an error, so the provider fails only while it has nothing to
// serve.
func (s *service) Refresh(ctx context.Context, _ *protos.RefreshRequest) (*protos.RefreshResponse, error) {
	if err := s.provider.Refresh(ctx); err != nil {
		return nil, err
	}
	return &protos.RefreshResponse{}, nil
}

// Cleanup purposefully does nothing, because CA calls it when CA itself ends: the
// nodes stay, and the next CA goes on with this same server.
func (s *service) Cleanup(context.Context, *protos.CleanupRequest) (*protos.CleanupResponse, error) {
	return &protos.CleanupResponse{}, nil
}
