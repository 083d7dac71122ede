package grpcserver

import (
	"context"
	"maps"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc/protos"

	"github.com/buildpool/buildpool/cloudprovider"
)

// NodeGroupTemplateNodeInfo describes the node the group would add. The answer is
// never empty, in no dialect: CA dereferences the node without looking.
func (s *service) NodeGroupTemplateNodeInfo(_ context.Context, request *protos.NodeGroupTemplateNodeInfoRequest) (*protos.NodeGroupTemplateNodeInfoResponse, error) {
	if err := checkGroup(request); err != nil {
		return nil, err
	}
	template, err := s.provider.TemplateNode(request.GetId())
	if err != nil {
		return nil, err
	}
	return s.answers.template(request.GetId(), template)
}

// templateNode dresses a template as the node object CA expects: with a name, the
// hostname label that kubelet would set, and ready.
func templateNode(groupID string, template cloudprovider.NodeTemplate) *corev1.Node {
	name := "template-" + groupID
	labels := make(map[string]string, len(template.Labels)+1)
	maps.Copy(labels, template.Labels)
	labels[corev1.LabelHostname] = name
	return &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels},
		Spec:       corev1.NodeSpec{Taints: template.Taints},
		Status: corev1.NodeStatus{
			Capacity:    template.Capacity,
			Allocatable: template.Allocatable,
			Conditions: []corev1.NodeCondition{{
				Type:    corev1.NodeReady,
				Status:  corev1.ConditionTrue,
				Reason:  "Template",
				Message: "a node as the group would add it",
			}},
		},
	}
}
