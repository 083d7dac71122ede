package account

// APIVersion and Kind are the only ones an account file may carry.
const (
	APIVersion = "buildpool/v1alpha1"
	Kind       = "Account"
)

// Config is an account file: what the simulated account holds when it starts.
type Config struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string `yaml:"kind"`
	// Region of everything in the account, such as cn-hangzhou.
	Region string `yaml:"region"`
	// AccessKeys that may call. None of them may look like a real one.
	AccessKeys []AccessKey `yaml:"accessKeys"`
	Delays     DelayChange `yaml:"delays"`
	VSwitches  []VSwitch   `yaml:"vSwitches"`
	// InstanceTypes are the types that exist in this region.
	InstanceTypes []InstanceType `yaml:"instanceTypes"`
	// KernelMemoryPercent is how much less memory a machine shows than its type has.
	KernelMemoryPercent float64 `yaml:"kernelMemoryPercent"`
	// Stock bounds how many instances may run at once; what is not named is unlimited.
	Stock           []Stock          `yaml:"stock"`
	Throttle        []Throttle       `yaml:"throttle"`
	LaunchTemplates []LaunchTemplate `yaml:"launchTemplates"`
	ScalingGroups   []ScalingGroup   `yaml:"scalingGroups"`
	// Quotas bound the account as a whole; what is not named is unlimited.
	Quotas Quotas `yaml:"quotas"`
	// SpotMarket says how spot prices move and whom the market takes back.
	SpotMarket SpotMarket `yaml:"spotMarket"`
	// Machines are ECS instances of no scaling group, for AttachInstances.
	Machines []Machine `yaml:"machines"`
	// Faults make calls go wrong from the start.
	Faults []Fault `yaml:"faults"`
	// RoleAllow is what the temporary keys that STS issues may do; see AccessKey.
	RoleAllow []string `yaml:"roleAllow"`
}

// AccessKey is a key pair, with a security token if it is a temporary one.
type AccessKey struct {
	ID     string `yaml:"id"`
	Secret string `yaml:"secret"`
	Token  string `yaml:"token"`
	// Expires is when the key stops working, RFC 3339; empty: never.
	Expires string `yaml:"expires"`
	// Allow lists what the key may do, as a RAM policy does: ess:RemoveInstances,
	// ess:Describe*, *. Empty allows everything.
	Allow []string `yaml:"allow"`
}

// VSwitch is a subnet in one zone.
type VSwitch struct {
	ID   string `yaml:"id"`
	Zone string `yaml:"zone"`
	// Addresses is how many instances the subnet holds; 0: without bound.
	Addresses int `yaml:"addresses"`
}

// InstanceType is an ECS instance type with its list price.
type InstanceType struct {
	Name      string  `yaml:"name"`
	CPUs      int     `yaml:"cpus"`
	MemoryGiB float64 `yaml:"memoryGiB"`
	// Arch is ECS's name: X86 or ARM.
	Arch      string `yaml:"arch"`
	ENIs      int    `yaml:"enis"`
	IPsPerENI int    `yaml:"ipsPerENI"`
	GPUs      int    `yaml:"gpus"`
	// GPUModel is ECS's name for it, such as "NVIDIA A10".
	GPUModel     string  `yaml:"gpuModel"`
	PricePerHour float64 `yaml:"pricePerHour"`
	// SpotPricePerHour defaults to a tenth of the list price, an assumption: the
	// examples in Alibaba's documentation show 10 to 13 %.
	SpotPricePerHour float64 `yaml:"spotPricePerHour"`
}

// Charge is how an instance is paid, as far as stock goes.
type Charge string

// The two kinds of stock.
const (
	Spot     Charge = "spot"
	OnDemand Charge = "onDemand"
)

// Stock bounds the instances of one type in one zone that may run at once.
type Stock struct {
	Zone   string `yaml:"zone" json:"zone"`
	Type   string `yaml:"type" json:"type"`
	Charge Charge `yaml:"charge" json:"charge"`
	// Count of -1 is unlimited.
	Count int `yaml:"count" json:"count"`
}

// Throttle allows so many requests of one API per window; API "*" is the default
// of every API that is not named.
type Throttle struct {
	API      string   `yaml:"api" json:"api"`
	Requests int      `yaml:"requests" json:"requests"`
	Per      Duration `yaml:"per" json:"per"`
}

// SpotStrategy is ECS's word for how a preemptible instance bids.
type SpotStrategy string

// ECS's spot strategies.
const (
	NoSpot             SpotStrategy = "NoSpot"
	SpotAsPriceGo      SpotStrategy = "SpotAsPriceGo"
	SpotWithPriceLimit SpotStrategy = "SpotWithPriceLimit"
)

func (s SpotStrategy) charge() Charge {
	if s == NoSpot {
		return OnDemand
	}
	return Spot
}

// LaunchTemplate is one version of an ECS launch template.
type LaunchTemplate struct {
	ID string `yaml:"id"`
	// Name defaults to the ID.
	Name    string `yaml:"name"`
	Version int    `yaml:"version"`
	// Default marks the default version; without a mark it is the lowest.
	Default bool `yaml:"default"`
	// InstanceTypes beyond the first become the scaling group's overrides.
	InstanceTypes []string          `yaml:"instanceTypes"`
	SystemDiskGiB int               `yaml:"systemDiskGiB"`
	SpotStrategy  SpotStrategy      `yaml:"spotStrategy"`
	UserData      string            `yaml:"userData"`
	Tags          map[string]string `yaml:"tags"`
	// SpotPriceLimits are the most a spot instance may cost per hour, by type.
	SpotPriceLimits map[string]float64 `yaml:"spotPriceLimits"`
}

