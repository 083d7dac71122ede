package main

import (
	"errors"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// removal is a number of deletes, as CA makes them: one node per call, parallel calls
// at a time, a loop after each wave of them.
type removal struct {
	name     string
	fleet    fleet
	parallel int
	// interleaved: neighbours in a wave are of different groups, the worst for
	// whoever gathers deletes by group.
	interleaved bool
}

// removed is what they cost.
type removed struct {
	// deletes are the deletes alone; around are the loops after each wave.
	deletes, around cost
	// left is how many instances remain once the account has done its work.
	left int
}

// deletedNodes is how many nodes go.
const deletedNodes = 100

func (r removal) run(k kind, latency time.Duration) (result removed, err error) {
	c, err := open(k, r.fleet)
	if err != nil {
		return removed{}, err
	}
	defer func() { err = errors.Join(err, c.close()) }()
	for range 2 {
		if err := c.loop(); err != nil {
			return removed{}, err
		}
	}
	if r.interleaved {
		c.nodes = interleave(c.nodes, r.fleet)
	}
	c.account.latency.Store(int64(latency))
	for range deletedNodes / r.parallel {
		wave := c.nodes[:r.parallel]
		c.nodes = c.nodes[r.parallel:]
		spent, err := c.measure(func() error { return c.delete(wave) })
		if err != nil {
			return removed{}, err
		}
		result.deletes = result.deletes.plus(spent)
		between, err := c.measure(c.loop)
		if err != nil {
			return removed{}, err
		}
		result.around = result.around.plus(between)
	}
	c.account.clock.skip(time.Minute)
	result.left = len(c.account.Account().Running())
	return result, nil
}

func (c cost) plus(other cost) cost {
	return cost{calls: c.calls + other.calls, took: c.took + other.took}
}

// delete deletes nodes at once, each by a call of its own.
func (c *contestant) delete(nodes []*corev1.Node) error {
	errs := make([]error, len(nodes))
	var all sync.WaitGroup
	for n, node := range nodes {
		group, err := c.owner(node)
		if err != nil {
			return err
		}
		all.Go(func() { errs[n] = group.DeleteNodes([]*corev1.Node{node}) })
	}
	all.Wait()
	return errors.Join(errs...)
}

// interleave deals the nodes, which come group by group, like cards.
func interleave(nodes []*corev1.Node, f fleet) []*corev1.Node {
	var byGroup [][]*corev1.Node
	for n := range f.groups {
		byGroup = append(byGroup, nodes[:f.in(n)])
		nodes = nodes[f.in(n):]
	}
	var dealt []*corev1.Node
	for round := range f.in(0) {
		for _, hand := range byGroup {
			if round < len(hand) {
				dealt = append(dealt, hand[round])
			}
		}
	}
	return dealt
}
