package cloudprovider

import corev1 "k8s.io/api/core/v1"

// GPUResource is the extended resource a GPU build asks for.
const GPUResource corev1.ResourceName = "nvidia.com/gpu"

// LabelGPU is the node label that carries the GPU type on Alibaba clusters
// (ACK documentation, "GPU node labels").
const LabelGPU = "aliyun.accelerator/nvidia_name"

// LabelClass is the label that every node of a group registers with: the group's
// class. There is no label for the group itself, because CA's balancing of similar
// groups asks for equal labels.
const LabelClass = "buildpool.io/class"

// NodeTemplate is the node a group would add: what CA's scheduler simulation sees
// when the group has no node to copy.
type NodeTemplate struct {
	Labels      map[string]string
	Taints      []corev1.Taint
	Capacity    corev1.ResourceList
	Allocatable corev1.ResourceList
}