// ScalingConfiguration is what an ESS scaling group launches instances from.
type ScalingConfiguration struct {
	ID string `yaml:"id"`
	// Name defaults to the ID.
	Name          string            `yaml:"name"`
	InstanceTypes []string          `yaml:"instanceTypes"`
	SpotStrategy  SpotStrategy      `yaml:"spotStrategy"`
	SystemDiskGiB int               `yaml:"systemDiskGiB"`
	Tags          map[string]string `yaml:"tags"`
	// UserData is plain text here and base64 on the wire.
	UserData string `yaml:"userData"`
	// Weights are how much of the group's capacity an instance is, by type; a type
	// that is not named counts as 1.
	Weights map[string]int `yaml:"weights"`
	// SpotPriceLimits are the most a spot instance may cost per hour, by type.
	SpotPriceLimits map[string]float64 `yaml:"spotPriceLimits"`
}

// ScalingGroup is an ESS scaling group as it starts.
type ScalingGroup struct {
	ID   string `yaml:"id"`
	Name string `yaml:"name"`
	Min  int    `yaml:"min"`
	Max  int    `yaml:"max"`
	// Desired defaults to the larger of Min and InService; with it the group is
	// created as large, and instances follow after the delays.
	Desired *int `yaml:"desired"`
	// InService is how many instances are there already, long since in service.
	InService          int            `yaml:"inService"`
	ExpectedNumberMode bool           `yaml:"expectedNumberMode"`
	Lifecycle          GroupLifecycle `yaml:"lifecycle"`
	// Suspended processes: ScaleOut, ScaleIn, HealthCheck, …
	Suspended     []string          `yaml:"suspended"`
	MultiAZPolicy MultiAZPolicy     `yaml:"multiAZPolicy"`
	ScalingPolicy ScalingPolicy     `yaml:"scalingPolicy"`
	VSwitchIDs    []string          `yaml:"vSwitchIds"`
	Tags          map[string]string `yaml:"tags"`
	// Exactly one of ScalingConfiguration and LaunchTemplate is set; neither is
	// allowed for a group that is not Active.
	ScalingConfiguration *ScalingConfiguration `yaml:"scalingConfiguration"`
	LaunchTemplate       *LaunchTemplateUse    `yaml:"launchTemplate"`
	// Stopped is how many instances wait stopped from the start (scalingPolicy
	// recycle).
	Stopped int `yaml:"stopped"`
	// HealthCheckType is ECS, the default, or NONE.
	HealthCheckType HealthCheckType `yaml:"healthCheckType"`
	// OnDemandBase and OnDemandPercentAboveBase make a COST_OPTIMIZED or COMPOSABLE
	// spot group mixed: so many on demand first, and this share of the rest.
	OnDemandBase             int `yaml:"onDemandBase"`
	OnDemandPercentAboveBase int `yaml:"onDemandPercentAboveBase"`
	// CompensateWithOnDemand creates on demand what the spot market does not give.
	// ESS's own default is true; here it must be asked for.
	CompensateWithOnDemand bool `yaml:"compensateWithOnDemand"`
	// SpotInstanceRemedy replaces a spot instance before the market takes it.
	SpotInstanceRemedy bool   `yaml:"spotInstanceRemedy"`
	LifecycleHooks     []Hook `yaml:"lifecycleHooks"`
	ScalingRules       []Rule `yaml:"scalingRules"`
}

// LaunchTemplateUse says which launch template a group uses.
type LaunchTemplateUse struct {
	ID string `yaml:"id"`
	// Version is a number, Default or Latest; empty is Default.
	Version string `yaml:"version"`
	// Overrides are instance types that take the place of the template's.
	Overrides []string `yaml:"overrides"`
	// Weights are how much of the group's capacity an instance is, by type; a type
	// that is not named counts as 1.
	Weights map[string]int `yaml:"weights"`
}

// GroupLifecycle is a scaling group's own state.
type GroupLifecycle string

// The states of a scaling group.
const (
	Active   GroupLifecycle = "Active"
	Inactive GroupLifecycle = "Inactive"
	Deleting GroupLifecycle = "Deleting"
)

// MultiAZPolicy is how a group spreads over its vSwitches.
type MultiAZPolicy string

// ESS's policies. Composable is placed as Priority.
const (
	Priority      MultiAZPolicy = "PRIORITY"
	Balance       MultiAZPolicy = "BALANCE"
	CostOptimized MultiAZPolicy = "COST_OPTIMIZED"
	Composable    MultiAZPolicy = "COMPOSABLE"
)

// ScalingPolicy is what becomes of a removed instance.
type ScalingPolicy string

// ESS's policies. The forced ones do as the others, which never fail here.
const (
	Release      ScalingPolicy = "release"
	Recycle      ScalingPolicy = "recycle"
	ForceRelease ScalingPolicy = "forcerelease"
	ForceRecycle ScalingPolicy = "forcerecycle"
)

// recycles reports whether removed instances are stopped and kept.
func (p ScalingPolicy) recycles() bool { return p == Recycle || p == ForceRecycle }
