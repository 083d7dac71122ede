package grpcserver

import (
	"math"

	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc/protos"

	"github.com/buildpool/buildpool/cloudprovider"
)

// service translates the RPCs. An RPC decodes, calls and encodes; the errors it
// returns are the vocabulary's, and withStatus turns them into gRPC's.
type service struct {
	// The interface without an implementation: an RPC that upstream adds must not
	// go unnoticed as Unimplemented.
	protos.UnsafeCloudProviderServer
	provider cloudprovider.Provider
}

var _ protos.CloudProviderServer = (*service)(nil)

// toInt32 narrows a count for the wire; what does not fit becomes the nearest
// number that does.
func toInt32(n int) int32 {
	return int32(min(max(n, math.MinInt32), math.MaxInt32))
}
