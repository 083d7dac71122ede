package grpcserver

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"
	"k8s.io/autoscaler/cluster-autoscaler/expander/grpcplugin/protos"

	"github.com/buildpool/buildpool/grpcserver/dialect"
)

// The expander's request may have tens of megabytes. Decoded as any other, it would be
// copied twice before the first pod is looked at; so it is read where it was received.

// expanderAnswerer is the expander's service with a request that is not decoded.
type expanderAnswerer interface {
	BestOptions(ctx context.Context, request *dialect.ExpanderRequest) (*protos.BestOptionsResponse, error)
}

// expanderDescription is upstream's, but for how the request is decoded.
var expanderDescription = grpc.ServiceDesc{
	ServiceName: protos.Expander_ServiceDesc.ServiceName,
	HandlerType: (*expanderAnswerer)(nil),
	Methods:     []grpc.MethodDesc{{MethodName: "BestOptions", Handler: handleBestOptions}},
	Metadata:    protos.Expander_ServiceDesc.Metadata,
}

func handleBestOptions(service any, ctx context.Context, decode func(any) error, intercept grpc.UnaryServerInterceptor) (any, error) {
	request := &dialect.ExpanderRequest{}
	if err := decode(request); err != nil {
		return nil, err
	}
	handle := func(ctx context.Context, request any) (any, error) {
		return service.(expanderAnswerer).BestOptions(ctx, request.(*dialect.ExpanderRequest))
	}
	info := &grpc.UnaryServerInfo{Server: service, FullMethod: protos.Expander_BestOptions_FullMethodName}
	return intercept(ctx, request, info, handle)
}

// expanderCodec reads the expander's request in the pieces in which it came, and leaves
// all else to gRPC's own codec.
type expanderCodec struct{ encoding.CodecV2 }

func newExpanderCodec() expanderCodec { return expanderCodec{encoding.GetCodecV2(proto.Name)} }

// Unmarshal implements encoding.CodecV2.
func (c expanderCodec) Unmarshal(data mem.BufferSlice, to any) error {
	request, ok := to.(*dialect.ExpanderRequest)
	if !ok {
		return c.CodecV2.Unmarshal(data, to)
	}
	// Never freed, so that gRPC does not use the memory for something else: it goes
	// with the request.
	data.Ref()
	pieces := make([][]byte, len(data))
	for i, piece := range data {
		pieces[i] = piece.ReadOnlyData()
	}
	return request.Read(pieces)
}
