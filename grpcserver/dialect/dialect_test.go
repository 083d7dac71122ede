package dialect

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/types/known/durationpb"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc/protos"
)

// Of all sets of duration fields, four are a release's.
func TestDialectByFields(t *testing.T) {
	names := map[string]Dialect{
		"3 4": CA125, "3 4 5": CA129, "3 4 5 8 9 10": CA134, "8 9 10": CA135,
	}
	numbers := []protowire.Number{3, 4, 5, 8, 9, 10}
	texts := []string{"3", "4", "5", "8", "9", "10"}
	for set := range 1 << len(numbers) {
		options := &protos.NodeGroupAutoscalingOptions{}
		var old []byte
		name := ""
		for i, number := range numbers {
			if set&(1<<i) == 0 {
				continue
			}
			if name != "" {
				name += " "
			}
			name += texts[i]
			switch number {
			case 8:
				options.ScaleDownUnneededDuration = &durationpb.Duration{} // zero is sent too
			case 9:
				options.ScaleDownUnreadyDuration = &durationpb.Duration{}
			case 10:
				options.MaxNodeProvisionDuration = &durationpb.Duration{}
			default:
				old = appendK8sDuration(old, number, 0)
			}
		}
		options.ProtoReflect().SetUnknown(old)
		assert.Equal(t, names[name], Of(options), "fields %s", name)
		delete(names, name)
	}
	assert.Empty(t, names)
}

func TestDialectOfNobody(t *testing.T) {
	assert.Equal(t, Unknown, Of(nil))

	wrongKind := &protos.NodeGroupAutoscalingOptions{}
	wrongKind.ProtoReflect().SetUnknown(join(varint(3, 1), varint(4, 1)))
	assert.Equal(t, Unknown, Of(wrongKind))

	stranger := &protos.NodeGroupAutoscalingOptions{}
	stranger.ProtoReflect().SetUnknown(join(field(3, nil), field(4, nil), field(11, k8sDuration(time.Second))))
	assert.Equal(t, CA125, Of(stranger), "other fields say nothing")
}

func TestDialectNames(t *testing.T) {
	names := map[string]bool{Unknown.String(): true}
	for _, d := range All {
		assert.False(t, names[d.String()], "%s names two dialects", d)
		names[d.String()] = true
	}
	assert.Len(t, names, 5)
	assert.Equal(t, "unknown", Unknown.String())
	assert.Equal(t, "1.29-1.34.1", CA129.String())
}
