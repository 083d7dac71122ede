package account

import (
	"fmt"
	"sync"
	"time"

	"k8s.io/utils/clock"
)

// Account is a simulated account. All methods are safe for concurrent use; one
// mutex guards everything.
type Account struct {
	region string
	clock  clock.PassiveClock
	config Config

	mu       sync.Mutex
	now      time.Time
	sequence uint64
	queue    eventQueue
	ids      identifiers
	delays   Delays
	stock    stock
	tokens   tokens

	types      map[string]*InstanceType
	zones      map[string]string // by vSwitch
	groups     []*group
	groupsByID map[string]*group
	instances  map[string]*instance
	activities map[string]*activity
	addresses  uint32
	// loose are the ECS instances of no group, in the order they became so.
	loose   []*instance
	quotas  Quotas
	market  *market
	actions map[string]*lifecycleAction // by token
	// keepChange is told of every change before it takes effect; nil: nobody is.
	keepChange func(Change) error
}

// New makes the account of a configuration that Parse or Load returned. Instances
// that are in service from the start have been so for an hour.
func New(cfg Config, clock clock.PassiveClock, seed uint64) (*Account, error) {
	if err := cfg.validate(); err != nil {
		return nil, fmt.Errorf("make simulated account:\n%w", err)
	}
	a := &Account{
		region:     cfg.Region,
		clock:      clock,
		config:     cfg,
		now:        clock.Now().Round(0),
		ids:        newIdentifiers(seed),
		delays:     cfg.Delays.apply(defaultDelays),
		stock:      newStock(cfg.Stock),
		tokens:     newTokens(),
		types:      make(map[string]*InstanceType, len(cfg.InstanceTypes)),
		zones:      make(map[string]string, len(cfg.VSwitches)),
		groupsByID: make(map[string]*group, len(cfg.ScalingGroups)),
		instances:  map[string]*instance{},
		activities: map[string]*activity{},
		quotas:     cfg.Quotas,
		market:     newMarket(cfg.SpotMarket, seed),
		actions:    map[string]*lifecycleAction{},
	}
	for i := range cfg.InstanceTypes {
		a.types[cfg.InstanceTypes[i].Name] = &cfg.InstanceTypes[i]
	}
	for _, v := range cfg.VSwitches {
		a.zones[v.ID] = v.Zone
	}
	for _, g := range cfg.ScalingGroups {
		if err := a.addGroup(g); err != nil {
			return nil, err
		}
	}
	if err := a.addMachines(cfg.Machines); err != nil {
		return nil, err
	}
	a.record()
	return a, nil
}

func (a *Account) addGroup(cfg ScalingGroup) error {
	launch, err := a.config.launchOf(cfg, a.types)
	if err != nil {
		return fmt.Errorf("make scaling group %s: %w", cfg.ID, err)
	}
	g := newGroup(cfg, launch, a.now)
	a.groups = append(a.groups, g)
	a.groupsByID[g.id] = g
	placed, _ := a.place(g, cfg.InService)
	for _, place := range placed {
		i := a.createInstance(g, place, "")
		i.created = a.now.Add(-time.Hour)
		i.enterService(i.created)
		a.watch(i)
	}
	placed, _ = a.place(g, cfg.Stopped)
	for _, place := range placed {
		i := a.createInstance(g, place, "")
		i.created = a.now.Add(-time.Hour)
		a.stopInstance(i)
	}
	a.settle(g)
	return nil
}

// enter locks the account and brings it to the present; the caller unlocks it with
// what it returns.
func (a *Account) enter() (leave func()) {
	a.mu.Lock()
	a.advance()
	return func() {
		a.record()
		a.mu.Unlock()
	}
}

// group returns a group, or InvalidScalingGroupId.NotFound.
func (a *Account) group(id string) (*group, error) {
	g, ok := a.groupsByID[id]
	if !ok {
		return nil, errGroupNotFound()
	}
	return g, nil
}

// activeGroup returns a group that accepts scaling activities.
func (a *Account) activeGroup(id string) (*group, error) {
	g, err := a.group(id)
	if err != nil {
		return nil, err
	}
	if g.lifecycle != Active {
		return nil, errGroupStatus()
	}
	return g, nil
}

// Region returns the account's region.
func (a *Account) Region() string { return a.region }

// Now returns the account's present.
func (a *Account) Now() time.Time {
	defer a.enter()()
	return a.now
}
