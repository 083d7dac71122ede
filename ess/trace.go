package ess

import (
	"context"
	"reflect"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/responses"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/buildpool/buildpool/cloudprovider"
)

const (
	tracerName = "github.com/buildpool/buildpool/ess"
	// spanPrefix tells the cloud's calls from our own RPCs in a list of spans.
	spanPrefix = "alibabacloud/"
)

// withTrace makes one span of a call, its retries and waits included, below the
// span that the context carries. Without one it does nothing: whoever traces began
// further out. It is the outermost ring, so that the span is as long as the caller
// waited.
func withTrace(next caller) caller {
	return func(ctx context.Context, c call) error {
		parent := trace.SpanFromContext(ctx)
		if !parent.IsRecording() {
			return next(ctx, c)
		}
		ctx, span := parent.TracerProvider().Tracer(tracerName).Start(ctx, spanPrefix+c.api,
			trace.WithSpanKind(trace.SpanKindClient),
			trace.WithAttributes(attribute.String("rpc.method", c.api), attribute.Bool("buildpool.write", c.write)))
		defer span.End()
		err := next(ctx, c)
		if err != nil {
			span.SetStatus(codes.Error, err.Error()) // redacted where it was made
		}
		return err
	}
}

// record tells whoever listens that one attempt has ended.
func record(ctx context.Context, api string, response responses.AcsResponse, err error) {
	id, outcome := requestID(response), "OK"
	if f := asFailure(err); f != nil {
		id, outcome = f.cloud.RequestID, f.label
	}
	cloudprovider.RecordCall(ctx, cloudprovider.CloudCall{API: api, RequestID: id})
	if span := trace.SpanFromContext(ctx); span.IsRecording() {
		span.AddEvent("attempt", trace.WithAttributes(
			attribute.String("alibabacloud.request_id", id), attribute.String("alibabacloud.code", outcome)))
	}
}

// requestID reads the field that every answer of the SDK has and no interface gives;
// empty when there is no such field or no answer.
func requestID(response responses.AcsResponse) string {
	answer := reflect.Indirect(reflect.ValueOf(response))
	if answer.Kind() != reflect.Struct {
		return ""
	}
	field := answer.FieldByName("RequestId")
	if !field.IsValid() || field.Kind() != reflect.String {
		return ""
	}
	return plain(field.String())
}
