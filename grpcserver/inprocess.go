package grpcserver

import (
	"context"
	"errors"
	"fmt"
	"path"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// InProcess returns a connection to the server that needs no listener: an RPC is
// answered in the caller's goroutine, by the interceptors and the service that Serve
// has. Messages go through their wire form, as they would over a socket. It is for
// virtual time and for millions of calls, where a transport costs more than the
// answer. Streams have no place on it.
func (s *Server) InProcess() grpc.ClientConnInterface {
	return inProcess{methods: s.methods, chain: inOneChain(s.chain)}
}

type inProcess struct {
	methods map[string]unaryMethod
	chain   grpc.UnaryServerInterceptor
}

// unaryMethod is one RPC and the service that answers it.
type unaryMethod struct {
	service any
	handle  grpc.MethodHandler
}

// Invoke implements grpc.ClientConnInterface.
func (p inProcess) Invoke(ctx context.Context, method string, request, response any, _ ...grpc.CallOption) error {
	m, known := p.methods[method]
	if !known {
		return status.Errorf(codes.Unimplemented, "no method %s here", path.Base(method))
	}
	answer, err := m.handle(m.service, ctx, func(to any) error { return overWire(request, to) }, p.chain)
	if err != nil {
		return status.Convert(err).Err()
	}
	return overWire(answer, response)
}

// NewStream implements grpc.ClientConnInterface by saying no.
func (p inProcess) NewStream(context.Context, *grpc.StreamDesc, string, ...grpc.CallOption) (grpc.ClientStream, error) {
	return nil, status.Error(codes.Unimplemented, "no streams in process")
}

// overWire copies a message as its bytes.
func overWire(from, to any) error {
	source, isMessage := from.(proto.Message)
	target, too := to.(proto.Message)
	if !isMessage || !too {
		return errors.New("carry a message: it is none of protobuf's")
	}
	data, err := proto.Marshal(source)
	if err != nil {
		return fmt.Errorf("encode %T: %w", from, err)
	}
	if err := proto.Unmarshal(data, target); err != nil {
		return fmt.Errorf("decode %T: %w", to, err)
	}
	return nil
}

// inOneChain makes one interceptor of several, the first outermost.
func inOneChain(all []grpc.UnaryServerInterceptor) grpc.UnaryServerInterceptor {
	return func(ctx context.Context, request any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
		next := handle
		for n := len(all) - 1; n >= 0; n-- {
			inner, interceptor := next, all[n]
			next = func(ctx context.Context, request any) (any, error) { return interceptor(ctx, request, info, inner) }
		}
		return next(ctx, request)
	}
}

// directory passes a registration on and remembers its RPCs by their full names.
type directory struct {
	grpc.ServiceRegistrar
	methods map[string]unaryMethod
}

func (d directory) RegisterService(service *grpc.ServiceDesc, implementation any) {
	for _, m := range service.Methods {
		d.methods["/"+service.ServiceName+"/"+m.MethodName] = unaryMethod{service: implementation, handle: m.Handler}
	}
	d.ServiceRegistrar.RegisterService(service, implementation)
}
