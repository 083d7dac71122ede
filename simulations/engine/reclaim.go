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

// reclaim takes an instance and its builds begin anew. The group's target stays: the
// scaling group keeps its expected number and creates another instance, unless it has
// done so ahead.
func (w *world) reclaim(id int32) {
	n := &w.nodes[id]
	if n.state == gone {
		return
	}
	g := int(n.group)
	w.result.Nodes[id].Reclaimed = true
	w.result.Groups[g].Reclaimed++
	if n.noticed == Never {
		w.groups[g].trouble.Reclaimed = w.incident()
	}
	asked, replaced := n.state == deleting, n.state == parted
	w.depart(id)
	if asked {
		w.scaler.deletions.done(id, n.group, n.drained)
	}
	w.interrupt(id)
	w.cloud.removed(w, id)
	if !replaced {
		w.replace(g)
	}
}

// replace makes the scaling group create what is missing of its expected number.
// cluster-autoscaler, which has not asked for it, knows nothing of the new instance until
// it joins. One that the cloud does not have is a failed creation like any other.
func (w *world) replace(g int) {
	if w.available(g) > 0 {
		w.result.Groups[g].NodesAdded++
		w.events.push(event{at: w.now + w.bootTime(g), kind: nodeJoins, subject: w.create(g)})
		return
	}
	w.result.Groups[g].Failed++
	w.events.push(event{at: w.now + w.settings.Groups[g].Refusal, kind: creationFails, subject: int32(g), node: 1})
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
