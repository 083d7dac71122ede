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
	expander cloudprovider.Expander
	explain  *explainer
}

var _ expanderAnswerer = (*expanderService)(nil)

// Expander makes a sibling of the server that answers grpcplugin.Expander, on a port
// of its own because CA shows no client certificate there. meet is how CA is met; nil
// is plaintext, which CA itself does not speak.
func (s *Server) Expander(meet credentials.TransportCredentials, expander cloudprovider.Expander) *Server {
	service := &expanderService{expander: expander, explain: newExplainer(s.options.Log, s.options.Registerer)}
	return s.Sibling(meet, func(to grpc.ServiceRegistrar) { to.RegisterService(&expanderDescription, service) },
		grpc.ForceServerCodecV2(newExpanderCodec()))
}

// BestOptions chooses the group to grow. CA takes an error as if nobody had been
// asked, and an empty list as a veto for this loop, so the list is empty only if the
// choice was.
func (s *expanderService) BestOptions(ctx context.Context, request *dialect.ExpanderRequest) (*protos.BestOptionsResponse, error) {
	if err := checkOptions(request); err != nil {
		return nil, err
	}
	options := make([]cloudprovider.ExpansionOption, len(request.Options))
	for i := range request.Options {
		options[i] = decodeOption(request, &request.Options[i])
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

func decodeOption(request *dialect.ExpanderRequest, option *dialect.ExpanderOption) cloudprovider.ExpansionOption {
	return cloudprovider.ExpansionOption{
		GroupID:   option.GroupID,
		NodeCount: int(option.NodeCount),
		Debug:     option.Debug,
		Demand:    sync.OnceValues(func() (cloudprovider.PodDemand, error) { return podDemand(option) }),
		Node: func() (cloudprovider.NodeOffer, bool) {
			encoded, sent := request.Node(option.GroupID)
			if !sent {
				return cloudprovider.NodeOffer{}, false
			}
			offer, err := nodeOffer(encoded)
			return offer, err == nil // the group's own template has to do
		},
	}
}

// podDemand sums up what the option's pods ask for.
func podDemand(option *dialect.ExpanderOption) (cloudprovider.PodDemand, error) {
	var all amounts
	pods := 0
	for encoded := range option.Pods() {
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
func checkOptions(request *dialect.ExpanderRequest) error {
	for i, option := range request.Options {
		switch id := option.GroupID; {
		case id == "":
			return invalid("option %d of %d names no node group", i+1, len(request.Options))
		case len(id) > maxGroupID:
			return invalid("the node group's ID of option %d is %d bytes long, at most %d are allowed", i+1, len(id), maxGroupID)
		}
	}
	return nil
}
