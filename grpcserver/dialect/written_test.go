package dialect

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protowire"
)

// The requests of the two releases that cannot be had as modules, written by the
// table of field numbers in the package's documentation. CA 1.34.2 writes every moved
// field under its old and its new number.

func written134(t testing.TB, file string) []byte { return written(t, file, true) }
func written135(t testing.TB, file string) []byte { return written(t, file, false) }

func written(t testing.TB, file string, old bool) []byte {
	t.Helper()
	switch file {
	case "options_request.bin":
		return writtenOptions(old)
	case "node_price_request.bin":
		return join(text(1, string(join(text(1, "cn-hangzhou.i-spot-1"), text(2, "spot-1")))),
			when(old, 2, timestamp(periodStart)), when(old, 3, timestamp(periodEnd)),
			field(4, timestamp(periodStart)), field(5, timestamp(periodEnd)))
	case "pod_price_request.bin":
		pod, err := recordedPod("build-1").Marshal()
		require.NoError(t, err)
		return join(when(old, 1, pod), when(old, 2, timestamp(periodStart)), when(old, 3, timestamp(periodEnd)),
			field(4, pod), field(5, timestamp(periodStart)), field(6, timestamp(periodEnd)))
	case "expander_request.bin":
		return join(writtenOption(t, old, "spot", 2, "build-1", "build-2"), writtenOption(t, old, "normal", 1, "build-1"),
			writtenNode(t, old, "spot"), writtenNode(t, old, "normal"))
	}
	t.Fatalf("no request %s", file)
	return nil
}

func writtenOptions(old bool) []byte {
	unneeded, unready, provision := 10*time.Minute, 20*time.Minute, 15*time.Minute
	return join(text(1, "spot"), field(2, join(
		double(1, 0.5), double(2, 0.4),
		when(old, 3, k8sDuration(unneeded)), when(old, 4, k8sDuration(unready)), when(old, 5, k8sDuration(provision)),
		varint(7, 1),
		field(8, duration(unneeded)), field(9, duration(unready)), field(10, duration(provision)),
	)))
}

func writtenOption(t testing.TB, old bool, group string, count uint64, pods ...string) []byte {
	option := join(text(1, group), varint(2, count), text(3, group+" (0:10)"))
	var before, after []byte
	for _, name := range pods {
		pod, err := recordedPod(name).Marshal()
		require.NoError(t, err)
		before = append(before, when(old, 4, pod)...)
		after = append(after, field(5, pod)...)
	}
	return field(1, join(option, before, after))
}

func writtenNode(t testing.TB, old bool, group string) []byte {
	node, err := recordedNode("template-" + group).Marshal()
	require.NoError(t, err)
	entry := join(text(1, group), field(2, node))
	return join(when(old, 2, entry), field(3, entry))
}

func join(parts ...[]byte) []byte {
	var all []byte
	for _, part := range parts {
		all = append(all, part...)
	}
	return all
}

func field(number protowire.Number, value []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(nil, number, protowire.BytesType), value)
}

func when(wanted bool, number protowire.Number, value []byte) []byte {
	if !wanted {
		return nil
	}
	return field(number, value)
}

func text(number protowire.Number, value string) []byte { return field(number, []byte(value)) }

func varint(number protowire.Number, value uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(nil, number, protowire.VarintType), value)
}

func double(number protowire.Number, value float64) []byte {
	return protowire.AppendFixed64(protowire.AppendTag(nil, number, protowire.Fixed64Type), math.Float64bits(value))
}

func k8sDuration(d time.Duration) []byte { return varint(1, uint64(d)) }

func duration(d time.Duration) []byte { return varint(1, uint64(d/time.Second)) }

func timestamp(t time.Time) []byte {
	return join(varint(1, uint64(t.Unix())), varint(2, uint64(t.Nanosecond())))
}
