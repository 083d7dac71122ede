package oracle

import (
	"context"
	"time"
	_ "unsafe" // for go:linkname

	"google.golang.org/grpc"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider"
	_ "k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc" // whose constructor is linked below
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc/protos"
)

// newExternalGRPC is upstream's own constructor of its externalgrpc client. It is not
// exported: the exported one dials a host and port, which cannot be reached from
// inside a bubble of virtual time.
//
//go:linkname newExternalGRPC k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc.newExternalGrpcCloudProvider
func newExternalGRPC(client protos.CloudProviderClient, timeout time.Duration, limiter *cloudprovider.ResourceLimiter) cloudprovider.CloudProvider

// grpcTimeout is the client's default (--cloud-config without grpc_timeout).
const grpcTimeout = 5 * time.Second

// overheard is a connection on which the world hears what cluster-autoscaler asks.
type overheard struct {
	grpc.ClientConnInterface
	after func(request any, err error)
}

func (o overheard) Invoke(ctx context.Context, method string, request, response any, options ...grpc.CallOption) error {
	err := o.ClientConnInterface.Invoke(ctx, method, request, response, options...)
	o.after(request, err)
	return err
}
