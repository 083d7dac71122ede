package main

import (
	"errors"
	"fmt"
)

// growth is what it costs to add instances and to learn of their nodes.
type growth struct {
	fleet fleet
	// asked is the IncreaseSize alone; loops are those until the nodes are there.
	asked, loops cost
	joined       int
}

// How many instances are added, and for how many loops: a minute, in which the
// simulated account's instances are created and join.
const (
	added       = 10
	growthLoops = 6
)

func grow(k kind, f fleet) (g growth, err error) {
	c, err := open(k, f)
	if err != nil {
		return growth{}, err
	}
	defer func() { err = errors.Join(err, c.close()) }()
	g.fleet = f
	for range 2 {
		if err := c.loop(); err != nil {
			return g, err
		}
	}
	before := len(c.nodes)
	group, err := c.group(groupID(0))
	if err != nil {
		return g, err
	}
	if g.asked, err = c.measure(func() error { return group.IncreaseSize(added) }); err != nil {
		return g, fmt.Errorf("ask for instances: %w", err)
	}
	g.loops, err = c.measure(func() error {
		for range growthLoops {
			if err := c.watch(); err != nil {
				return err
			}
		}
		return nil
	})
	g.joined = len(c.nodes) - before
	return g, err
}

// watch is a loop while a group grows: CA also lists that group, and asks whose the
// instances without a node are.
func (c *contestant) watch() error {
	if err := c.loop(); err != nil {
		return err
	}
	group, err := c.group(groupID(0))
	if err != nil {
		return err
	}
	instances, err := group.Nodes()
	if err != nil {
		return fmt.Errorf("nodes of group %s: %w", group.Id(), err)
	}
	known := map[string]bool{}
	for _, n := range c.nodes {
		known[n.Spec.ProviderID] = true
	}
	for _, i := range instances {
		if known[i.Id] {
			continue
		}
		stranger := node(i.Id, map[string]string{"k8s.io/cluster-autoscaler/fake-node-reason": "unregistered"})
		if _, err := c.owner(stranger); err != nil {
			return err
		}
	}
	c.meetNodes()
	return nil
}
