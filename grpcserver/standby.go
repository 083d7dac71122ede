package grpcserver

import (
	"context"
	"fmt"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health/grpc_health_v1"

	"github.com/buildpool/buildpool/cloudprovider"
)

// refusing answers no RPC while standby gives a reason: another replica leads, and its
// targets are not known here. Health is answered all the same.
func refusing(standby func() string) grpc.UnaryServerInterceptor {
	return func(ctx context.Context, request any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
		if strings.HasPrefix(info.FullMethod, "/"+grpc_health_v1.Health_ServiceDesc.ServiceName+"/") {
			return handler(ctx, request)
		}
		if why := standby(); why != "" {
			return nil, fmt.Errorf("%s: %w", why, cloudprovider.ErrUnavailable)
		}
		return handler(ctx, request)
	}
}
