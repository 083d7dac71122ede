package config

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// APIVersion and Kind are the only ones a file may carry.
const (
	APIVersion = "buildpool/v1alpha1"
	Kind       = "NodeGroups"
)

// Config is a node-group file.
type Config struct {
	// APIVersion is always buildpool/v1alpha1.
	APIVersion string `json:"apiVersion"`
	// Kind is always NodeGroups.
	Kind string `json:"kind"`
	// Region of the account that holds the scaling groups, such as cn-hangzhou.
	Region string `json:"region"`
	// Account says where the credentials come from; a key never stands in the file.
	Account Account `json:"account,omitempty"`
	// ProviderID is how the cluster spells spec.providerID: auto learns it from the
	// cluster's nodes.
	ProviderID ProviderIDForm `json:"providerID,omitempty"`
	// Defaults hold for every group that does not say otherwise.
	Defaults Defaults `json:"defaults,omitempty"`
	// Expander is how the gRPC expander chooses the group that grows.
	Expander Expander `json:"expander,omitempty"`
	// Pricing says what a price is taken to be where none is known.
	Pricing Pricing `json:"pricing,omitempty"`
	// Schedule is what holds for the warm windows of every group.
	Schedule Schedule `json:"schedule,omitempty"`
	// LastLook is what is looked at right before an instance is removed.
	LastLook LastLook `json:"lastLook,omitempty"`
	// NodeCleanup says whether Node objects are deleted whose instance is gone.
	NodeCleanup NodeCleanup `json:"nodeCleanup,omitempty"`
	// InstanceProtection says whether instances on which builds run are shielded from being
	// removed by others.
	InstanceProtection InstanceProtection `json:"instanceProtection,omitempty"`
	// Headroom is what holds for the headroom of every group.
	Headroom HeadroomKeeping `json:"headroom,omitempty"`
	// Overflow says which builds move to a virtual node when real nodes come too late.
	Overflow Overflow `json:"overflow,omitempty"`
	// Groups are the node groups offered to cluster-autoscaler.
	Groups []Group `json:"groups"`
}

// ProviderIDForm is a spelling of spec.providerID.
type ProviderIDForm string

// The values of providerID.
const (
	ProviderIDAuto ProviderIDForm = "auto"
	ProviderIDDot  ProviderIDForm = "<region>.<id>"
	ProviderIDURL  ProviderIDForm = "alicloud://<region>.<id>"
)

// CredentialSource names where credentials come from.
type CredentialSource string

// The values of account.credentials.
const (
	// CredentialsDefault walks the default chain: environment, OIDC, profile, instance role.
	CredentialsDefault CredentialSource = "default"
	// CredentialsEnvironment reads ALIBABA_CLOUD_ACCESS_KEY_ID, …_SECRET and …_SECURITY_TOKEN.
	CredentialsEnvironment CredentialSource = "environment"
	// CredentialsInstanceRole uses the RAM role of the instance we run on.
	CredentialsInstanceRole CredentialSource = "instance-role"
	// CredentialsOIDC is RRSA: a projected service-account token is exchanged for a role.
	CredentialsOIDC CredentialSource = "oidc"
)

// Account says where the credentials come from.
type Account struct {
	// Credentials names their source. Default: default, the chain of all sources.
	Credentials CredentialSource `json:"credentials,omitempty"`
	// RoleName is the instance's RAM role, for instance-role; empty asks the instance.
	RoleName string `json:"roleName,omitempty"`
	// AssumeRoleARN is a RAM role to assume with the credentials found.
	AssumeRoleARN string `json:"assumeRoleArn,omitempty"`
	// OIDC overrides the RRSA environment variables, for the sources oidc and default.
	OIDC *OIDC `json:"oidc,omitempty"`
}

// OIDC names the parties of RRSA. Empty fields are taken from ALIBABA_CLOUD_ROLE_ARN,
// ALIBABA_CLOUD_OIDC_PROVIDER_ARN and ALIBABA_CLOUD_OIDC_TOKEN_FILE.
type OIDC struct {
	// RoleARN is the role to take, such as acs:ram::1234567890123456:role/buildpool.
	RoleARN string `json:"roleArn,omitempty"`
	// ProviderARN is the cluster's OIDC provider in RAM.
	ProviderARN string `json:"providerArn,omitempty"`
	// TokenFile is the absolute path of the projected service-account token.
	TokenFile string `json:"tokenFile,omitempty"`
}

