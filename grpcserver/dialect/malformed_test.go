package dialect

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc/protos"

	"github.com/buildpool/buildpool/cloudprovider"
)

// garbage is no message: its tag announces more bytes than there are.
var garbage = []byte{0x0a, 0x7f, 0x00}

func TestMalformedRequestsAreInvalidArguments(t *testing.T) {
	for name, decode := range map[string]func() error{
		"old duration": func() error {
			options := &protos.NodeGroupAutoscalingOptions{}
			options.ProtoReflect().SetUnknown(field(3, garbage))
			_, err := ReadDurations(options)
			return err
		},
		"new duration out of range": func() error {
			_, err := ReadDurations(&protos.NodeGroupAutoscalingOptions{MaxNodeProvisionDuration: &durationpb.Duration{Seconds: math.MaxInt64}})
			return err
		},
		"old time": func() error {
			request := &protos.PricingNodePriceRequest{}
			request.ProtoReflect().SetUnknown(field(2, garbage))
			_, _, err := NodePriceTimes(request)
			return err
		},
		"old time out of range": func() error {
			request := &protos.PricingPodPriceRequest{PodBytes: []byte{0x0a, 0x00}}
			request.ProtoReflect().SetUnknown(field(3, varint(2, 1_000_000_000)))
			_, _, _, err := PodPriceArguments(request)
			return err
		},
		"new time out of range": func() error {
			_, _, err := NodePriceTimes(&protos.PricingNodePriceRequest{EndTimestamp: &timestamppb.Timestamp{Nanos: -1}})
			return err
		},
		"no pod": func() error {
			_, _, _, err := PodPriceArguments(&protos.PricingPodPriceRequest{})
			return err
		},
		"pod": func() error {
			_, _, _, err := PodPriceArguments(&protos.PricingPodPriceRequest{PodBytes: garbage})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			require.ErrorIs(t, decode(), cloudprovider.ErrInvalidArgument)
		})
	}
}

func TestWhatIsNotSentIsZero(t *testing.T) {
	durations, err := ReadDurations(nil)
	require.NoError(t, err)
	assert.Zero(t, durations)

	start, end, err := NodePriceTimes(&protos.PricingNodePriceRequest{EndTimestamp: timestamppb.New(periodEnd)})
	require.NoError(t, err)
	assert.Equal(t, time.Time{}, start)
	assert.Equal(t, periodEnd, end)
}

// The new field wins, as it does in CA 1.34.2's own reading.
func TestTheNewFieldWins(t *testing.T) {
	options := &protos.NodeGroupAutoscalingOptions{ScaleDownUnneededDuration: durationpb.New(time.Minute)}
	options.ProtoReflect().SetUnknown(join(field(3, k8sDuration(time.Hour)), field(4, k8sDuration(-time.Hour))))
	durations, err := ReadDurations(options)
	require.NoError(t, err)
	assert.Equal(t, Durations{Unneeded: time.Minute, Unready: -time.Hour}, durations)
}

// protobuf reads the last of several values of one field.
func TestTheLastValueCounts(t *testing.T) {
	options := &protos.NodeGroupAutoscalingOptions{}
	options.ProtoReflect().SetUnknown(join(field(3, k8sDuration(time.Hour)), field(3, k8sDuration(time.Minute))))
	durations, err := ReadDurations(options)
	require.NoError(t, err)
	assert.Equal(t, time.Minute, durations.Unneeded)
}
