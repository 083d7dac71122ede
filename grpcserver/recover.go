package grpcserver

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// recovering keeps one bad request from ending the process. The stack goes to the
// log, where it can be acted on; the client learns only that it happened.
func recovering(log *slog.Logger) grpc.UnaryServerInterceptor {
	return func(ctx context.Context, request any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (response any, err error) {
		defer func() {
			if p := recover(); p != nil {
				logPanic(ctx, log, info.FullMethod, p)
				response, err = nil, errPanicked
			}
		}()
		return handle(ctx, request)
	}
}

// recoveringStream does the same for streams: health watches and reflection.
func recoveringStream(log *slog.Logger) grpc.StreamServerInterceptor {
	return func(service any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handle grpc.StreamHandler) (err error) {
		defer func() {
			if p := recover(); p != nil {
				logPanic(stream.Context(), log, info.FullMethod, p)
				err = status.Error(codes.Internal, errPanicked.Error())
			}
		}()
		return handle(service, stream)
	}
}

// logPanic is called by the deferred function, so that the stack holds the place.
func logPanic(ctx context.Context, log *slog.Logger, method string, p any) {
	log.ErrorContext(ctx, "panic in a handler",
		"method", method,
		"panic", redact(fmt.Sprint(p)),
		"stack", redact(string(debug.Stack())))
}
