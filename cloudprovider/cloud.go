package cloudprovider

import (
	"context"
	"time"
)

// Cloud is what we ask of a cloud account: scaling groups that hold a number of
// instances. Every implementation passes cloudtest. All methods are safe for
// concurrent use, respect ctx, and return errors that errors.Is matches with the
// sentinels of this package.
type Cloud interface {
	GroupReader
	GroupWriter
	Catalog
	Pricer
}

// GroupReader reads scaling groups.
type GroupReader interface {
	// Groups returns the groups with these IDs, in any order, in ceil(len(ids)/20)
	// calls. A group that does not exist is left out, without an error.
	Groups(ctx context.Context, ids []string) ([]ScalingGroup, error)

	// GroupsByTags returns every group that carries all of the tags.
	GroupsByTags(ctx context.Context, tags map[string]string) ([]ScalingGroup, error)

	// Instances returns all instances of a group, ordered by ID. A group that does
	// not exist has none.
	Instances(ctx context.Context, groupID string) ([]Instance, error)

	// ReclaimNotices returns those of these instances that the cloud has announced to take
	// back within minutes, in any order, in ceil(len(instanceIDs)/100) calls. An instance
	// that does not exist has no notice.
	ReclaimNotices(ctx context.Context, instanceIDs []string) ([]string, error)

	// Activities returns the group's latest activities, newest first, at most 50.
	Activities(ctx context.Context, groupID string) ([]Activity, error)
}

// ActivityHistory is what a Cloud may also be: one that remembers what its groups did.
type ActivityHistory interface {
	// ActivitiesSince returns the group's activities that ended at or after since, or
	// have not ended, newest first. It reads as many pages as that takes, and no further
	// back than ActivitiesKept.
	ActivitiesSince(ctx context.Context, groupID string, since time.Time) ([]Activity, error)
}

// ActivitiesKept is how long ESS remembers a scaling activity.
const ActivitiesKept = 30 * 24 * time.Hour

// GroupWriter changes scaling groups. Success means accepted, not done: the
// returned activity tells the outcome. A write with the token of an earlier one
// and the same content has no second effect and returns the same activity.
//
// Errors: ErrGroupNotFound, ErrGroupInactive, ErrConflict (another activity holds
// the group; try again), ErrThrottled, ErrUnavailable, ErrForbidden,
// ErrInvalidArgument, and ErrOutcomeUnknown when the request may have arrived.
type GroupWriter interface {
	// SetCapacity sets the absolute number of instances the group is to have. The
	// cloud clamps it into the group's own min and max. ErrNoChange: it has that
	// number already.
	SetCapacity(ctx context.Context, write SetCapacity) (activityID string, err error)

	// RemoveInstances removes these instances, at most 20, and lowers the group's
	// desired number by as many. One unknown ID rejects all: ErrInstanceNotFound; so
	// does one that is stopped already, where they are to be stopped: ErrConflict.
	// ErrBelowMin: fewer than the group's own min would be left.
	RemoveInstances(ctx context.Context, write RemoveInstances) (activityID string, err error)

	// DetachInstances lets these instances, at most 20, leave the group at once and run
	// on. The group's desired number stays, so that in expected-number mode the cloud
	// creates others in their place. Otherwise it fails as RemoveInstances does.
	DetachInstances(ctx context.Context, write DetachInstances) (activityID string, err error)

	// ProtectInstances shields these instances, at most 20, from being chosen or found
	// unhealthy by the cloud when it removes some by itself, or no longer. RemoveInstances
	// and DetachInstances take them all the same. It is done at once, by no activity, and
	// doing it twice comes to the same. One unknown ID rejects all: ErrInstanceNotFound; so
	// does one that is not in service: ErrConflict.
	ProtectInstances(ctx context.Context, write ProtectInstances) error
}

// Catalog reads what an instance of a group would be.
type Catalog interface {
	// Launch returns the launch settings in force for the group: its active scaling
	// configuration or its launch template. ErrNoTemplate: the group has neither.
	Launch(ctx context.Context, group ScalingGroup) (Launch, error)

	// InstanceTypes returns the named types. ErrNoTemplate names the unknown ones.
	InstanceTypes(ctx context.Context, names []string) ([]InstanceType, error)
}

// MaxRemove is the most instances one RemoveInstances, DetachInstances or ProtectInstances
// takes.
const MaxRemove = 20

// MaxNoticesPerRead is how many instances one call for reclaim notices is about.
const MaxNoticesPerRead = 100

// MaxGroupsPerRead is the most scaling groups one read call returns by ID.
const MaxGroupsPerRead = 20

// SetCapacity is an absolute write of a group's number of instances.
type SetCapacity struct {
	GroupID string
	Total   int
	// Token makes the write idempotent: at most 64 ASCII characters.
	Token string
	// Metadata is echoed by the activity, so that its author can be told.
	Metadata string
}

// RemoveInstances is a removal by instance ID.
type RemoveInstances struct {
	GroupID     string
	InstanceIDs []string
	// Keep: the instances are stopped and stay in the group, which must be one that
	// Recycles; the next scale-up starts them first. Else they are released.
	Keep  bool
	Token string
}

