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
	client   *clientDialect
	notes    *optionsNotes
	answers  answers
	// allowOptionsWithCA135 answers options to every CA from 1.35 on.
	allowOptionsWithCA135 bool
}

// newService takes options whose Log is set.
func newService(options Options) *service {
	return &service{
		provider:              options.Provider,
		client:                newClientDialect(options.Registerer, options.Clock, options.Log),
		notes:                 newOptionsNotes(options.Registerer, options.Log),
		allowOptionsWithCA135: options.AllowOptionsWithCA135,
	}
}

var _ protos.CloudProviderServer = (*service)(nil)

// toInt32 narrows a count for the wire; what does not fit becomes the nearest
// number that does.
func toInt32(n int) int32 {
	return int32(min(max(n, math.MinInt32), math.MaxInt32))
}
