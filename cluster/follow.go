package cluster

import (
	"fmt"

	"k8s.io/client-go/tools/cache"

	"github.com/buildpool/buildpool/cloudprovider"
)

// OnNode has changed called for every change of a node, one after the other: before is
// nil for a new one, after for one that has gone. It must be called before Run, and
// changed must not wait for anything.
func (c *Cache) OnNode(changed func(before, after *cloudprovider.ClusterNode)) error {
	node := func(o any) *cloudprovider.ClusterNode { return &o.(*keptNode).node }
	_, err := c.nodes.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(o any) { changed(nil, node(o)) },
		UpdateFunc: func(o, n any) { changed(node(o), node(n)) },
		DeleteFunc: func(o any) {
			if last, ok := o.(cache.DeletedFinalStateUnknown); ok {
				o = last.Obj
			}
			changed(node(o), nil)
		},
	})
	if err != nil {
		return fmt.Errorf("follow nodes: %w", err)
	}
	return nil
}

// Node returns the node of that name, nil if there is none.
func (c *Cache) Node(name string) *cloudprovider.ClusterNode {
	o, exists, err := c.nodes.GetStore().GetByKey(name)
	if err != nil || !exists {
		return nil
	}
	return &o.(*keptNode).node
}