// DetachInstances is a parting with instances by ID.
type DetachInstances struct {
	GroupID     string
	InstanceIDs []string
	Token       string
}

// ProtectInstances is the protection of instances by ID.
type ProtectInstances struct {
	GroupID     string
	InstanceIDs []string
	Protected   bool
}

// GroupLifecycle is a scaling group's own state.
type GroupLifecycle string

// The lifecycle states of an ESS scaling group.
const (
	GroupActive   GroupLifecycle = "Active"
	GroupInactive GroupLifecycle = "Inactive"
	GroupDeleting GroupLifecycle = "Deleting"
)

// ScalingGroup is a group as the cloud shows it.
type ScalingGroup struct {
	ID        string
	Name      string
	Region    string
	Lifecycle GroupLifecycle
	// Suspended lists processes that are switched off ("ScaleOut", …); "System" is
	// among them when the cloud suspended the whole group after days of failures.
	Suspended []string
	Min, Max  int
	// ExpectedNumberMode: the cloud keeps Desired instances by itself and repeats
	// failed creations until Desired is lowered. Without it Desired equals Total.
	ExpectedNumberMode bool
	Desired            int
	Counters           Counters
	// Either the active scaling configuration or a launch template is set.
	ScalingConfigurationID string
	LaunchTemplateID       string
	LaunchTemplateVersion  string
	// InstanceTypes are the launch template's overrides, if any.
	InstanceTypes []string
	// VSwitchIDs are in the order the group tries them.
	VSwitchIDs    []string
	MultiAZPolicy string
	// Recycles: instances are stopped and kept, and started first (economical mode).
	Recycles bool
	// ReplacesSpot: the cloud itself replaces spot instances that it is about to take back,
	// and removes them as soon as others are in service (SpotInstanceRemedy).
	ReplacesSpot bool
	Tags         map[string]string
}

// Counters are a group's instances by life-cycle state, as the cloud counts them.
// Comparable: equal counters mean that nothing moved, as far as counters tell.
type Counters struct {
	Total, Active, Pending, PendingWait, Removing, RemovingWait, Protected, Standby, Stopped int
}

// Lifecycle is an instance's life-cycle state in its group.
type Lifecycle string

// The life-cycle states of an ESS instance.
const (
	Pending      Lifecycle = "Pending"
	PendingWait  Lifecycle = "Pending:Wait"
	InService    Lifecycle = "InService"
	Protected    Lifecycle = "Protected"
	Standby      Lifecycle = "Standby"
	Stopped      Lifecycle = "Stopped"
	Removing     Lifecycle = "Removing"
	RemovingWait Lifecycle = "Removing:Wait"
)

// Instance is an instance of a group as the cloud shows it.
type Instance struct {
	ID         string
	GroupID    string
	Lifecycle  Lifecycle
	Healthy    bool
	Type       string
	Zone       string
	Spot       bool
	ActivityID string
	Created    time.Time
	// AutoCreated is false for an instance that somebody attached by hand: removing it
	// from the group would leave it running.
	AutoCreated bool
}

// ActivityStatus is the state of a scaling activity.
type ActivityStatus string

// The states of an ESS scaling activity.
const (
	ActivityInProgress ActivityStatus = "InProgress"
	ActivitySuccessful ActivityStatus = "Successful"
	ActivityWarning    ActivityStatus = "Warning" // partly done
	ActivityFailed     ActivityStatus = "Failed"
	ActivityRejected   ActivityStatus = "Rejected"
)

// Activity is one scaling activity of a group.
type Activity struct {
	ID      string
	GroupID string
	Status  ActivityStatus
	Started time.Time
	Ended   time.Time // zero while in progress
	// Requested is how many instances it set out to add, negative to remove.
	Requested int
	// Detaches: what it takes from the group runs on, and may have left the desired number
	// as it was.
	Detaches bool
	// Created and Removed are the instances it did add or remove.
	Created  []string
	Removed  []string
	Failure  *Failure
	Cause    string
	Metadata string
	// Asked: somebody asked for it, through the API or the console; the cloud did not
	// begin it by itself.
	Asked bool
}

// Launch is what a new instance of a group is made from.
type Launch struct {
	// Source names the scaling configuration or launch template, for people.
	Source        string
	InstanceTypes []string
	Zones         []string
	// SystemDiskGiB is 0 when the settings do not say.
	SystemDiskGiB int
	// SpotStrategy is NoSpot, SpotWithPriceLimit or SpotAsPriceGo.
	SpotStrategy string
	// UserData is decoded.
	UserData string
	Tags     map[string]string
}

// NoSpot is the spot strategy of instances that the cloud does not take back.
const NoSpot = "NoSpot"

// Spot reports whether the cloud may take the instances back.
func (l Launch) Spot() bool { return l.SpotStrategy != "" && l.SpotStrategy != NoSpot }

// InstanceType is an instance type's shape.
type InstanceType struct {
	Name      string
	CPUs      int
	MemoryGiB float64
	// Arch is Go's and Kubernetes' name: amd64 or arm64.
	Arch string
	GPUs int
	// GPUModel is the cloud's name for the GPU ("NVIDIA A10").
	GPUModel string
	// ENIs and IPsPerENI bound the pods of a node whose pods have VPC addresses.
	ENIs, IPsPerENI int
}
