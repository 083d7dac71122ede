package scenario

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"github.com/buildpool/buildpool/nodegroups/config"
	"github.com/buildpool/buildpool/overflow"
	"github.com/buildpool/buildpool/simulations/engine"
)

// What is assumed of a virtual node where nothing is said; not measured.
const (
	defaultStart    = 15 * time.Second
	defaultStartP95 = 30 * time.Second
)

// overflow makes the engine's settings of a file's section, nil if it lets no build
// move, and returns the currency of its price.
func (s Simulation) overflow(file config.Overflow) (out *engine.Overflow, currency string, err error) {
	if len(file.Classes) == 0 {
		return nil, "", nil
	}
	price := cmp.Or(s.VirtualNode.Price, file.Price)
	if price == nil {
		return nil, "", errors.New(`what pods on the virtual node cost is not known: write overflow.price in the node-group file, or virtualNode.price in the assumptions, such as "{perCPU: 0.1764, perGiB: 0.02207, currency: CNY}"`)
	}
	out = &engine.Overflow{
		ScanInterval: or(file.ScanInterval, 10*time.Second), Every: overflow.Period, Labels: s.VirtualNode.Labels,
		Start: s.VirtualNode.Start.orElse(engine.Delay{Median: defaultStart, P95: defaultStartP95}),
	}
	for _, c := range file.Classes {
		policy, err := c.Policy(price)
		if err != nil {
			return nil, "", fmt.Errorf("class %s: %w", c.Class, err)
		}
		out.Classes = append(out.Classes, engine.OverflowClass{Class: c.Class, Policy: policy, ScaleUpDelay: or(c.ScaleUpDelay, 0)})
	}
	return out, price.Currency, nil
}

// withOverflow adds the virtual node to the settings.
func (s Simulation) withOverflow(out *engine.Settings, file config.Overflow) error {
	node, currency, err := s.overflow(file)
	if err != nil {
		return fmt.Errorf("overflow: %w", err)
	}
	if currency != "" && out.Currency != "" && currency != out.Currency {
		return fmt.Errorf("overflow: its price is in %s, those of the groups are in %s", currency, out.Currency)
	}
	out.Overflow, out.Currency = node, cmp.Or(out.Currency, currency)
	return nil
}
