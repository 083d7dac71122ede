package grpcserver

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc/protos"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/grpcserver/dialect"
)

// recordedOptions are CA's request for the options of group spot as its release sends
// it.
func recordedOptions(t *testing.T, release string) *protos.NodeGroupAutoscalingOptionsRequest {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("dialect", "testdata", release, "options_request.bin"))
	require.NoError(t, err)
	request := &protos.NodeGroupAutoscalingOptionsRequest{}
	require.NoError(t, proto.Unmarshal(raw, request))
	return request
}

// ca134 is CA 1.34.2's request: both ways at once.
func ca134(t *testing.T) *protos.NodeGroupAutoscalingOptionsRequest {
	request := recordedOptions(t, "ca-1.36")
	durations, err := dialect.ReadDurations(request.GetDefaults())
	require.NoError(t, err)
	dialect.SetDurations(request.GetDefaults(), durations)
	return request
}

// spotOptions are those of a group that sets all of them.
var spotOptions = cloudprovider.Options{
	ScaleDownUtilizationThreshold:    0.7,
	ScaleDownGPUUtilizationThreshold: 0.6,
	ScaleDownUnneededTime:            3 * time.Minute,
	ScaleDownUnreadyTime:             4 * time.Minute,
	MaxNodeProvisionTime:             5*time.Minute + time.Nanosecond,
	IgnoreDaemonSetsUtilization:      true,
}

func allowed(options cloudprovider.Options) cloudprovider.Options {
	options.AllowWithCA135 = true
	return options
}

func TestOptionsByDialect(t *testing.T) {
	for name, test := range map[string]struct {
		request  func(*testing.T) *protos.NodeGroupAutoscalingOptionsRequest
		options  cloudprovider.Options
		allow    bool // by flag
		dialect  dialect.Dialect
		answered bool
		withheld string // the reason
		warns    string
	}{
		"1.26.4": {
			request: release("ca-1.26.4"), options: spotOptions, dialect: dialect.CA125,
			withheld: "zeroes_max_node_provision_time", warns: "autoscaler#5935",
		},
		"1.26.4, never, whatever is allowed": {
			request: release("ca-1.26.4"), options: allowed(spotOptions), allow: true, dialect: dialect.CA125,
			withheld: "zeroes_max_node_provision_time", warns: "autoscaler#5935",
		},
		"1.30.1": {request: release("ca-1.30.1"), options: spotOptions, dialect: dialect.CA129, answered: true},
		"1.33.0": {request: release("ca-1.33.0"), options: spotOptions, dialect: dialect.CA129, answered: true},
		"1.34.2": {request: ca134, options: spotOptions, dialect: dialect.CA134, answered: true},
		"1.36": {
			request: release("ca-1.36"), options: spotOptions, dialect: dialect.CA135,
			withheld: "zeroes_max_node_startup_time", warns: "autoscaler#10245",
		},
		"1.36, allowed by flag": {
			request: release("ca-1.36"), options: spotOptions, allow: true, dialect: dialect.CA135,
			answered: true, warns: "autoscaler#10245",
		},
		"1.36, allowed by the group": {
			request: release("ca-1.36"), options: allowed(spotOptions), dialect: dialect.CA135,
			answered: true, warns: "autoscaler#10245",
		},
		"no CA": {
			request: nobody, options: allowed(spotOptions), allow: true, dialect: dialect.Unknown,
			withheld: "unknown_dialect", warns: "cannot be told",
		},
	} {
		t.Run(name, func(t *testing.T) {
			provider := &account{options: map[string]cloudprovider.Options{"spot": test.options}}
			w := connectTo(t, Options{Provider: provider, AllowOptionsWithCA135: test.allow}, slog.LevelInfo)
			for range 3 {
				response, err := w.NodeGroupGetOptions(t.Context(), test.request(t))
				require.NoError(t, err)
				if test.answered {
					requireSpotOptions(t, response.GetNodeGroupAutoscalingOptions())
				} else {
					assert.Nil(t, response.GetNodeGroupAutoscalingOptions(), "CA must fall back to its own flags")
				}
			}
			assert.Equal(t, test.dialect, w.server.Dialect())

			expected := ""
			if test.withheld != "" {
				expected = `# HELP buildpool_options_withheld_total Requests for a node group's options that were answered with none although the group sets some, by reason.
# TYPE buildpool_options_withheld_total counter
buildpool_options_withheld_total{node_group="spot",reason="` + test.withheld + `"} 3
`
			}
			if test.answered && test.dialect == dialect.CA135 {
				expected += `# HELP buildpool_options_risked_total Requests of cluster-autoscaler 1.35 or newer that were answered with a node group's options, which set its max node startup time to 0.
# TYPE buildpool_options_risked_total counter
buildpool_options_risked_total{node_group="spot"} 3
`
			}
			require.NoError(t, testutil.GatherAndCompare(w.metrics, strings.NewReader(expected), "buildpool_options_withheld_total", "buildpool_options_risked_total"))
			warnings := strings.Count(w.log.String(), "level=WARN")
			if test.warns == "" {
				assert.Zero(t, warnings, w.log.String())
			} else {
				assert.Equal(t, 1, warnings, "one warning per group: %s", w.log.String())
				assert.Contains(t, w.log.String(), test.warns)
				assert.Contains(t, w.log.String(), "group=spot")
			}
		})
	}
}

