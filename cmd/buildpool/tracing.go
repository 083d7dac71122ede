package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"time"

	"github.com/spf13/pflag"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// tracingFlags say where traces go.
type tracingFlags struct {
	endpoint string
}

func (f *tracingFlags) register(flags *pflag.FlagSet) {
	flags.StringVar(&f.endpoint, "otlp-endpoint", "",
		"send OpenTelemetry traces, from RPC to ESS call, to this OTLP/gRPC collector: http://host:4317 or https://host:4317; "+
			"default: $OTEL_EXPORTER_OTLP_ENDPOINT, else no traces")
}

// tracing is where spans go; the zero value takes none.
type tracing struct {
	provider *sdktrace.TracerProvider
	exporter sdktrace.SpanExporter
}

func (s *serving) openTracing(ctx context.Context) (err error) {
	s.tracing, err = openTracing(ctx, s.env, s.flags.tracing, s.log)
	return err
}

// openTracing connects to the collector, if one is named. It does not wait for it: a
// collector that is down costs spans, never an RPC. Headers, sampling and the like
// come from OpenTelemetry's own OTEL_ variables.
func openTracing(ctx context.Context, env environment, f tracingFlags, log *slog.Logger) (tracing, error) {
	endpoint := f.endpoint
	if endpoint == "" {
		endpoint = env.getenv("OTEL_EXPORTER_OTLP_ENDPOINT")
	}
	if endpoint == "" {
		return tracing{}, nil
	}
	at, err := url.Parse(endpoint)
	if err != nil || (at.Scheme != "http" && at.Scheme != "https") || at.Host == "" {
		// Not the endpoint itself: a URL may hold a password.
		return tracing{}, errors.New("--otlp-endpoint: want http://host:port or https://host:port")
	}
	exporter, err := otlptracegrpc.New(ctx, otlptracegrpc.WithEndpointURL(endpoint))
	if err != nil {
		return tracing{}, fmt.Errorf("open traces: %w", err)
	}
	// The library reports what it cannot send to one place for the whole process.
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		log.Warn("traces were not sent", "error", err)
	}))
	log.Info("sending traces", "collector", at.Host)
	return tracing{provider: newTracerProvider(exporter), exporter: exporter}, nil
}

func newTracerProvider(exporter sdktrace.SpanExporter) *sdktrace.TracerProvider {
	about := resource.NewSchemaless(
		attribute.String("service.name", "buildpool"),
		attribute.String("service.version", thisBuild().Version))
	if merged, err := resource.Merge(about, resource.Environment()); err == nil {
		about = merged // OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES have the last word
	}
	return sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(about))
}

// tracerProvider is nil when there are no traces.
func (t tracing) tracerProvider() trace.TracerProvider {
	if t.provider == nil {
		return nil
	}
	return t.provider
}

// flushTimeout is how long the last spans may take to leave: a collector that is down
// must not keep the process.
const flushTimeout = 3 * time.Second

// close sends what is left. Spans that are lost are no failure of the server's.
func (t tracing) close(log *slog.Logger) {
	if t.provider == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), flushTimeout)
	defer cancel()
	err := t.provider.ForceFlush(ctx)
	// The exporter first: it gives up what it cannot send, so that the provider, which
	// waits for it without an end, ends at once.
	err = errors.Join(err, t.exporter.Shutdown(ctx), t.provider.Shutdown(context.WithoutCancel(ctx)))
	if err != nil {
		log.Warn("the last traces were not sent", "error", err)
	}
}
