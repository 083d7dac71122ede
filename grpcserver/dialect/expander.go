package dialect

import (
	"fmt"
	"iter"

	"google.golang.org/protobuf/encoding/protowire"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/autoscaler/cluster-autoscaler/expander/grpcplugin/protos"

	"github.com/buildpool/buildpool/cloudprovider"
)

// The fields of the expander's messages up to CA 1.34.
const (
	oldOptionPods   protowire.Number = 4 // repeated v1.Pod
	oldRequestNodes protowire.Number = 2 // map<string, v1.Node>

	entryKey   protowire.Number = 1 // of any map's entry
	entryValue protowire.Number = 2
)

// PodBytes yields the option's pods as encoded v1.Pod objects. A request may hold
// thousands and not every question needs them decoded. They are part of the option
// and must not be written to.
func PodBytes(option *protos.Option) iter.Seq[[]byte] {
	if sent := option.GetPodBytes(); len(sent) > 0 {
		return func(yield func([]byte) bool) {
			for _, pod := range sent {
				if !yield(pod) {
					return
				}
			}
		}
	}
	return all(unknown(option), oldOptionPods)
}

// PodCount returns how many pods the option would help, without decoding one.
func PodCount(option *protos.Option) int {
	if sent := option.GetPodBytes(); len(sent) > 0 {
		return len(sent)
	}
	n := 0
	for range all(unknown(option), oldOptionPods) {
		n++
	}
	return n
}

// Pods decodes all pods of an option. The error is cloudprovider.ErrInvalidArgument.
func Pods(option *protos.Option) ([]*corev1.Pod, error) {
	pods := make([]*corev1.Pod, 0, PodCount(option))
	for encoded := range PodBytes(option) {
		pod, err := decodePod(encoded)
		if err != nil {
			return nil, fmt.Errorf("option %q: %w", option.GetNodeGroupId(), err)
		}
		pods = append(pods, pod)
	}
	return pods, nil
}

// NodeBytes returns the template node of each node group, by the group's ID, as
// encoded v1.Node objects. They are part of the request and must not be written to.
func NodeBytes(request *protos.BestOptionsRequest) map[string][]byte {
	if sent := request.GetNodeBytesMap(); len(sent) > 0 {
		return sent
	}
	nodes := map[string][]byte{}
	for entry := range all(unknown(request), oldRequestNodes) {
		key, _ := last(entry, entryKey)
		node, _ := last(entry, entryValue)
		nodes[string(key)] = node
	}
	return nodes
}

// Nodes decodes the template node of each node group, by the group's ID. The error
// is cloudprovider.ErrInvalidArgument.
func Nodes(request *protos.BestOptionsRequest) (map[string]*corev1.Node, error) {
	encoded := NodeBytes(request)
	nodes := make(map[string]*corev1.Node, len(encoded))
	for group, raw := range encoded {
		node := &corev1.Node{}
		if err := node.Unmarshal(raw); err != nil {
			return nil, fmt.Errorf("%w: decode template node of group %q: %w", cloudprovider.ErrInvalidArgument, group, err)
		}
		nodes[group] = node
	}
	return nodes, nil
}
