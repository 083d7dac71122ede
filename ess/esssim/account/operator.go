package account

import (
	"fmt"
	"time"
)

// The methods of this file are those of the simulator's operator, not of the API.

// SetStock bounds the instances of a type that may run at once; -1 is unlimited.
// Instances that run keep running.
func (a *Account) SetStock(s Stock) error {
	leave, err := a.enterToChange("SetStock", s)
	if err != nil {
		return err
	}
	defer leave()
	zones, types := map[string]bool{}, map[string]bool{}
	for _, zone := range a.zones {
		zones[zone] = true
	}
	for name := range a.types {
		types[name] = true
	}
	if err := s.check(zones, types); err != nil {
		return fmt.Errorf("set stock: %w", err)
	}
	a.stock.set(s)
	return nil
}

// SetDelays changes how long things take from now on; what has begun keeps its end.
func (a *Account) SetDelays(change DelayChange) error {
	leave, err := a.enterToChange("SetDelays", change)
	if err != nil {
		return err
	}
	defer leave()
	if err := change.check(); err != nil {
		return fmt.Errorf("set delays: %w", err)
	}
	a.delays = change.apply(a.delays)
	return nil
}

// Delays returns how long things take.
func (a *Account) Delays() Delays {
	defer a.enter()()
	return a.delays
}

// GroupChange is what an operator may change of a group, as in the console.
type GroupChange struct {
	Lifecycle *GroupLifecycle `json:"lifecycle"`
	Min       *int            `json:"min"`
	Max       *int            `json:"max"`
	Desired   *int            `json:"desired"`
}

// EditGroup changes a group without the checks of the API's order of calls, but
// not into a group that could not exist.
func (a *Account) EditGroup(id string, c GroupChange) error {
	leave, err := a.enterToChange("EditGroup", groupEdit{id, c})
	if err != nil {
		return err
	}
	defer leave()
	g, err := a.group(id)
	if err != nil {
		return fmt.Errorf("edit scaling group: %w", err)
	}
	cfg := ScalingGroup{Min: g.min, Max: g.max, Desired: &g.desired, Lifecycle: g.lifecycle}
	if c.Min != nil {
		cfg.Min = *c.Min
	}
	if c.Max != nil {
		cfg.Max = *c.Max
	}
	if c.Desired != nil {
		cfg.Desired = c.Desired
	}
	if c.Lifecycle != nil {
		cfg.Lifecycle = *c.Lifecycle
	}
	p := &problems{}
	validateSizes(p, id, &cfg)
	oneOf(p, id+".lifecycle", cfg.Lifecycle, Active, Inactive, Deleting)
	if len(p.errs) > 0 {
		return fmt.Errorf("edit scaling group: %w", p.errs[0])
	}
	if cfg.Lifecycle == Active && !g.launch.defined() {
		return fmt.Errorf("edit scaling group %s: it has neither a scaling configuration nor a launch template", id)
	}
	g.min, g.max, g.desired, g.lifecycle, g.modified = cfg.Min, cfg.Max, *cfg.Desired, cfg.Lifecycle, a.now
	a.settle(g)
	return nil
}

// StockState is how many instances of a kind run, and how many may.
type StockState struct {
	Stock
	Used int `json:"used"`
}

// GroupState is everything about one group.
type GroupState struct {
	Group
	Instances []Instance
	// Activities, newest first.
	Activities []Activity
}

// State is everything in the account at one instant.
type State struct {
	Now    time.Time
	Groups []GroupState
	Stock  []StockState
	// Machines are the ECS instances of no group.
	Machines []Instance
}

// State returns everything in the account.
func (a *Account) State() State {
	defer a.enter()()
	state := State{Now: a.now}
	for _, g := range a.groups {
		gs := GroupState{Group: a.view(g)}
		for _, i := range g.instances {
			gs.Instances = append(gs.Instances, i.view())
		}
		for at := len(g.activities) - 1; at >= 0; at-- {
			gs.Activities = append(gs.Activities, g.activities[at].view())
		}
		state.Groups = append(state.Groups, gs)
	}
	state.Stock = a.stockState()
	for _, i := range a.loose {
		state.Machines = append(state.Machines, i.view())
	}
	return state
}

// stockState lists the bounded stock by zone, type and charge, in the order of the
// configuration.
func (a *Account) stockState() []StockState {
	var states []StockState
	seen := map[string]bool{}
	for _, v := range a.config.VSwitches {
		if seen[v.Zone] {
			continue
		}
		seen[v.Zone] = true
		for _, t := range a.config.InstanceTypes {
			for _, charge := range []Charge{OnDemand, Spot} {
				key := stockKey{v.Zone, t.Name, charge}
				limit, bounded := a.stock.limits[key]
				if !bounded {
					limit = unlimited
				}
				if bounded || a.stock.used[key] > 0 {
					states = append(states, StockState{Stock{v.Zone, t.Name, charge, limit}, a.stock.used[key]})
				}
			}
		}
	}
	return states
}

// Running returns the instances that exist, in service or on their way out, oldest
// first in each group: the machines a cluster would see.
func (a *Account) Running() []Instance {
	defer a.enter()()
	var running []Instance
	for _, g := range a.groups {
		for _, i := range g.instances {
			if !i.inService.IsZero() {
				running = append(running, i.view())
			}
		}
	}
	// One that was detached runs on; a machine that never was in a group is not of
	// the cluster.
	for _, i := range a.loose {
		if !i.inService.IsZero() {
			running = append(running, i.view())
		}
	}
	return running
}
