package grpcserver

import (
	"context"
	"fmt"
	"log/slog"
	"slices"

	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc/protos"

	"github.com/buildpool/buildpool/cloudprovider"
)

// accessLog writes one line per RPC. CA asks thousands of reads per loop, so those
// that went well are for debugging only; a write is worth a line always, and an
// error a warning.
type accessLog struct {
	log *slog.Logger
}

// The methods that change something, and those a server need not implement.
var (
	writes   = []string{"NodeGroupIncreaseSize", "NodeGroupDeleteNodes", "NodeGroupDecreaseTargetSize", "Cleanup"}
	optional = []string{"PricingNodePrice", "PricingPodPrice"}
)

// asksTheCloud reports whether a method may wait for the cloud.
func asksTheCloud(method string) bool { return method == "Refresh" || slices.Contains(writes, method) }

func (a accessLog) write(ctx context.Context, c call) {
	outcome := status.Code(c.err)
	level := accessLevel(c.method, outcome)
	if !a.log.Enabled(ctx, level) {
		return
	}
	attributes := make([]slog.Attr, 0, 12)
	attributes = append(attributes, slog.String("method", c.method))
	attributes = append(attributes, asked(c.request)...)
	attributes = append(attributes, slog.String("code", outcome.String()), slog.Duration("duration", c.took))
	if c.err != nil {
		attributes = append(attributes, slog.String("error", status.Convert(c.err).Message()))
	}
	attributes = append(attributes, caller(ctx)...)
	attributes = append(attributes, cloudRequests(c.cloud)...)
	a.log.LogAttrs(ctx, level, "rpc", attributes...)
}

// caller tells who asked, as far as the connection knows, and in which trace.
func caller(ctx context.Context) []slog.Attr {
	var attributes []slog.Attr
	if from, ok := peer.FromContext(ctx); ok {
		attributes = append(attributes, slog.String("peer", from.Addr.String()))
		if name := clientName(from.AuthInfo); name != "" {
			attributes = append(attributes, slog.String("client", name))
		}
	}
	if span := trace.SpanContextFromContext(ctx); span.IsSampled() {
		attributes = append(attributes, slog.String("trace", span.TraceID().String()))
	}
	return attributes
}

// clientName is the first name of the client's certificate; empty without one.
func clientName(info credentials.AuthInfo) string {
	secured, ok := info.(credentials.TLSInfo)
	if !ok || len(secured.State.PeerCertificates) == 0 {
		return ""
	}
	leaf := secured.State.PeerCertificates[0]
	if names := clientNames(leaf); len(names) > 0 {
		return shorten(names[0])
	}
	return shorten(leaf.Subject.String())
}

// cloudRequests lists the requests that were made of the cloud for the RPC, by the
// names under which the cloud's support finds them.
func cloudRequests(recorder *cloudprovider.CallRecorder) []slog.Attr {
	if recorder == nil {
		return nil
	}
	calls, dropped := recorder.Calls()
	if len(calls) == 0 {
		return nil
	}
	requests := make([]string, len(calls), len(calls)+1)
	for i, call := range calls {
		requests[i] = call.API + ":" + call.RequestID
	}
	if dropped > 0 {
		requests = append(requests, fmt.Sprintf("… %d more", dropped))
	}
	return []slog.Attr{slog.Any("cloud_requests", requests)}
}

func accessLevel(method string, outcome codes.Code) slog.Level {
	switch {
	case outcome == codes.Unimplemented && slices.Contains(optional, method):
		return slog.LevelDebug // CA's price expander asks once per pod and option
	case outcome != codes.OK:
		return slog.LevelWarn
	case slices.Contains(writes, method):
		return slog.LevelInfo
	}
	return slog.LevelDebug
}

// asked tells what a request was about.
func asked(request any) []slog.Attr {
	var attributes []slog.Attr
	if group := groupOf(request); group != "" {
		attributes = append(attributes, slog.String("group", shorten(group)))
	}
	if sized, ok := request.(interface{ GetDelta() int32 }); ok {
		attributes = append(attributes, slog.Int64("delta", int64(sized.GetDelta())))
	}
	switch request := request.(type) {
	case *protos.NodeGroupDeleteNodesRequest:
		attributes = append(attributes, slog.Any("nodes", nodeNames(request.GetNodes())))
	case *protos.NodeGroupForNodeRequest:
		attributes = append(attributes, slog.String("node", nodeName(request.GetNode())))
	}
	return attributes
}

// mostNodesInLog keeps a line readable; CA deletes one node per call unless told
// otherwise.
const mostNodesInLog = 50

func nodeNames(nodes []*protos.ExternalGrpcNode) []string {
	names := make([]string, 0, min(len(nodes), mostNodesInLog+1))
	for i, node := range nodes {
		if i == mostNodesInLog {
			return append(names, "…")
		}
		names = append(names, nodeName(node))
	}
	return names
}

// nodeName is the provider ID where there is one: it names the instance, and CA's
// stand-ins carry it too.
func nodeName(node *protos.ExternalGrpcNode) string {
	if id := node.GetProviderID(); id != "" {
		return shorten(id)
	}
	return shorten(node.GetName())
}
