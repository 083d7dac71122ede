package engine

import (
	"math"
	"time"
)

func (w *world) massReclaims(g int) []MassReclaim {
	if spot := w.settings.Groups[g].Spot; spot != nil {
		return spot.Mass
	}
	return nil
}

// planReclaim draws when the cloud takes the instance back, if it is a spot instance:
// the time after the protected hour is exponential.
func (w *world) planReclaim(id int32) {
	spot := w.settings.Groups[w.nodes[id].group].Spot
	if spot == nil || spot.ReclaimsPerHour <= 0 {
		return
	}
	hours := w.reclaims.ExpFloat64() / spot.ReclaimsPerHour
	if hours > float64(math.MaxInt64)/float64(4*time.Hour) {
		return
	}
	w.announce(id, w.now+spot.Protected+time.Duration(hours*float64(time.Hour)), spot.Notice)
}

// announce plans a reclaim and, where there is notice, that it becomes known before.
func (w *world) announce(id int32, at, notice time.Duration) {
	if at > w.horizon {
		return
	}
	if notice > 0 {
		w.events.push(event{at: max(w.now, at-notice), kind: reclaimKnown, subject: id})
	}
	w.events.push(event{at: at, kind: reclaimComes, subject: id})
}

// doom keeps builds off a node that is going to be taken.
func (w *world) doom(id int32) {
	n := &w.nodes[id]
	if n.state == gone {
		return
	}
	w.unshelve(id)
	n.doomed = true
}

// reclaim takes an instance: its builds begin anew, and the group's target falls with
// it, as the provider follows the cloud.
func (w *world) reclaim(id int32) {
	n := &w.nodes[id]
	if n.state == gone {
		return
	}
	w.result.Nodes[id].Reclaimed = true
	w.result.Groups[n.group].Reclaimed++
	w.groups[n.group].trouble.Reclaimed = w.incident()
	w.groups[n.group].target--
	wasDeleting := n.state == deleting
	w.depart(id)
	if wasDeleting {
		w.scaler.deletions.done(n.group, n.drained)
	}
	w.interrupt(id)
	w.cloud.removed(w, id)
}

// reclaimMany takes a share of the group's unprotected instances at once.
func (w *world) reclaimMany(g int, mass MassReclaim) {
	var open []int32
	for id := range w.nodes {
		n := &w.nodes[id]
		created := w.result.Nodes[id].Created
		if int(n.group) == g && n.state != gone && w.now-created >= w.settings.Groups[g].Spot.Protected {
			open = append(open, int32(id))
		}
	}
	w.reclaims.Shuffle(len(open), func(i, j int) { open[i], open[j] = open[j], open[i] })
	for _, id := range open[:int(math.Round(mass.Share*float64(len(open))))] {
		w.reclaim(id)
	}
}
