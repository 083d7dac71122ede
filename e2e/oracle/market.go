package oracle

import (
	"math"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/buildpool/buildpool/simulations/engine"
)

// planReclaim draws when the spot market takes an instance back: after its
// protection, at the group's rate. The notice comes before. mu is held.
func (w *world) planReclaim(m *machine) {
	market := w.settings.Groups[m.group].Spot
	if market.ReclaimsPerHour <= 0 {
		return
	}
	hours := w.rng.ExpFloat64() / market.ReclaimsPerHour
	if hours > float64(math.MaxInt64/int64(time.Hour))/2 {
		return
	}
	end := m.created.Add(market.Protected + time.Duration(hours*float64(time.Hour)))
	told := end.Add(-market.Notice)
	if told.Before(m.created) {
		told = m.created
	}
	w.at(told, func() { w.reclaim(m, told, end.Sub(told)) })
}

// reclaim gives the notice, which keeps new builds off the node, as a termination
// handler does that cordons it; the account ends the instance after it.
func (w *world) reclaim(m *machine, now time.Time, notice time.Duration) {
	if m.gone || m.told {
		return
	}
	w.must(w.account.Reclaim(m.id, notice))
	w.moves++
	m.told = true
	if m.node != nil {
		cordoned := m.node.object.DeepCopy()
		cordoned.Spec.Unschedulable = true
		cordoned.Spec.Taints = append(cordoned.Spec.Taints, corev1.Taint{Key: corev1.TaintNodeUnschedulable, Effect: corev1.TaintEffectNoSchedule})
		w.change(m.node, cordoned, now)
	}
	end := now.Add(notice)
	w.at(end, func() { w.look(end) })
}

// planMarket plans what the settings say of stock and of mass reclaims.
func (w *world) planMarket() {
	for n, g := range w.settings.Groups {
		if g.Spot == nil {
			continue
		}
		for _, mass := range g.Spot.Mass {
			at := w.start.Add(mass.At)
			w.at(at, func() { w.reclaimShare(n, mass, at) })
		}
	}
	for _, out := range w.settings.Stockouts {
		n := slices.IndexFunc(w.settings.Groups, func(g engine.Group) bool { return g.Config.Name == out.Group })
		w.at(w.start.Add(out.From), func() { w.must(setStockExactly(w.account.Account(), w.settings, n, out.Stock)) })
		w.at(w.start.Add(out.Until), func() {
			w.must(setStock(w.account.Account(), w.settings, n, w.settings.Groups[n].Stock))
			w.look(w.start.Add(out.Until))
		})
	}
}

// reclaimShare takes a share of the group's instances that are no longer protected.
func (w *world) reclaimShare(group int, mass engine.MassReclaim, now time.Time) {
	market := w.settings.Groups[group].Spot
	var open []*machine
	for _, m := range w.machines {
		if m.group == group && !m.told && !m.created.Add(market.Protected).After(now) {
			open = append(open, m)
		}
	}
	slices.SortFunc(open, func(a, b *machine) int { return a.record - b.record })
	w.rng.Shuffle(len(open), func(a, b int) { open[a], open[b] = open[b], open[a] })
	for _, m := range open[:int(math.Round(mass.Share*float64(len(open))))] {
		w.reclaim(m, now, 0)
	}
}
