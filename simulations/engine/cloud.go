package engine

import (
	"math"
	"math/rand/v2"
	"time"
)

// cloud is the account behind the groups: what instances there are, and how many more
// it has to give.
type cloud struct {
	stockouts [][]Stockout // by group
	// instances are those that exist, of all groups.
	instances int
	// stopped are a recycling group's kept instances, which start faster.
	stopped []int
}

func newCloud(s *Settings) cloud {
	c := cloud{stockouts: make([][]Stockout, len(s.Groups)), stopped: make([]int, len(s.Groups))}
	for _, out := range s.Stockouts {
		for g := range s.Groups {
			if s.Groups[g].Config.Name == out.Group {
				c.stockouts[g] = append(c.stockouts[g], out)
			}
		}
	}
	return c
}

// available is how many more instances of the group the cloud gives now.
func (w *world) available(g int) int {
	n := math.MaxInt
	have := w.groups[g].billed
	if stock := w.settings.Groups[g].Stock; stock > 0 {
		n = stock - have
	}
	for _, out := range w.cloud.stockouts[g] {
		if out.From <= w.now && w.now < out.Until {
			n = min(n, out.Stock-have)
		}
	}
	if quota := w.settings.Quota; quota > 0 {
		n = min(n, quota-w.cloud.instances)
	}
	return max(n, 0)
}

// increase asks the cloud for more instances. Those that it does not have are failed
// creations: the group's target keeps them until the autoscaler has seen the failure,
// as the provider's placeholders make it see it.
func (w *world) increase(g, delta int) {
	group, result := &w.groups[g], &w.result.Groups[g]
	group.target += delta
	result.ScaleUps++
	given := min(delta, w.available(g))
	result.NodesAdded += given
	for range given {
		w.events.push(event{at: w.now + w.bootTime(g), kind: nodeJoins, subject: w.create(g)})
	}
	if missing := delta - given; missing > 0 {
		result.Failed += missing
		w.events.push(event{
			at: w.now + w.settings.Groups[g].Refusal, kind: creationFails, subject: int32(g), node: int32(missing),
		})
	}
}

// bootTime draws how long the group's next instance takes to be Ready.
func (w *world) bootTime(g int) time.Duration {
	group := &w.settings.Groups[g]
	if group.Recycles && w.cloud.stopped[g] > 0 {
		w.cloud.stopped[g]--
		return group.Warm.draw(w.boots)
	}
	return group.Boot.draw(w.boots)
}

// ninetyFifth is the standard normal distribution's 95th percentile.
const ninetyFifth = 1.6448536269514722

// draw takes one delay: log-normal through the median and the 95th percentile.
func (d Delay) draw(chance *rand.Rand) time.Duration {
	if d.P95 <= d.Median || d.Median <= 0 {
		return d.Median
	}
	sigma := math.Log(float64(d.P95)/float64(d.Median)) / ninetyFifth
	return time.Duration(float64(d.Median) * math.Exp(sigma*chance.NormFloat64()))
}

// create makes an instance, which is not a node yet.
func (w *world) create(g int) int32 {
	id := int32(len(w.nodes))
	k := &w.kinds[w.kindOf[g]]
	w.nodes = append(w.nodes, node{
		group: int32(g), shelf: -1, left: k.allocatable, leftAt: Never, noticed: Never, unneeded: Never, unremovable: Never, seen: Never,
	})
	w.result.Nodes = append(w.result.Nodes, NodeResult{
		Group: int32(g), Requested: w.now, Created: w.now, Ready: Never, Removed: Never,
	})
	w.groups[g].creating = append(w.groups[g].creating, id)
	w.groups[g].unready++
	w.cloud.instances++
	w.meter.billed(w, g, +1)
	w.planReclaim(id)
	w.planClosing(id)
	return id
}

// join makes an instance a Ready node.
func (w *world) join(id int32) {
	n := &w.nodes[id]
	n.state = ready
	group := &w.groups[n.group]
	group.unready--
	group.ready++
	group.sample.ready = append(group.sample.ready, id)
	w.result.Nodes[id].Ready = w.now
	w.meter.ready(int(n.group), +1, w.kinds[w.kindOf[n.group]].allocatable.milliCPU)
	w.shelve(id)
	w.touch(id)
}

// remove asks the cloud for an instance's removal; it is billed until that is done.
func (w *world) remove(id int32) {
	w.depart(id)
	w.groups[w.nodes[id].group].target--
	w.events.push(event{at: w.now + w.settings.Groups[w.nodes[id].group].Removal, kind: nodeGone, subject: id})
}

// depart takes a node out of the cluster.
func (w *world) depart(id int32) {
	n := &w.nodes[id]
	group := &w.groups[n.group]
	w.unshelve(id)
	switch n.state {
	case creating:
		group.unready--
	case ready:
		group.ready--
	case deleting:
		group.deleting--
	}
	if n.state != creating {
		w.meter.ready(int(n.group), -1, w.kinds[w.kindOf[n.group]].allocatable.milliCPU)
	}
	n.state, n.leftAt = gone, w.now
	w.wake()
}

// removed is the end of an instance's bill.
func (c *cloud) removed(w *world, id int32) {
	n := &w.nodes[id]
	r := &w.result.Nodes[id]
	r.Removed = w.now
	c.instances--
	if w.settings.Groups[n.group].Recycles && !r.Reclaimed {
		c.stopped[n.group]++
	}
	w.meter.billed(w, int(n.group), -1)
	w.wake()
}