func release(name string) func(*testing.T) *protos.NodeGroupAutoscalingOptionsRequest {
	return func(t *testing.T) *protos.NodeGroupAutoscalingOptionsRequest { return recordedOptions(t, name) }
}

func nobody(*testing.T) *protos.NodeGroupAutoscalingOptionsRequest {
	return &protos.NodeGroupAutoscalingOptionsRequest{Id: "spot"}
}

// requireSpotOptions looks at every field of the answer, old and new.
func requireSpotOptions(t *testing.T, got *protos.NodeGroupAutoscalingOptions) {
	t.Helper()
	want := &protos.NodeGroupAutoscalingOptions{
		ScaleDownUtilizationThreshold:    0.7,
		ScaleDownGpuUtilizationThreshold: 0.6,
		ZeroOrMaxNodeScaling:             false, // never, whatever CA asks
		IgnoreDaemonSetsUtilization:      true,
		ScaleDownUnneededDuration:        durationpb.New(3 * time.Minute),
		ScaleDownUnreadyDuration:         durationpb.New(4 * time.Minute),
		MaxNodeProvisionDuration:         durationpb.New(5*time.Minute + time.Nanosecond),
	}
	old := &protos.NodeGroupAutoscalingOptions{}
	dialect.SetDurations(old, dialect.Durations{Unneeded: 3 * time.Minute, Unready: 4 * time.Minute, Provision: 5*time.Minute + time.Nanosecond})
	want.ProtoReflect().SetUnknown(old.ProtoReflect().GetUnknown())
	require.True(t, proto.Equal(want, got), "want %v, got %v", want, got)
}

// The group's options are laid over what CA says its flags are, in every dialect.
func TestOptionsStartFromTheClientsDefaults(t *testing.T) {
	for name, test := range map[string]struct {
		request *protos.NodeGroupAutoscalingOptionsRequest
		want    cloudprovider.Options
	}{
		"1.26.4": {recordedOptions(t, "ca-1.26.4"), cloudprovider.Options{
			ScaleDownUtilizationThreshold: 0.5, ScaleDownGPUUtilizationThreshold: 0.4,
			ScaleDownUnneededTime: 10 * time.Minute, ScaleDownUnreadyTime: 20 * time.Minute,
		}},
		"1.30.1": {recordedOptions(t, "ca-1.30.1"), cloudprovider.Options{
			ScaleDownUtilizationThreshold: 0.5, ScaleDownGPUUtilizationThreshold: 0.4,
			ScaleDownUnneededTime: 10 * time.Minute, ScaleDownUnreadyTime: 20 * time.Minute, MaxNodeProvisionTime: 15 * time.Minute,
		}},
		"1.36": {recordedOptions(t, "ca-1.36"), cloudprovider.Options{
			ScaleDownUtilizationThreshold: 0.5, ScaleDownGPUUtilizationThreshold: 0.4,
			ScaleDownUnneededTime: 10 * time.Minute, ScaleDownUnreadyTime: 20 * time.Minute, MaxNodeProvisionTime: 15 * time.Minute,
			IgnoreDaemonSetsUtilization: true,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			provider := &account{}
			w := connect(t, provider, slog.LevelInfo)
			response, err := w.NodeGroupGetOptions(t.Context(), test.request)
			require.NoError(t, err)
			assert.Nil(t, response.GetNodeGroupAutoscalingOptions(), "the group sets none")
			assert.NotContains(t, w.log.String(), "level=WARN", "nothing was withheld")
			assert.Equal(t, test.want, provider.defaults)
		})
	}
}

func TestOptionsRefused(t *testing.T) {
	w := connect(t, &account{}, slog.LevelInfo)
	_, err := w.NodeGroupGetOptions(t.Context(), &protos.NodeGroupAutoscalingOptionsRequest{Defaults: recordedOptions(t, "ca-1.36").GetDefaults()})
	requireStatus(t, err, codes.InvalidArgument, "names no node group")

	outOfRange := recordedOptions(t, "ca-1.36")
	outOfRange.Defaults.MaxNodeProvisionDuration = &durationpb.Duration{Seconds: 1 << 60}
	_, err = w.NodeGroupGetOptions(t.Context(), outOfRange)
	requireStatus(t, err, codes.InvalidArgument, "duration")
}