// Defaults hold for every group that does not say otherwise. Taints have none.
type Defaults struct {
	// Labels of every group; a group's own label of the same key wins.
	Labels map[string]string `json:"labels,omitempty"`
	// Template fields of every group; its gpu holds for groups of class gpu only.
	Template Template `json:"template,omitempty"`
	// Options of every group.
	Options Options `json:"options,omitempty"`
	// Cooldown of every group.
	Cooldown Cooldown `json:"cooldown,omitempty"`
	// Spot fields of every group.
	Spot Spot `json:"spot,omitempty,omitzero"`
}

// Class is what a group's nodes are for.
type Class string

// The classes.
const (
	ClassNormal Class = "normal"
	ClassGPU    Class = "gpu"
	ClassSpot   Class = "spot"
)

// Group maps labelled nodes onto one scaling group.
type Group struct {
	// Name is the node group's ID in cluster-autoscaler.
	Name string `json:"name"`
	// Class is what the nodes are for; they register with it as the label
	// buildpool.io/class.
	Class Class `json:"class"`
	// ScalingGroup is the ESS scaling group, by ID or by tags.
	ScalingGroup ScalingGroup `json:"scalingGroup"`
	// Min is the least number of nodes. Default: 0.
	Min int `json:"min,omitempty"`
	// Max is the most nodes, at most 2000: the largest MaxSize ESS takes.
	Max int `json:"max"`
	// Labels that the nodes register with, beside the class.
	Labels map[string]string `json:"labels,omitempty"`
	// Taints that the nodes register with.
	Taints []Taint `json:"taints,omitempty"`
	// Template overrides what is read from the scaling group's launch settings.
	Template Template `json:"template,omitempty"`
	// Options are cluster-autoscaler's options for this group.
	Options Options `json:"options,omitempty"`
	// Cooldown are the group's timers.
	Cooldown Cooldown `json:"cooldown,omitempty"`
	// Spot says what becomes of instances that the cloud may take back.
	Spot Spot `json:"spot,omitempty,omitzero"`
	// Schedules are the times during which the group keeps more nodes than min.
	Schedules []Window `json:"schedules,omitempty"`
	// Headroom is spare room that the group keeps for the next builds.
	Headroom *Headroom `json:"headroom,omitempty"`
	// Priority orders groups for the expander: higher first. Default: 0.
	Priority int `json:"priority,omitempty"`
	// Price of a node, for cost figures and the price expander.
	Price *Price `json:"price,omitempty"`
}

// ScalingGroup names an ESS scaling group: exactly one of its fields is set.
type ScalingGroup struct {
	// ID of the scaling group, such as asg-bp1a2b3c.
	ID string `json:"id,omitempty"`
	// Tags must match exactly one scaling group.
	Tags map[string]string `json:"tags,omitempty"`
}

// Taint is a taint the nodes register with.
type Taint struct {
	// Key of the taint, such as buildpool.io/class.
	Key string `json:"key"`
	// Value of the taint; may be left out.
	Value string `json:"value,omitempty"`
	// Effect on pods that do not tolerate the taint.
	Effect corev1.TaintEffect `json:"effect"`
}

// Template overrides what is read from the scaling group's launch settings.
type Template struct {
	// InstanceType to take as the template; default: the smallest of the group.
	InstanceType string `json:"instanceType,omitempty"`
	// Reserved is what kubelet keeps back (kube-reserved, system-reserved and
	// eviction threshold together). Default: ACK's formula.
	Reserved Reserved `json:"reserved,omitempty"`
	// MemoryOverheadPercent is the share of the instance type's memory that the
	// machine's kernel keeps, so that a node shows less than the type promises.
	// Default: 5.
	MemoryOverheadPercent *int `json:"memoryOverheadPercent,omitempty"`
	// MaxPods per node. Default: 110, or by ENI when podNetwork is terway.
	MaxPods int `json:"maxPods,omitempty"`
	// PodNetwork: terway bounds the pods by the type's ENIs, flannel does not.
	PodNetwork PodNetwork `json:"podNetwork,omitempty"`
	// EphemeralStorage of a node. Default: the system disk.
	EphemeralStorage *resource.Quantity `json:"ephemeralStorage,omitempty"`
	// GPU of a node. Default: the instance type's.
	GPU *GPU `json:"gpu,omitempty"`
}

