package dialect

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc/protos"
)

var update = flag.Bool("update", false, "rewrite testdata/responses, which the old releases' code must then be seen to read: see testdata/README.md")

func encodedTemplate(t testing.TB) []byte {
	t.Helper()
	node := recordedNode("template-spot")
	node.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}
	raw, err := node.Marshal()
	require.NoError(t, err)
	return raw
}

// answeredDurations are odd on purpose: nanoseconds must arrive.
var answeredDurations = Durations{Unneeded: 3 * time.Minute, Unready: 0, Provision: 5*time.Minute + time.Nanosecond}

func answeredOptions() *protos.NodeGroupAutoscalingOptions {
	options := &protos.NodeGroupAutoscalingOptions{
		ScaleDownUtilizationThreshold: 0.7, ScaleDownGpuUtilizationThreshold: 0.6, IgnoreDaemonSetsUtilization: true,
	}
	SetDurations(options, answeredDurations)
	return options
}

// The bytes are those that the generated code of CA 1.26.4, 1.30.1, 1.33.0 and the
// 1.36 line was seen to read rightly.
func TestResponsesAreThoseThatEveryReleaseRead(t *testing.T) {
	for name, response := range map[string]proto.Message{
		"template_response.bin":   Template(encodedTemplate(t)),
		"options_response.bin":    &protos.NodeGroupAutoscalingOptionsResponse{NodeGroupAutoscalingOptions: answeredOptions()},
		"no_options_response.bin": &protos.NodeGroupAutoscalingOptionsResponse{},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := proto.MarshalOptions{Deterministic: true}.Marshal(response)
			require.NoError(t, err)
			path := filepath.Join("testdata", "responses", name)
			if *update {
				require.NoError(t, os.WriteFile(path, got, 0o644))
			}
			want, err := os.ReadFile(path)
			require.NoError(t, err)
			assert.Equal(t, want, append([]byte{}, got...))
		})
	}
}

func TestTemplateHasTheNodeInBothFields(t *testing.T) {
	node := encodedTemplate(t)
	wire, err := proto.Marshal(Template(node))
	require.NoError(t, err)
	for _, number := range []protowire.Number{1, 2} {
		found, ok := last(wire, number)
		require.True(t, ok, "field %d", number)
		var decoded corev1.Node
		require.NoError(t, decoded.Unmarshal(found))
		assert.Equal(t, "template-spot", decoded.Name)
		assert.True(t, equality.Semantic.DeepEqual(recordedNode("template-spot").Status.Allocatable, decoded.Status.Allocatable))
	}
}

// What one dialect alone reads of the answer is the same as what any other does.
func TestOptionsAreTheSameInEveryDialect(t *testing.T) {
	onlyNew := answeredOptions()
	onlyNew.ProtoReflect().SetUnknown(nil)
	assert.Equal(t, CA135, Of(onlyNew))

	onlyOld := answeredOptions()
	onlyOld.ScaleDownUnneededDuration, onlyOld.ScaleDownUnreadyDuration, onlyOld.MaxNodeProvisionDuration = nil, nil, nil
	assert.Equal(t, CA129, Of(onlyOld))

	both := answeredOptions()
	assert.Equal(t, CA134, Of(both))
	for _, options := range []*protos.NodeGroupAutoscalingOptions{onlyNew, onlyOld, both} {
		durations, err := ReadDurations(options)
		require.NoError(t, err)
		assert.Equal(t, answeredDurations, durations)
	}
}

func TestSetDurationsReplacesWhatWasThere(t *testing.T) {
	options := answeredOptions()
	SetDurations(options, Durations{Unneeded: time.Hour, Unready: time.Minute, Provision: time.Second})
	options.ScaleDownUnneededDuration, options.ScaleDownUnreadyDuration, options.MaxNodeProvisionDuration = nil, nil, nil
	durations, err := ReadDurations(options)
	require.NoError(t, err)
	assert.Equal(t, Durations{Unneeded: time.Hour, Unready: time.Minute, Provision: time.Second}, durations)
}
