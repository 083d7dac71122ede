package account

// PoolStrength is how likely one zone and type of a group can be had.
type PoolStrength struct {
	Zone, VSwitchID, Type string
	Available             bool
}

// ElasticStrength returns a group's pools and whether each has stock now.
func (a *Account) ElasticStrength(groupID string) ([]PoolStrength, error) {
	defer a.enter()()
	g, err := a.group(groupID)
	if err != nil {
		return nil, err
	}
	var pools []PoolStrength
	for _, p := range a.pools(g, g.launch.spot.charge()) {
		pools = append(pools, PoolStrength{Zone: p.zone, VSwitchID: p.vSwitch, Type: p.itype.Name, Available: a.stock.has(p)})
	}
	return pools, nil
}
