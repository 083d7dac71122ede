package demo

import (
	"slices"
	"time"
)

// How long the parts of a node's start take that no cloud API shows.
const (
	nodeJoins   = 25 * time.Second // in service → the Node registers
	nodeReadies = 10 * time.Second // registered → Ready
	imagePull   = 25 * time.Second // the first build on a cold node
)

// node is a Kubernetes node.
type node struct {
	name, instanceID, providerID string
	group                        class
	milliCPU, gpus               int64
	registered, ready            time.Time
	builds                       []*build
	// idleSince is when its last build ended; zero while one runs.
	idleSince time.Time
	warm      bool
	deleting  bool
}

func (n *node) fits(b *build) bool {
	cpu, gpus := n.milliCPU, n.gpus
	for _, other := range n.builds {
		cpu -= other.milliCPU
		gpus -= other.gpus
	}
	return slices.Contains(b.accepts, n.group) && cpu >= b.milliCPU && gpus >= b.gpus
}

// cluster is the scheduler and the kubelets.
type cluster struct {
	builds []*build
	nodes  map[string]*node // by instance ID
	// shape is a node of each group, from the provider's templates.
	shape map[class]shape
	tell  func(format string, args ...any)
}

// shape is what a node of a group can hold.
type shape struct{ milliCPU, gpus int64 }

// follow makes the nodes follow the account's instances.
func (c *cluster) follow(now time.Time, instances []Instance, providerID func(instanceID string) string) {
	there := map[string]bool{}
	for _, i := range instances {
		there[i.ID] = true
		if c.nodes[i.ID] != nil || !i.InService || now.Sub(i.Since) < nodeJoins {
			continue
		}
		id := providerID(i.ID)
		s := c.shape[class(i.Group)]
		c.nodes[i.ID] = &node{
			name: id, instanceID: i.ID, providerID: id, group: class(i.Group),
			milliCPU: s.milliCPU, gpus: s.gpus,
			registered: now, ready: now.Add(nodeReadies), idleSince: now.Add(nodeReadies),
		}
		if len(c.nodes) == 1 && c.builds[0].pending() {
			c.tell("node %s joined", id)
		}
	}
	for id, n := range c.nodes {
		if there[id] {
			continue
		}
		for _, b := range n.builds {
			b.lost = true
			c.tell("build %s lost its node %s", b.name, n.name)
		}
		delete(c.nodes, id)
	}
}

// work ends the builds that are done and binds those that fit somewhere.
func (c *cluster) work(now time.Time) {
	for _, n := range c.nodes {
		n.builds = slices.DeleteFunc(n.builds, func(b *build) bool {
			if now.Before(b.started.Add(b.lasts)) {
				return false
			}
			b.ended = b.started.Add(b.lasts)
			if b == c.builds[0] {
				c.tell("build %s is done: %s in all, %s of them waiting", b.name, short(b.ended.Sub(b.arrives)), short(b.wait()))
			}
			return true
		})
		if len(n.builds) == 0 && n.idleSince.IsZero() {
			n.idleSince = now
		}
	}
	for _, b := range c.builds {
		if !b.pending() || now.Before(b.arrives) {
			continue
		}
		if n := c.bestNode(b, now); n != nil {
			c.bind(b, n, now)
		}
	}
}

// bestNode prefers the fullest node that is Ready, as a bin-packing scheduler does.
func (c *cluster) bestNode(b *build, now time.Time) *node {
	var best *node
	for _, n := range c.nodes {
		if n.deleting || now.Before(n.ready) || !n.fits(b) {
			continue
		}
		if best == nil || len(n.builds) > len(best.builds) || (len(n.builds) == len(best.builds) && n.name < best.name) {
			best = n
		}
	}
	return best
}

func (c *cluster) bind(b *build, n *node, now time.Time) {
	b.node, b.started = n, now
	if !n.warm {
		b.started = now.Add(imagePull)
		n.warm = true
	}
	n.builds = append(n.builds, b)
	n.idleSince = time.Time{}
	if b == c.builds[0] {
		c.tell("build %s bound to %s, runs from %s", b.name, n.name, b.started.Format(time.TimeOnly))
	}
}

// pending returns the builds that wait for a node, in the order they came.
func (c *cluster) pending(now time.Time) []*build {
	var out []*build
	for _, b := range c.builds {
		if b.pending() && !now.Before(b.arrives) {
			out = append(out, b)
		}
	}
	return out
}

func (c *cluster) running() int {
	n := 0
	for _, node := range c.nodes {
		n += len(node.builds)
	}
	return n
}

func (c *cluster) allDone() bool {
	return !slices.ContainsFunc(c.builds, func(b *build) bool { return b.ended.IsZero() && !b.lost })
}
