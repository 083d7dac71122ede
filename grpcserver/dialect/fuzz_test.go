package dialect

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
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

// A request reads the same as by protobuf's own code and the fields of every release,
// however it is cut.
func FuzzExpanderRequest(f *testing.F) {
	for _, c := range clients {
		for _, size := range []uint16{0, 1, 100} {
			f.Add(c.file(f, "expander_request.bin"), size)
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte, size uint16) {
		var got ExpanderRequest
		var want expander.BestOptionsRequest
		err, wantErr := got.Read(cut(raw, int(size))), proto.Unmarshal(raw, &want)
		if err == nil && wantErr != nil {
			t.Fatalf("read what protobuf does not: %v", wantErr)
		}
		if err != nil {
			// What protobuf passes over as unknown may be more than we take: groups, which
			// no release sends, or an old field's nodes, which it does not look into.
			if wantErr == nil && !hasUnknown(&want) {
				t.Fatal(err)
			}
			return
		}
		if len(got.Options) != len(want.GetOptions()) {
			t.Fatalf("%d options, want %d", len(got.Options), len(want.GetOptions()))
		}
		for i, option := range want.GetOptions() {
			checkOption(t, &got.Options[i], option)
		}
		for group, node := range nodesOf(&want) {
			if read, sent := got.Node(group); !sent || !bytes.Equal(read, node) {
				t.Fatalf("node of group %q: %x, %v, want %x", group, read, sent, node)
			}
		}
	})
}

func hasUnknown(request *expander.BestOptionsRequest) bool {
	return len(unknown(request)) > 0 || slices.ContainsFunc(request.GetOptions(), func(o *expander.Option) bool { return len(unknown(o)) > 0 })
}

func checkOption(t *testing.T, got *ExpanderOption, want *expander.Option) {
	t.Helper()
	if got.GroupID != want.GetNodeGroupId() || got.NodeCount != want.GetNodeCount() || got.Debug != want.GetDebug() {
		t.Fatalf("option %q %d %q, want %v", got.GroupID, got.NodeCount, got.Debug, want)
	}
	pods := want.GetPodBytes()
	if len(pods) == 0 {
		pods = allOf(unknown(want), oldOptionPods)
	}
	if read := podsOf(got); !slices.EqualFunc(read, pods, bytes.Equal) {
		t.Fatalf("pods %x, want %x", read, pods)
	}
}

// nodesOf are a request's nodes of either field.
func nodesOf(request *expander.BestOptionsRequest) map[string][]byte {
	if sent := request.GetNodeBytesMap(); len(sent) > 0 {
		return sent
	}
	nodes := map[string][]byte{}
	for _, entry := range allOf(unknown(request), oldRequestNodes) {
		key, _ := last(entry, entryKey)
		node, _ := last(entry, entryValue)
		nodes[string(key)] = node
	}
	return nodes
}

// allOf are the values of a repeated field.
func allOf(raw []byte, wanted protowire.Number) (values [][]byte) {
	for number, value, rest := next(raw); number != 0; number, value, rest = next(rest) {
		if number == wanted {
			values = append(values, value)
		}
	}
	return values
}
