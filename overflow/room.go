package overflow

// room is what the limits still allow.
type room struct {
	pods, tokens int
	// limited: there is a limit on the cost, and cost is what is left of it.
	limited, costKnown bool
	cost               float64
}

func (p Policy) room(s Situation) room {
	return room{
		pods: p.MaxPods - s.Live, tokens: s.Bucket.Available(s.Now),
		limited: p.MaxCostPerHour > 0, costKnown: s.LiveCostPerHour >= 0,
		cost: p.MaxCostPerHour - s.LiveCostPerHour,
	}
}

// refuses says which limit keeps the build; empty: none.
func (r room) refuses(w Waiting) Reason {
	switch {
	case r.pods <= 0:
		return AtPodLimit
	case r.limited && (!r.costKnown || w.CostPerHour < 0):
		return CostUnknown
	case r.limited && w.CostPerHour > r.cost:
		return AtCostLimit
	case r.tokens <= 0:
		return AtRateLimit
	}
	return ""
}

func (r *room) take(w Waiting) {
	r.pods--
	r.tokens--
	r.cost -= w.CostPerHour
}
