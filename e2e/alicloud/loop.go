package main

import (
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider"
	caconfig "k8s.io/autoscaler/cluster-autoscaler/config"
)

// CA's pace, by default.
const (
	scanInterval  = 10 * time.Second
	listInterval  = 2 * time.Minute  // how often CA lists the instances of every group
	provisionTime = 15 * time.Minute // --max-node-provision-time
)

// How often CA asks in one loop, counted with the real one of the 1.36 line while all
// nodes are busy.
const (
	targetSizesPerGroup = 3
	optionsPerNode      = 4
)

// loop makes the calls of one loop of CA, a scan interval after the one before.
// A template is asked only of a group that never had a node: CA prefers a real one,
// and remembers it.
func (c *contestant) loop() error {
	c.account.clock.skip(scanInterval)
	if err := c.Refresh(); err != nil {
		return fmt.Errorf("refresh: %w", err)
	}
	for _, n := range c.nodes {
		group, err := c.owner(n)
		if err != nil {
			return err
		}
		c.modelled[group.Id()] = true
		for range optionsPerNode {
			if _, err := group.GetOptions(caconfig.NodeGroupAutoscalingOptions{}); err != nil && !errors.Is(err, cloudprovider.ErrNotImplemented) {
				return fmt.Errorf("options of group %s: %w", group.Id(), err)
			}
		}
	}
	for _, group := range c.NodeGroups() {
		for range targetSizesPerGroup {
			if _, err := group.TargetSize(); err != nil {
				return fmt.Errorf("target size of group %s: %w", group.Id(), err)
			}
		}
		if c.modelled[group.Id()] {
			continue
		}
		if _, err := group.TemplateNodeInfo(); err != nil {
			return fmt.Errorf("template of group %s: %w", group.Id(), err)
		}
	}
	return nil
}

// list asks every group for its instances, one after the other, as CA does in the
// background every listInterval.
func (c *contestant) list() error {
	listed := 0
	for _, group := range c.NodeGroups() {
		instances, err := group.Nodes()
		if err != nil {
			return fmt.Errorf("nodes of group %s: %w", group.Id(), err)
		}
		listed += len(instances)
	}
	if listed != len(c.nodes) {
		return fmt.Errorf("the groups list %d instances, the cluster has %d nodes", listed, len(c.nodes))
	}
	return nil
}

// owner returns the group that a node belongs to; none is an error, as every node here
// is of the account.
func (c *contestant) owner(n *corev1.Node) (cloudprovider.NodeGroup, error) {
	group, err := c.NodeGroupForNode(n)
	if err != nil {
		return nil, fmt.Errorf("group of node %s: %w", n.Name, err)
	}
	if group == nil {
		return nil, fmt.Errorf("node %s belongs to no group", n.Name)
	}
	return group, nil
}

// group returns a group by its name.
func (c *contestant) group(id string) (cloudprovider.NodeGroup, error) {
	for _, group := range c.NodeGroups() {
		if group.Id() == id {
			return group, nil
		}
	}
	return nil, fmt.Errorf("the provider has no group %s", id)
}