// PodNetwork is the cluster's pod network.
type PodNetwork string

// The values of podNetwork.
const (
	PodNetworkFlannel PodNetwork = "flannel"
	PodNetworkTerway  PodNetwork = "terway"
)

// Reserved is what a node keeps back from builds.
type Reserved struct {
	// CPU kept back, such as 90m.
	CPU *resource.Quantity `json:"cpu,omitempty"`
	// Memory kept back, such as 1665Mi.
	Memory *resource.Quantity `json:"memory,omitempty"`
	// EphemeralStorage kept back, such as 1Gi.
	EphemeralStorage *resource.Quantity `json:"ephemeralStorage,omitempty"`
}

// GPU says what GPUs a node has.
type GPU struct {
	// Type is the value of the node label aliyun.accelerator/nvidia_name, such as NVIDIA-A10.
	Type string `json:"type"`
	// Count of GPUs per node. Default: the instance type's.
	Count int `json:"count,omitempty"`
}

// Options are cluster-autoscaler's per-group options. Unset fields keep the
// autoscaler's own flags.
type Options struct {
	// ScaleDownUtilizationThreshold: a node used less than this share may go, 0 to 1.
	ScaleDownUtilizationThreshold *float64 `json:"scaleDownUtilizationThreshold,omitempty"`
	// ScaleDownGPUUtilizationThreshold is the same for the GPUs of a GPU node, 0 to 1.
	ScaleDownGPUUtilizationThreshold *float64 `json:"scaleDownGPUUtilizationThreshold,omitempty"`
	// ScaleDownUnneededTime is how long a node is idle before it goes.
	ScaleDownUnneededTime *Duration `json:"scaleDownUnneededTime,omitempty"`
	// ScaleDownUnreadyTime is how long an unready node is idle before it goes.
	ScaleDownUnreadyTime *Duration `json:"scaleDownUnreadyTime,omitempty"`
	// MaxNodeProvisionTime is how long a new instance may take to join; more than 0.
	MaxNodeProvisionTime *Duration `json:"maxNodeProvisionTime,omitempty"`
	// IgnoreDaemonSetsUtilization leaves DaemonSet pods out of a node's utilisation.
	IgnoreDaemonSetsUtilization *bool `json:"ignoreDaemonSetsUtilization,omitempty"`
	// AllowWithCA135 gives the options to cluster-autoscaler 1.35 and newer too, which
	// then counts booting nodes as unready (autoscaler#10245). Default: they keep their
	// flags.
	AllowWithCA135 *bool `json:"allowWithCA135,omitempty"`
}

// Any reports whether an option is set.
func (o Options) Any() bool {
	o.AllowWithCA135 = nil // no option of cluster-autoscaler
	return o != (Options{})
}

// Cooldown are the group's timers. A running timer holds the floor at the current
// target, so that no scale-down is planned; it never causes a scale-up.
type Cooldown struct {
	// AfterScaleUp is how long the group keeps its size after it grew.
	AfterScaleUp *Duration `json:"afterScaleUp,omitempty"`
	// AfterScaleDown is how long the group keeps its size after it shrank.
	AfterScaleDown *Duration `json:"afterScaleDown,omitempty"`
	// AfterFailure is how long the group keeps its size after a failed creation.
	AfterFailure *Duration `json:"afterFailure,omitempty"`
	// AfterReclaim is how long the group keeps its size after the cloud took an instance
	// back.
	AfterReclaim *Duration `json:"afterReclaim,omitempty"`
}

// Price is what a node of the group costs.
type Price struct {
	// PerHour in the currency.
	PerHour float64 `json:"perHour"`
	// Currency as an ISO 4217 code, such as CNY; the same in all groups, because only
	// numbers of one currency can be compared. Default: that of the account's prices.
	Currency string `json:"currency,omitempty"`
}
