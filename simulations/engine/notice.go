package engine

import (
	"time"

	"github.com/buildpool/buildpool/nodegroups/config"
	"github.com/buildpool/buildpool/nodegroups/spot"
)

// noticesEvery is how often the provider asks for notices (nodegroups/reclaim.go
// noticeEvery).
const noticesEvery = 20 * time.Second

// planClosing notes when the node of a spot instance is too old for new builds.
func (w *world) planClosing(id int32) {
	g := &w.settings.Groups[w.nodes[id].group]
	if after := g.Config.Spot.DrainAfter; after != nil && g.Spot != nil {
		w.events.push(event{at: w.now + time.Duration(*after), kind: protectionEnds, subject: id})
	}
}

// close closes a node to new builds if the provider's policy says so. Those that it has
// go on.
func (w *world) close(id int32) {
	n := &w.nodes[id]
	if n.state == gone || n.closed {
		return
	}
	i := spot.Instance{Created: w.settings.Trace.Start.Add(w.result.Nodes[id].Created)}
	if n.noticed != Never {
		i.Noticed = w.settings.Trace.Start.Add(n.noticed)
	}
	if why, _ := spot.Closed(w.settings.Groups[n.group].Config.Spot, i, w.clock()); why == "" {
		return
	}
	w.unshelve(id)
	n.closed = true
	w.nodeTainted()
}

// notify: a reclaim has been announced. The provider reads it when it next asks.
func (w *world) notify(id int32) {
	n := &w.nodes[id]
	if n.state == gone {
		return
	}
	policy := w.settings.Groups[n.group].Config.Spot.OnReclaimNotice
	if policy == config.ReclaimIgnored {
		return
	}
	n.noticed = w.now
	w.groups[n.group].trouble.Reclaimed = w.incident()
	w.close(id)
	if policy == config.ReclaimReplaced {
		w.events.push(event{at: w.now + time.Duration(w.notices.Int64N(int64(noticesEvery))), kind: noticesRead, subject: id})
	}
}

// replaceAhead lets an instance with a notice leave its group, which creates another in
// its place, if that is needed; else it is looked at again.
func (w *world) replaceAhead(id int32) {
	n := &w.nodes[id]
	switch {
	case n.state == gone || n.state == deleting:
		return
	case n.state == creating || w.needOf(id).Replacement() == spot.NotNeeded:
		w.events.push(event{at: w.now + noticesEvery, kind: noticesRead, subject: id})
		return
	}
	w.scaler.drop(id)
	n.state = parted
	w.groups[n.group].ready--
	w.touch(id)
	w.replace(int(n.group))
}

// needOf is who may need an instance in the place of this one.
func (w *world) needOf(id int32) spot.Demand {
	n := &w.nodes[id]
	g := int(n.group)
	need := spot.Demand{Unknown: w.settings.ClusterUnseen, Running: len(n.builds), Target: w.groups[g].target, Floor: w.floor(g)}
	for d := range w.demands {
		if w.demands[d].fits[g] {
			need.Waiting += w.demands[d].waiting.len()
		}
	}
	return need
}
