package kubenodes

import (
	"fmt"
	"maps"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/buildpool/buildpool/ess/esssim/account"
)

// ProviderIDForm is how nodes spell spec.providerID.
type ProviderIDForm string

// The two forms in use on Alibaba clusters.
const (
	ProviderIDDot ProviderIDForm = "<region>.<id>"
	ProviderIDURL ProviderIDForm = "alicloud://<region>.<id>"
)

// InstanceAnnotation names the instance behind a node, and so marks it as ours.
const InstanceAnnotation = "esssim.buildpool.io/instance"

// kwokAnnotation hands the node to kwok.
const (
	kwokAnnotation = "kwok.x-k8s.io/node"
	kwokFake       = "fake"
)

const gpuResource corev1.ResourceName = "nvidia.com/gpu"

const (
	gpuNameLabel = "aliyun.accelerator/nvidia_name"
	// nodePoolTag is ACK's tag on an instance; the cloud-controller-manager makes
	// nodePoolLabel of it.
	nodePoolTag   = "ack.alibabacloud.com/nodepool-id"
	nodePoolLabel = "node.alibabacloud.com/nodepool-id"
	// defaultDiskGiB is the system disk when nothing is asked for.
	defaultDiskGiB = 40
	kubeletVersion = "v1.36.0"
)

// machine is what turns an instance into a node.
type machine struct {
	region              string
	form                ProviderIDForm
	kernelMemoryPercent float64
}

func (m machine) nodeName(i account.Instance) string { return m.region + "." + i.ID }

// node is the node that an instance registers as: not ready yet, as every node is
// at first.
func (m machine) node(i account.Instance) (*corev1.Node, error) {
	k, err := readUserData(i.UserData)
	if err != nil {
		return nil, err
	}
	name := m.nodeName(i)
	providerID := m.region + "." + i.ID
	if m.form == ProviderIDURL {
		providerID = "alicloud://" + providerID
	}
	capacity := m.capacity(i, k)
	allocatable, err := allocatableOf(capacity, k)
	if err != nil {
		return nil, err
	}
	return &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{
			Name:        name,
			Labels:      m.labels(i, k, name),
			Annotations: map[string]string{kwokAnnotation: kwokFake, InstanceAnnotation: i.ID},
		},
		Spec: corev1.NodeSpec{ProviderID: providerID, Taints: k.taints},
		Status: corev1.NodeStatus{
			Capacity:    capacity,
			Allocatable: allocatable,
			Conditions: []corev1.NodeCondition{{
				Type:    corev1.NodeReady,
				Status:  corev1.ConditionFalse,
				Reason:  "KubeletNotReady",
				Message: "the simulated machine has just started",
			}},
			Addresses: []corev1.NodeAddress{
				{Type: corev1.NodeInternalIP, Address: i.Address},
				{Type: corev1.NodeHostName, Address: name},
			},
			NodeInfo: corev1.NodeSystemInfo{
				Architecture:    architecture(i.Type),
				OperatingSystem: "linux",
				KubeletVersion:  kubeletVersion,
			},
		},
	}, nil
}

func architecture(t account.InstanceType) string {
	if t.Arch == "ARM" {
		return "arm64"
	}
	return "amd64"
}

// labels are kubelet's own and the flags', the cloud-controller-manager's, and for
// a GPU machine the one that ACK's GPU add-on puts on it.
func (m machine) labels(i account.Instance, k kubelet, name string) map[string]string {
	labels := map[string]string{}
	if i.Type.GPUs > 0 {
		labels[gpuNameLabel] = strings.ReplaceAll(i.Type.GPUModel, " ", "-")
	}
	maps.Copy(labels, k.labels)
	labels[corev1.LabelHostname] = name
	labels[corev1.LabelOSStable] = "linux"
	labels[corev1.LabelArchStable] = architecture(i.Type)
	labels[corev1.LabelInstanceTypeStable] = i.Type.Name
	labels[corev1.LabelTopologyRegion] = m.region
	labels[corev1.LabelTopologyZone] = i.Zone
	labels["node.alibabacloud.com/instance-charge-type"] = "PostPaid"
	labels["node.alibabacloud.com/spot-strategy"] = string(i.SpotStrategy)
	if pool := i.Tags[nodePoolTag]; pool != "" {
		labels[nodePoolLabel] = pool
	}
	return labels
}

// capacity is the machine as its kernel shows it.
func (m machine) capacity(i account.Instance, k kubelet) corev1.ResourceList {
	kibibytes := int64(i.Type.MemoryGiB * (1 << 20) * (100 - m.kernelMemoryPercent) / 100)
	disk := i.SystemDiskGiB
	if disk == 0 {
		disk = defaultDiskGiB
	}
	capacity := corev1.ResourceList{
		corev1.ResourceCPU:              *resource.NewQuantity(int64(i.Type.CPUs), resource.DecimalSI),
		corev1.ResourceMemory:           *resource.NewQuantity(kibibytes<<10, resource.BinarySI),
		corev1.ResourceEphemeralStorage: *resource.NewQuantity(int64(disk)<<30, resource.BinarySI),
		corev1.ResourcePods:             *resource.NewQuantity(k.maxPods, resource.DecimalSI),
	}
	if i.Type.GPUs > 0 {
		capacity[gpuResource] = *resource.NewQuantity(int64(i.Type.GPUs), resource.DecimalSI)
	}
	return capacity
}

// allocatableOf takes away what kubelet keeps: kube-reserved, system-reserved and
// the hard eviction thresholds.
func allocatableOf(capacity corev1.ResourceList, k kubelet) (corev1.ResourceList, error) {
	signals := map[corev1.ResourceName]string{
		corev1.ResourceMemory:           "memory.available",
		corev1.ResourceEphemeralStorage: "nodefs.available",
	}
	allocatable := corev1.ResourceList{}
	for name, total := range capacity {
		left := total.DeepCopy()
		for _, reserved := range []map[corev1.ResourceName]resource.Quantity{k.kubeReserved, k.systemReserved} {
			if quantity, ok := reserved[name]; ok {
				left.Sub(quantity)
			}
		}
		if amount, ok := k.evictionHard[signals[name]]; ok {
			kept, err := threshold(amount, total)
			if err != nil {
				return nil, fmt.Errorf("read eviction threshold of %s: %w", name, err)
			}
			left.Sub(kept)
		}
		if left.Sign() < 0 {
			left.Set(0)
		}
		allocatable[name] = left
	}
	return allocatable, nil
}
