package grpcserver

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"

	"google.golang.org/grpc"
)

// recovering keeps one bad request from ending the process. The stack goes to the
// log, where it can be acted on; the client learns only that it happened.
func recovering(log *slog.Logger) grpc.UnaryServerInterceptor {
	return func(ctx context.Context, request any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (response any, err error) {
		defer func() {
			if p := recover(); p != nil {
				log.ErrorContext(ctx, "panic in a handler",
					"method", info.FullMethod,
					"panic", redact(fmt.Sprint(p)),
					"stack", redact(string(debug.Stack())))
				response, err = nil, errPanicked
			}
		}()
		return handle(ctx, request)
	}
}
