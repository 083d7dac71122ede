package account

import (
	"fmt"
	"slices"
	"time"
)

// InstanceState is an instance's life-cycle state in its group.
type InstanceState string

// ESS's life-cycle states.
const (
	Pending      InstanceState = "Pending"
	PendingWait  InstanceState = "Pending:Wait"
	InService    InstanceState = "InService"
	Protected    InstanceState = "Protected"
	Standby      InstanceState = "Standby"
	Stopped      InstanceState = "Stopped"
	Removing     InstanceState = "Removing"
	RemovingWait InstanceState = "Removing:Wait"
)

type instance struct {
	id       string
	sequence uint64
	group    *group
	launch   *launch
	state    InstanceState
	vSwitch  string
	zone     string
	itype    *InstanceType
	spot     SpotStrategy
	activity string // that created it
	address  string
	created  time.Time
	// inService is when it went into service; zero: not yet.
	inService time.Time
	// reclaiming: the spot market takes it back, and its ECS instance is locked.
	reclaiming bool
	// unhealthy: it failed, or somebody said so.
	unhealthy bool
	// attached: it was made by hand; entrusted: ESS may release it all the same.
	attached, entrusted bool
	// weight is how much of the group's capacity it is.
	weight int
	// joined: it has registered as a node of a cluster.
	joined bool
	// before is its state before it began to leave.
	before InstanceState
}

// neverInService is the instant of an instance that is not in service.
var neverInService time.Time

// live reports whether an instance in this state is there to stay.
func (s InstanceState) live() bool {
	switch s {
	case Pending, PendingWait, InService, Protected, Standby:
		return true
	}
	return false
}

// createInstance adds a Pending instance at a place that place has reserved.
func (a *Account) createInstance(g *group, p pool, activityID string) *instance {
	a.sequence++
	i := &instance{
		id:       a.ids.next("i-"),
		sequence: a.sequence,
		group:    g,
		launch:   g.launch,
		state:    Pending,
		vSwitch:  p.vSwitch,
		zone:     p.zone,
		itype:    p.itype,
		spot:     g.launch.spotOf(p.charge),
		weight:   g.launch.weight(p.itype),
		activity: activityID,
		address:  a.address(),
		created:  a.now,
	}
	g.instances = append(g.instances, i)
	g.count(i, 1)
	if i.spot != NoSpot {
		g.spot++
	}
	a.instances[i.id] = i
	return i
}

// address is the next private address.
func (a *Account) address() string {
	a.addresses++
	return fmt.Sprintf("10.%d.%d.%d", byte(a.addresses>>16), byte(a.addresses>>8), byte(a.addresses))
}

func (i *instance) enter(state InstanceState) {
	i.group.count(i, -1)
	i.state = state
	i.group.count(i, 1)
}

func (i *instance) enterService(now time.Time) {
	i.enter(InService)
	i.inService = now
}

func (i *instance) leaving() bool { return i.state == Removing || i.state == RemovingWait }

// pool is where the instance is, as stock counts it.
func (i *instance) pool() pool {
	return pool{vSwitch: i.vSwitch, zone: i.zone, itype: i.itype, charge: i.spot.charge()}
}

// powered reports whether it holds stock: neither stopped, nor stopped when it began
// to leave.
func (i *instance) powered() bool {
	return i.state != Stopped && (!i.leaving() || i.before != Stopped)
}

// releaseInstance makes an instance be gone and gives its stock back.
func (a *Account) releaseInstance(i *instance) {
	if i.group != nil {
		i.group.forget(i)
	} else {
		a.loose = slices.DeleteFunc(a.loose, func(x *instance) bool { return x == i })
	}
	delete(a.instances, i.id)
	if i.powered() {
		a.stock.release(i.pool())
	}
	a.stock.addresses[i.vSwitch]--
}
