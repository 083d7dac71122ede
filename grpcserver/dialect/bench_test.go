package dialect

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc/protos"
)

// The dialect layer is what "any" costs more than "newest": a call's decoding and
// encoding as a server of one dialect does it, and as we do.

func BenchmarkDialectTemplate(b *testing.B) {
	node := encodedTemplate(b)
	answer := func(b *testing.B, respond func() proto.Message) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := proto.Marshal(respond()); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.Run("newest", func(b *testing.B) {
		answer(b, func() proto.Message { return &protos.NodeGroupTemplateNodeInfoResponse{NodeBytes: node} })
	})
	b.Run("any", func(b *testing.B) { answer(b, func() proto.Message { return Template(node) }) })
}

func BenchmarkDialectOptions(b *testing.B) {
	newest := clients[len(clients)-1]
	raw := newest.file(b, "options_request.bin")
	b.Run("newest", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var request protos.NodeGroupAutoscalingOptionsRequest
			if err := proto.Unmarshal(raw, &request); err != nil {
				b.Fatal(err)
			}
			d := request.GetDefaults()
			answer := &protos.NodeGroupAutoscalingOptions{
				ScaleDownUnneededDuration: durationpb.New(d.GetScaleDownUnneededDuration().AsDuration()),
				ScaleDownUnreadyDuration:  durationpb.New(d.GetScaleDownUnreadyDuration().AsDuration()),
				MaxNodeProvisionDuration:  durationpb.New(d.GetMaxNodeProvisionDuration().AsDuration()),
			}
			if _, err := proto.Marshal(answer); err != nil {
				b.Fatal(err)
			}
		}
	})
	for _, c := range clients {
		raw := c.file(b, "options_request.bin")
		b.Run("any/"+c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				var request protos.NodeGroupAutoscalingOptionsRequest
				if err := proto.Unmarshal(raw, &request); err != nil {
					b.Fatal(err)
				}
				if Of(request.GetDefaults()) != c.dialect {
					b.Fatal("another dialect")
				}
				durations, err := ReadDurations(request.GetDefaults())
				if err != nil {
					b.Fatal(err)
				}
				answer := &protos.NodeGroupAutoscalingOptions{}
				SetDurations(answer, durations)
				if _, err := proto.Marshal(answer); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkDialectPodPrice(b *testing.B) {
	for _, c := range clients {
		var request protos.PricingPodPriceRequest
		c.read(b, "pod_price_request.bin", &request)
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, _, _, err := PodPriceArguments(&request); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	pod, err := recordedPod("build-1").Marshal()
	if err != nil {
		b.Fatal(err)
	}
	b.Run("decoding the pod alone", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := decodePod(pod); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkDialectNodePrice(b *testing.B) {
	for _, c := range clients {
		var request protos.PricingNodePriceRequest
		c.read(b, "node_price_request.bin", &request)
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := NodePriceTimes(&request); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkDialectExpander is about an option of 5,000 pods, the size the expander is
// made for: to read the request, and to walk over the encoded pods.
func BenchmarkDialectExpander(b *testing.B) {
	const pods = 5_000
	pod, err := recordedPod("build-1").Marshal()
	require.NoError(b, err)
	for name, number := range map[string]protowire.Number{"newest": 5, "oldest": 4} {
		option := text(1, "spot")
		for range pods {
			option = append(option, field(number, pod)...)
		}
		pieces := slices.Collect(slices.Chunk(field(1, option), 16<<10))
		b.Run("read/"+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := new(ExpanderRequest).Read(pieces); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("walk/"+name, func(b *testing.B) {
			var request ExpanderRequest
			require.NoError(b, request.Read(pieces))
			b.ReportAllocs()
			for b.Loop() {
				n := 0
				for range request.Options[0].Pods() {
					n++
				}
				if n != pods {
					b.Fatal(n)
				}
			}
		})
	}
}
