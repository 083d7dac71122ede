package grpcserver

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"google.golang.org/protobuf/proto"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc/protos"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/grpcserver/dialect"
)

// answers keeps the encoded answers that CA asks for in every loop although they
// seldom change. Each is kept with a copy of what it was made of and made again when
// the provider says something else, so that no answer is ever older than the
// provider's. The zero value is ready to use; it is safe for concurrent use.
type answers struct {
	groups    atomic.Pointer[groupsAnswer]
	templates sync.Map // group ID → *templateAnswer; one per group that ever had one
	nodes     sync.Map // group ID → *nodesAnswer; one per group that was ever listed
}

// The messages are shared by all calls and never written to.
type (
	groupsAnswer struct {
		of      []cloudprovider.NodeGroup
		message *protos.NodeGroupsResponse
	}
	nodesAnswer struct {
		of      []cloudprovider.InstanceStatus
		message *protos.NodeGroupNodesResponse
	}
	templateAnswer struct {
		of      cloudprovider.NodeTemplate
		message *protos.NodeGroupTemplateNodeInfoResponse
	}
)

// nodeGroups is the answer with all groups.
func (a *answers) nodeGroups(groups []cloudprovider.NodeGroup) (*protos.NodeGroupsResponse, error) {
	if kept := a.groups.Load(); kept != nil && slices.Equal(kept.of, groups) {
		return kept.message, nil
	}
	message, err := encodeNodeGroups(groups)
	if err != nil {
		return nil, err
	}
	a.groups.Store(&groupsAnswer{of: slices.Clone(groups), message: message})
	return message, nil
}

// encodeNodeGroups returns a message that holds the groups as bytes, which are only
// copied when it is sent. On the wire it is as any other.
func encodeNodeGroups(groups []cloudprovider.NodeGroup) (*protos.NodeGroupsResponse, error) {
	list := make([]*protos.NodeGroup, len(groups))
	for i, group := range groups {
		list[i] = encodeNodeGroup(group)
	}
	encoded, err := proto.Marshal(&protos.NodeGroupsResponse{NodeGroups: list})
	if err != nil {
		return nil, fmt.Errorf("encode node groups: %w", err)
	}
	message := &protos.NodeGroupsResponse{}
	message.ProtoReflect().SetUnknown(encoded)
	return message, nil
}

// instances is the answer with a group's instances. Failures are compared by identity:
// the provider keeps them from snapshot to snapshot, and one that it made anew is only
// encoded once more.
func (a *answers) instances(group string, of []cloudprovider.InstanceStatus) (*protos.NodeGroupNodesResponse, error) {
	if kept, ok := a.nodes.Load(group); ok {
		if kept := kept.(*nodesAnswer); slices.Equal(kept.of, of) {
			return kept.message, nil
		}
	}
	encoded, err := proto.Marshal(encodeInstances(of))
	if err != nil {
		return nil, fmt.Errorf("encode nodes of group %s: %w", group, err)
	}
	message := &protos.NodeGroupNodesResponse{}
	message.ProtoReflect().SetUnknown(encoded)
	a.nodes.Store(group, &nodesAnswer{of: slices.Clone(of), message: message})
	return message, nil
}

// template is the answer with a group's template, which must not be empty.
func (a *answers) template(group string, of cloudprovider.NodeTemplate) (*protos.NodeGroupTemplateNodeInfoResponse, error) {
	if kept, ok := a.templates.Load(group); ok {
		if kept := kept.(*templateAnswer); sameTemplate(kept.of, of) {
			return kept.message, nil
		}
	}
	node, err := templateNode(group, of).Marshal()
	if err != nil {
		return nil, fmt.Errorf("encode template node of group %s: %w", group, err)
	}
	fresh := &templateAnswer{of: cloneTemplate(of), message: dialect.Template(node)}
	a.templates.Store(group, fresh)
	return fresh.message, nil
}

// sameTemplate reports whether two templates look the same when they are encoded. It
// may say no of two that do: then one is encoded once more.
func sameTemplate(a, b cloudprovider.NodeTemplate) bool {
	return maps.Equal(a.Labels, b.Labels) &&
		slices.Equal(a.Taints, b.Taints) &&
		maps.Equal(a.Capacity, b.Capacity) &&
		maps.Equal(a.Allocatable, b.Allocatable)
}

func cloneTemplate(t cloudprovider.NodeTemplate) cloudprovider.NodeTemplate {
	return cloudprovider.NodeTemplate{
		Labels:      maps.Clone(t.Labels),
		Taints:      slices.Clone(t.Taints),
		Capacity:    maps.Clone(t.Capacity),
		Allocatable: maps.Clone(t.Allocatable),
	}
}
