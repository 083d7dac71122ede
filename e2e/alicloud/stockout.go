package main

import (
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider"
)

// stockOut is what CA learns of instances that cannot be created.
type stockOut struct {
	fleet fleet
	// asked is what asking for them cost.
	asked cost
	// told: the provider's list said so, in loop number loops, after as long; code is
	// what it said.
	told  bool
	loops int
	after time.Duration
	code  string
	// promised is the target that CA saw in the loop before it was told, or in the
	// last one.
	promised int
	// settled is the target after CA had given the failed instances up.
	settled int
	// desired is what the account still tries to reach at the end.
	desired int
}

// wanted is how many instances are asked of a group that can have none.
const wanted = 5

// runDry sells the account out, asks for instances, and watches for as long as CA
// would wait for them.
func runDry(k kind, f fleet) (s stockOut, err error) {
	c, err := open(k, f)
	if err != nil {
		return stockOut{}, err
	}
	defer func() { err = errors.Join(err, c.close()) }()
	s.fleet = f
	if err := errors.Join(c.loop(), c.account.sellOut()); err != nil {
		return s, err
	}
	group, err := c.group(groupID(0))
	if err != nil {
		return s, err
	}
	if s.asked, err = c.measure(func() error { return group.IncreaseSize(wanted) }); err != nil {
		return s, fmt.Errorf("ask for instances: %w", err)
	}
	began := c.account.clock.Now()
	for c.account.clock.Since(began) < provisionTime {
		s.loops++
		if err := c.loop(); err != nil {
			return s, err
		}
		failed, err := c.failed(&s)
		if err != nil {
			return s, err
		}
		if len(failed) == 0 {
			continue
		}
		s.told, s.after = true, c.account.clock.Since(began)
		return s, c.giveUp(failed, &s)
	}
	s.after = c.account.clock.Since(began)
	s.settled = s.promised
	s.desired = c.desired()
	return s, nil
}

// failed asks as CA does of a group that is growing, and returns the instances that
// the provider says could not be created, as the nodes CA makes of them.
func (c *contestant) failed(s *stockOut) ([]*corev1.Node, error) {
	group, err := c.group(groupID(0))
	if err != nil {
		return nil, err
	}
	if s.promised, err = group.TargetSize(); err != nil {
		return nil, err
	}
	instances, err := group.Nodes()
	if err != nil {
		return nil, err
	}
	var failed []*corev1.Node
	for _, i := range instances {
		if i.Status == nil || i.Status.State != cloudprovider.InstanceCreating || i.Status.ErrorInfo == nil {
			continue
		}
		if i.Status.ErrorInfo.ErrorClass != cloudprovider.OutOfResourcesErrorClass {
			return nil, fmt.Errorf("instance %s: error class %v, want out of resources", i.Id, i.Status.ErrorInfo.ErrorClass)
		}
		s.code = i.Status.ErrorInfo.ErrorCode
		failed = append(failed, node(i.Id, map[string]string{"k8s.io/cluster-autoscaler/fake-node-reason": "create-error"}))
	}
	return failed, nil
}

// giveUp deletes what could not be created, as CA does before it grows another group,
// and goes on for two loops.
func (c *contestant) giveUp(failed []*corev1.Node, s *stockOut) error {
	group, err := c.group(groupID(0))
	if err != nil {
		return err
	}
	if err := group.DeleteNodes(failed); err != nil {
		return fmt.Errorf("delete failed instances: %w", err)
	}
	for range 2 {
		if err := c.loop(); err != nil {
			return err
		}
	}
	if group, err = c.group(groupID(0)); err != nil {
		return err
	}
	s.settled, err = group.TargetSize()
	s.desired = c.desired()
	return err
}

// desired is what the account tries to reach.
func (c *contestant) desired() int { return c.account.State().Groups[0].Desired }
