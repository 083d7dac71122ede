package grpcserver

import (
	"context"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"k8s.io/autoscaler/cluster-autoscaler/expander/grpcplugin/protos"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/grpcserver/dialect"
)

// expanderService translates grpcplugin.Expander. It reads of a request only what
// the choice asks for.
type expanderService struct {
	protos.UnsafeExpanderServer
	expander cloudprovider.Expander
	explain  *explainer
}

var _ protos.ExpanderServer = (*expanderService)(nil)

// Expander makes a sibling of the server that answers grpcplugin.Expander, on a port
// of its own because CA shows no client certificate there. meet is how CA is met; nil
// is plaintext, which CA itself does not speak.
func (s *Server) Expander(meet credentials.TransportCredentials, expander cloudprovider.Expander) *Server {
	service := &expanderService{expander: expander, explain: newExplainer(s.options.Log, s.options.Registerer)}
	return s.Sibling(meet, func(to grpc.ServiceRegistrar) { protos.RegisterExpanderServer(to, service) })
}

// BestOptions chooses the group to grow. CA takes an error as if nobody had been
// asked, and an empty list as a veto for this loop, so the list is empty only if the
// choice was.
func (s *expanderService) BestOptions(ctx context.Context, request *protos.BestOptionsRequest) (*protos.BestOptionsResponse, error) {
	if err := checkOptions(request); err != nil {
		return nil, err
	}
	nodes := sync.OnceValue(func() map[string][]byte { return dialect.NodeBytes(request) })
	options := make([]cloudprovider.ExpansionOption, len(request.GetOptions()))
	for i, option := range request.GetOptions() {
		options[i] = decodeOption(option, nodes)
	}
	expansion, err := s.expander.BestOptions(options)
	if err != nil {
		return nil, err
	}
	s.explain.record(ctx, expansion)
	answer := &protos.BestOptionsResponse{Options: make([]*protos.Option, len(expansion.Best))}
	for i, group := range expansion.Best {
		answer.Options[i] = &protos.Option{NodeGroupId: group}
	}
	return answer, nil
}

func decodeOption(option *protos.Option, nodes func() map[string][]byte) cloudprovider.ExpansionOption {
	return cloudprovider.ExpansionOption{
		GroupID:   option.GetNodeGroupId(),
		NodeCount: int(option.GetNodeCount()),
		Debug:     option.GetDebug(),
		Demand:    sync.OnceValues(func() (cloudprovider.PodDemand, error) { return podDemand(option) }),
		Node: func() (cloudprovider.NodeOffer, bool) {
			encoded, sent := nodes()[option.GetNodeGroupId()]
			if !sent {
				return cloudprovider.NodeOffer{}, false
			}
			offer, err := nodeOffer(encoded)
			return offer, err == nil // the group's own template has to do
		},
	}
}

// podDemand sums up what the option's pods ask for.
func podDemand(option *protos.Option) (cloudprovider.PodDemand, error) {
	var all amounts
	pods := 0
	for encoded := range dialect.PodBytes(option) {
		one, err := podRequests(encoded)
		if err != nil {
			return cloudprovider.PodDemand{}, err
		}
		all.add(one)
		pods++
	}
	return cloudprovider.PodDemand{Pods: pods, MilliCPU: all.milliCPU, MemoryBytes: all.memory, GPU: all.gpus > 0}, nil
}

// checkOptions refuses what no choice can be made of.
func checkOptions(request *protos.BestOptionsRequest) error {
	for i, option := range request.GetOptions() {
		switch id := option.GetNodeGroupId(); {
		case id == "":
			return invalid("option %d of %d names no node group", i+1, len(request.GetOptions()))
		case len(id) > maxGroupID:
			return invalid("the node group's ID of option %d is %d bytes long, at most %d are allowed", i+1, len(id), maxGroupID)
		}
	}
	return nil
}
