package dialect

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protowire"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/buildpool/buildpool/cloudprovider"
)

// cut makes pieces of so many bytes; 0 leaves one.
func cut(raw []byte, size int) [][]byte {
	if size == 0 {
		return [][]byte{raw}
	}
	return slices.Collect(slices.Chunk(raw, size))
}

func readExpander(t testing.TB, raw []byte, size int) *ExpanderRequest {
	t.Helper()
	request := &ExpanderRequest{}
	require.NoError(t, request.Read(cut(raw, size)))
	return request
}

// podsOf copies the pods, each of which is good until the next only.
func podsOf(option *ExpanderOption) [][]byte {
	var pods [][]byte
	for pod := range option.Pods() {
		pods = append(pods, slices.Clone(pod))
	}
	return pods
}

// However a request is cut, down to bytes, it reads the same.
func TestExpanderRequests(t *testing.T) {
	eachClient(t, func(t *testing.T, c client) {
		raw := c.file(t, "expander_request.bin")
		for _, size := range []int{0, 1, 2, 3, 7, 64, 1000} {
			t.Run(fmt.Sprintf("in pieces of %d", size), func(t *testing.T) {
				checkRecorded(t, readExpander(t, raw, size))
			})
		}
	})
}

func checkRecorded(t *testing.T, request *ExpanderRequest) {
	t.Helper()
	require.Len(t, request.Options, 2)
	for i, want := range []struct {
		group string
		pods  []string
	}{{"spot", []string{"build-1", "build-2"}}, {"normal", []string{"build-1"}}} {
		option := &request.Options[i]
		assert.Equal(t, want.group, option.GroupID)
		assert.EqualValues(t, len(want.pods), option.NodeCount)
		assert.Contains(t, option.Debug, want.group)
		pods := podsOf(option)
		require.Len(t, pods, len(want.pods))
		for n, name := range want.pods {
			var pod corev1.Pod
			require.NoError(t, pod.Unmarshal(pods[n]))
			assert.True(t, equality.Semantic.DeepEqual(recordedPod(name), &pod), "pod: %v", pod)
		}
		encoded, sent := request.Node(want.group)
		require.True(t, sent)
		var node corev1.Node
		require.NoError(t, node.Unmarshal(encoded))
		assert.True(t, equality.Semantic.DeepEqual(recordedNode("template-"+want.group), &node), "node: %v", node)
	}
	_, sent := request.Node("gpu")
	assert.False(t, sent)
}

// The walk may be left early, and begun again.
func TestPodsOneByOne(t *testing.T) {
	eachClient(t, func(t *testing.T, c client) {
		option := &readExpander(t, c.file(t, "expander_request.bin"), 50).Options[0]
		all := podsOf(option)
		require.Len(t, all, 2)
		for first := range option.Pods() {
			assert.Equal(t, all[0], first)
			break
		}
		assert.Equal(t, all, podsOf(option))
	})
}

func TestExpanderRequestsThatAreNone(t *testing.T) {
	for name, raw := range map[string][]byte{
		"garbage":                            garbage,
		"an option that is too long":         field(1, text(1, "spot"))[:5],
		"an option of garbage":               field(1, garbage),
		"a node of garbage":                  field(3, garbage),
		"an old node of garbage":             field(2, garbage),
		"a name that is no text":             field(1, text(1, "\xff")),
		"a description that is none":         field(1, text(3, "\xff")),
		"a group":                            protowire.AppendTag(nil, 9, protowire.StartGroupType),
		"field 0":                            {0x02, 0x00},
		"half a fixed32":                     {0x4d, 0x00},
		"half a fixed64":                     {0x49, 0x00},
		"a varint without end":               {0x10, 0xff},
		"more options than there are groups": slices.Repeat(field(1, nil), mostOptions+1),
	} {
		for _, size := range []int{0, 1} {
			t.Run(fmt.Sprintf("%s in pieces of %d", name, size), func(t *testing.T) {
				require.ErrorIs(t, new(ExpanderRequest).Read(cut(raw, size)), cloudprovider.ErrInvalidArgument)
			})
		}
	}
}

func TestWhatTheExpanderIsNotToldIsNothing(t *testing.T) {
	request := readExpander(t, nil, 0)
	assert.Empty(t, request.Options)
	_, sent := request.Node("spot")
	assert.False(t, sent)
	request = readExpander(t, slices.Repeat(field(1, nil), mostOptions), 0)
	require.Len(t, request.Options, mostOptions)
	assert.Empty(t, podsOf(&request.Options[0]))
}

// Fields that no release sends, and known numbers with another kind of value, are
// passed over as protobuf does.
func TestStrangeFieldsArePassedOver(t *testing.T) {
	strange := join(varint(1, 7), varint(3, 7), double(2, 1), field(12, []byte("x")), protowire.AppendFixed32(protowire.AppendTag(nil, 13, protowire.Fixed32Type), 7))
	option := join(text(1, "spot"), text(2, "two"), varint(2, 2), varint(5, 1), double(14, 1), field(5, []byte("pod")))
	request := readExpander(t, join(strange, field(1, option), field(3, join(varint(1, 1), text(1, "spot"), field(2, []byte("node"))))), 1)
	require.Len(t, request.Options, 1)
	assert.Equal(t, "spot", request.Options[0].GroupID)
	assert.EqualValues(t, 2, request.Options[0].NodeCount)
	assert.Equal(t, [][]byte{[]byte("pod")}, podsOf(&request.Options[0]))
	node, sent := request.Node("spot")
	assert.True(t, sent)
	assert.Equal(t, []byte("node"), node)
}
