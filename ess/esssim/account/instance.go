package account

import (
	"fmt"
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
}

// createInstance adds a Pending instance at a place that place has reserved.
func (a *Account) createInstance(g *group, p pool, activityID string) *instance {
	a.sequence++
	a.addresses++
	i := &instance{
		id:       a.ids.next("i-"),
		sequence: a.sequence,
		group:    g,
		launch:   g.launch,
		state:    Pending,
		vSwitch:  p.vSwitch,
		zone:     p.zone,
		itype:    p.itype,
		spot:     g.launch.spot,
		activity: activityID,
		address:  fmt.Sprintf("10.%d.%d.%d", byte(a.addresses>>16), byte(a.addresses>>8), byte(a.addresses)),
		created:  a.now,
	}
	g.instances = append(g.instances, i)
	g.counters.Pending++
	if i.spot != NoSpot {
		g.spot++
	}
	a.instances[i.id] = i
	return i
}

func (i *instance) enter(state InstanceState) {
	*i.group.counters.of(i.state)--
	i.state = state
	*i.group.counters.of(state)++
}

func (i *instance) enterService(now time.Time) {
	i.enter(InService)
	i.inService = now
}

func (i *instance) leaving() bool { return i.state == Removing || i.state == RemovingWait }

// releaseInstance makes an instance be gone and gives its stock back.
func (a *Account) releaseInstance(i *instance) {
	i.group.forget(i)
	delete(a.instances, i.id)
	a.stock.release(pool{zone: i.zone, itype: i.itype, charge: i.spot.charge()})
}
