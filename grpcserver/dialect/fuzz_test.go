package dialect

import (
	"bytes"
	"maps"
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc/protos"
	expander "k8s.io/autoscaler/cluster-autoscaler/expander/grpcplugin/protos"
)

func seed(f *testing.F, file string) {
	for _, c := range clients {
		f.Add(c.file(f, file))
	}
	f.Add([]byte{})
}

// What can be read of a request reads the same after it was written for all dialects.
func FuzzOptionsRequest(f *testing.F) {
	seed(f, "options_request.bin")
	f.Fuzz(func(t *testing.T, raw []byte) {
		var request protos.NodeGroupAutoscalingOptionsRequest
		if proto.Unmarshal(raw, &request) != nil {
			return
		}
		if d := Of(request.GetDefaults()); d == Unknown != !slices.Contains(All, d) {
			t.Fatalf("dialect %d", d)
		}
		durations, err := ReadDurations(request.GetDefaults())
		if err != nil {
			return
		}
		answer := &protos.NodeGroupAutoscalingOptions{}
		SetDurations(answer, durations)
		wire, err := proto.Marshal(answer)
		if err != nil {
			t.Fatal(err)
		}
		var read protos.NodeGroupAutoscalingOptions
		if err := proto.Unmarshal(wire, &read); err != nil {
			t.Fatal(err)
		}
		if d := Of(&read); d != CA134 {
			t.Fatalf("the answer is of dialect %s, not of all", d)
		}
		for range 2 { // first the new fields, then the old ones
			if again, err := ReadDurations(&read); err != nil || again != durations {
				t.Fatalf("read %v, wrote it and read %v, %v", durations, again, err)
			}
			read.ScaleDownUnneededDuration, read.ScaleDownUnreadyDuration, read.MaxNodeProvisionDuration = nil, nil, nil
		}
	})
}

// A price request reads the same after it was written in the newest dialect.
func FuzzPriceRequests(f *testing.F) {
	seed(f, "node_price_request.bin")
	seed(f, "pod_price_request.bin")
	f.Fuzz(func(t *testing.T, raw []byte) {
		var node protos.PricingNodePriceRequest
		if proto.Unmarshal(raw, &node) == nil {
			if start, end, err := NodePriceTimes(&node); err == nil {
				again := &protos.PricingNodePriceRequest{StartTimestamp: sent(start), EndTimestamp: sent(end)}
				start2, end2, err := NodePriceTimes(again)
				if err != nil || !start2.Equal(start) || !end2.Equal(end) {
					t.Fatalf("read %v to %v, then %v to %v, %v", start, end, start2, end2, err)
				}
			}
		}
		var pod protos.PricingPodPriceRequest
		if proto.Unmarshal(raw, &pod) != nil {
			return
		}
		asked, start, end, err := PodPriceArguments(&pod)
		if err != nil {
			return
		}
		encoded := encode(t, asked)
		asked2, start2, end2, err := PodPriceArguments(&protos.PricingPodPriceRequest{
			PodBytes: encoded, StartTimestamp: sent(start), EndTimestamp: sent(end),
		})
		if err != nil || !start2.Equal(start) || !end2.Equal(end) {
			t.Fatalf("read %v to %v, then %v to %v, %v", start, end, start2, end2, err)
		}
		if !bytes.Equal(encoded, encode(t, asked2)) {
			t.Fatalf("read %v, then %v", asked, asked2)
		}
	})
}

func sent(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}

func encode(t *testing.T, pod *corev1.Pod) []byte {
	t.Helper()
	raw, err := pod.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// A request of any dialect reads the same after it was written in the oldest.
func FuzzExpanderRequest(f *testing.F) {
	seed(f, "expander_request.bin")
	f.Fuzz(func(t *testing.T, raw []byte) {
		var request expander.BestOptionsRequest
		if proto.Unmarshal(raw, &request) != nil {
			return
		}
		_, _ = Nodes(&request) // must not panic
		var old []byte
		want := NodeBytes(&request)
		for _, group := range slices.Sorted(maps.Keys(want)) { // in one order, so that equal inputs run alike
			old = append(old, field(2, join(text(1, group), field(2, want[group])))...)
		}
		again := &expander.BestOptionsRequest{}
		again.ProtoReflect().SetUnknown(old)
		got := NodeBytes(again)
		if len(want) != len(got) {
			t.Fatalf("%d nodes, then %d", len(want), len(got))
		}
		for group, node := range want {
			if !bytes.Equal(node, got[group]) {
				t.Fatalf("node of group %q: %x, then %x", group, node, got[group])
			}
		}
		for _, option := range request.GetOptions() {
			checkOption(t, option)
		}
	})
}

func checkOption(t *testing.T, option *expander.Option) {
	t.Helper()
	encoded := slices.Collect(PodBytes(option))
	if n := PodCount(option); n != len(encoded) {
		t.Fatalf("%d pods counted, %d found", n, len(encoded))
	}
	if pods, err := Pods(option); err == nil && len(pods) != len(encoded) {
		t.Fatalf("%d pods decoded, %d found", len(pods), len(encoded))
	}
	var old []byte
	for _, pod := range encoded {
		old = append(old, field(4, pod)...)
	}
	again := &expander.Option{}
	again.ProtoReflect().SetUnknown(old)
	if got := slices.Collect(PodBytes(again)); !slices.EqualFunc(encoded, got, bytes.Equal) {
		t.Fatalf("pods %x, then %x", encoded, got)
	}
}
