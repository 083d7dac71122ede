package ess

import (
	"testing"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/responses"
	sdkess "github.com/aliyun/alibaba-cloud-sdk-go/services/ess"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/buildpool/buildpool/cloudprovider"
)

func TestEveryAttemptIsRecorded(t *testing.T) {
	c, _ := scripted(t, func(o *Options) { o.Retry = Retry{Attempts: 3, Base: 1} }, errorAnswer(503, "ServiceUnavailable"), dropped, accepted)
	var recorder cloudprovider.CallRecorder
	ctx := cloudprovider.WithCallRecorders(t.Context(), &recorder)
	require.NoError(t, grow(ctx, c))
	calls, dropped := recorder.Calls()
	assert.Zero(t, dropped)
	assert.Equal(t, []cloudprovider.CloudCall{
		{API: "ScaleWithAdjustment", RequestID: "R-1"}, // refused
		{API: "ScaleWithAdjustment"},                   // no answer, so no name
		{API: "ScaleWithAdjustment", RequestID: "R-3"},
	}, calls)
}

func TestASpanIsOneCallWithAllItsAttempts(t *testing.T) {
	c, _ := scripted(t, func(o *Options) { o.Retry = Retry{Attempts: 2, Base: 1} }, throttled, errorAnswer(403, "Forbidden.RAM"))
	spans := tracetest.NewInMemoryExporter()
	ctx, parent := sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans)).Tracer("test").Start(t.Context(), "rpc")
	require.Error(t, grow(ctx, c))
	require.Len(t, spans.GetSpans(), 1)
	span := spans.GetSpans()[0]
	assert.Equal(t, "alibabacloud/ScaleWithAdjustment", span.Name)
	assert.Equal(t, parent.SpanContext().SpanID(), span.Parent.SpanID())
	assert.Len(t, span.Events, 2)
	assert.Equal(t, codes.Error, span.Status.Code)
	for _, secret := range []string{testKeyID, testSecret, testToken, "://"} {
		assert.NotContains(t, span.Status.Description, secret)
	}
	require.Error(t, grow(t.Context(), c))
	assert.Len(t, spans.GetSpans(), 1, "without a trace there is no span")
}

func TestRequestID(t *testing.T) {
	for name, test := range map[string]struct {
		response responses.AcsResponse
		want     string
	}{
		"an answer":              {&sdkess.ScaleWithAdjustmentResponse{RequestId: "473469C7-AA6F-4DC5-B3DB-A3DC0DE3C83E"}, "473469C7-AA6F-4DC5-B3DB-A3DC0DE3C83E"},
		"an answer without one":  {&sdkess.ScaleWithAdjustmentResponse{}, ""},
		"something else there":   {&sdkess.ScaleWithAdjustmentResponse{RequestId: "http://x/?Signature=y"}, ""},
		"no such field":          {&responses.BaseResponse{}, ""},
		"no answer":              {nil, ""},
		"an answer that is none": {(*sdkess.ScaleWithAdjustmentResponse)(nil), ""},
	} {
		assert.Equal(t, test.want, requestID(test.response), name)
	}
}
