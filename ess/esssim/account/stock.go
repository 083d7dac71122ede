package account

// pool is one place to create an instance: a vSwitch's zone, a type and a charge.
type pool struct {
	vSwitch string
	zone    string
	itype   *InstanceType
	charge  Charge
}

type stockKey struct {
	zone, itype string
	charge      Charge
}

func (p pool) key() stockKey { return stockKey{p.zone, p.itype.Name, p.charge} }

const unlimited = -1

// stock says how many instances may run at once per zone, type and charge. It
// counts what runs rather than what is left, so that an instance given back cannot
// end a stock-out that was set.
type stock struct {
	limits map[stockKey]int
	used   map[stockKey]int
	// addresses counts the instances of a vSwitch, stopped ones among them.
	addresses map[string]int
}

func newStock(entries []Stock) stock {
	s := stock{limits: map[stockKey]int{}, used: map[stockKey]int{}, addresses: map[string]int{}}
	for _, e := range entries {
		s.set(e)
	}
	return s
}

func (s stock) set(e Stock) {
	key := stockKey{e.Zone, e.Type, e.Charge}
	if e.Count == unlimited {
		delete(s.limits, key)
		return
	}
	s.limits[key] = e.Count
}

func (s stock) take(p pool) { s.used[p.key()]++ }

func (s stock) has(p pool) bool {
	limit, ok := s.limits[p.key()]
	return !ok || s.used[p.key()] < limit
}

func (s stock) release(p pool) { s.used[p.key()]-- }
