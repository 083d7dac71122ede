package dialect

import (
	"fmt"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/types/known/durationpb"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc/protos"

	"github.com/buildpool/buildpool/cloudprovider"
)

// The durations of the options up to CA 1.34: metav1.Duration, a message whose only
// field is an int64 of nanoseconds.
const (
	oldUnneeded  protowire.Number = 3
	oldUnready   protowire.Number = 4
	oldProvision protowire.Number = 5

	nanoseconds protowire.Number = 1
)

// Durations are the durations among a node group's options.
type Durations struct {
	// Unneeded is how long a node must be idle before it goes.
	Unneeded time.Duration
	// Unready is the same for a node that is not ready.
	Unready time.Duration
	// Provision is how long an instance may take to become a node.
	Provision time.Duration
}

// ReadDurations returns the durations that options carry; one that was not sent is
// zero. The error is cloudprovider.ErrInvalidArgument.
func ReadDurations(options *protos.NodeGroupAutoscalingOptions) (Durations, error) {
	var d Durations
	for _, field := range []struct {
		to   *time.Duration
		sent *durationpb.Duration
		old  protowire.Number
	}{
		{&d.Unneeded, options.GetScaleDownUnneededDuration(), oldUnneeded},
		{&d.Unready, options.GetScaleDownUnreadyDuration(), oldUnready},
		{&d.Provision, options.GetMaxNodeProvisionDuration(), oldProvision},
	} {
		if field.sent != nil {
			if err := field.sent.CheckValid(); err != nil {
				return Durations{}, fmt.Errorf("%w: duration that took the place of field %d: %w", cloudprovider.ErrInvalidArgument, field.old, err)
			}
			*field.to = field.sent.AsDuration()
			continue
		}
		encoded, ok := last(unknown(options), field.old)
		if !ok {
			continue
		}
		var err error
		if *field.to, err = decodeK8sDuration(encoded); err != nil {
			return Durations{}, fmt.Errorf("%w: decode duration in field %d: %w", cloudprovider.ErrInvalidArgument, field.old, err)
		}
	}
	return d, nil
}

// SetDurations fills the durations of options for every dialect. It replaces their
// unknown fields.
func SetDurations(options *protos.NodeGroupAutoscalingOptions, d Durations) {
	options.ScaleDownUnneededDuration = durationpb.New(d.Unneeded)
	options.ScaleDownUnreadyDuration = durationpb.New(d.Unready)
	options.MaxNodeProvisionDuration = durationpb.New(d.Provision)
	old := make([]byte, 0, 3*maxK8sDuration)
	old = appendK8sDuration(old, oldUnneeded, d.Unneeded)
	old = appendK8sDuration(old, oldUnready, d.Unready)
	old = appendK8sDuration(old, oldProvision, d.Provision)
	options.ProtoReflect().SetUnknown(old)
}

// maxK8sDuration is the most bytes that a duration takes: a tag and a length of one
// byte each, and in it another tag and a varint.
const maxK8sDuration = 3 + 10

// appendK8sDuration writes the value even if it is 0, as Kubernetes' own encoder does.
func appendK8sDuration(to []byte, number protowire.Number, d time.Duration) []byte {
	to = protowire.AppendTag(to, number, protowire.BytesType)
	to = protowire.AppendVarint(to, uint64(protowire.SizeTag(nanoseconds)+protowire.SizeVarint(uint64(d))))
	to = protowire.AppendTag(to, nanoseconds, protowire.VarintType)
	return protowire.AppendVarint(to, uint64(d))
}

// decodeK8sDuration reads the message of a metav1.Duration; without its field it is 0.
func decodeK8sDuration(raw []byte) (time.Duration, error) {
	var d time.Duration
	for len(raw) > 0 {
		number, kind, n := protowire.ConsumeTag(raw)
		if n < 0 {
			return 0, protowire.ParseError(n)
		}
		raw = raw[n:]
		size := protowire.ConsumeFieldValue(number, kind, raw)
		if size < 0 {
			return 0, protowire.ParseError(size)
		}
		if number == nanoseconds && kind == protowire.VarintType {
			v, _ := protowire.ConsumeVarint(raw)
			d = time.Duration(v)
		}
		raw = raw[size:]
	}
	return d, nil
}
