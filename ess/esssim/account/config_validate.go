package account

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// maxGroupSize is ESS's largest MinSize and MaxSize.
const maxGroupSize = 2000

// problems collects what is wrong with a file, each with the path of its field.
type problems struct{ errs []error }

func (p *problems) add(path, format string, args ...any) {
	p.errs = append(p.errs, fmt.Errorf("  %s: %s", path, fmt.Sprintf(format, args...)))
}

// unique reports a missing or repeated key of a list.
func (p *problems) unique(seen map[string]bool, path, key string) {
	switch {
	case key == "":
		p.add(path, "is missing")
	case seen[key]:
		p.add(path, "%q is there twice", key)
	}
	seen[key] = true
}

func oneOf[T ~string](p *problems, path string, value T, allowed ...T) {
	if !slices.Contains(allowed, value) {
		names := make([]string, len(allowed))
		for i, a := range allowed {
			names[i] = string(a)
		}
		p.add(path, "%q is not one of %s", string(value), strings.Join(names, ", "))
	}
}

func (c *Config) validate() error {
	p := &problems{}
	if c.APIVersion != APIVersion {
		p.add("apiVersion", "%q is not %s", c.APIVersion, APIVersion)
	}
	if c.Kind != Kind {
		p.add("kind", "%q is not %s", c.Kind, Kind)
	}
	if c.Region == "" {
		p.add("region", "is missing")
	}
	if err := c.Delays.check(); err != nil {
		p.errs = append(p.errs, err)
	}
	if c.KernelMemoryPercent < 0 || c.KernelMemoryPercent >= 100 {
		p.add("kernelMemoryPercent", "%v is not between 0 and 100", c.KernelMemoryPercent)
	}
	c.validateAccessKeys(p)
	zones := c.validateVSwitches(p)
	types := c.validateInstanceTypes(p)
	c.validateStock(p, zones, types)
	c.validateThrottle(p)
	c.Quotas.validate(p)
	c.SpotMarket.validate(p)
	c.validateMachines(p, types)
	c.validateLaunchTemplates(p, types)
	c.validateGroups(p, types)
	return errors.Join(p.errs...)
}

// validateAccessKeys refuses keys that look real: a person who pastes one by
// mistake must not send it to a simulator.
func (c *Config) validateAccessKeys(p *problems) {
	if len(c.AccessKeys) == 0 {
		p.add("accessKeys", "none is given, so nobody could call")
	}
	seen := map[string]bool{}
	for i, key := range c.AccessKeys {
		path := fmt.Sprintf("accessKeys[%d]", i)
		p.unique(seen, path+".id", key.ID)
		if strings.HasPrefix(key.ID, "LTAI") || strings.HasPrefix(key.ID, "STS.") {
			p.add(path+".id", "looks like a real access key; make one up, such as sim-access-key")
		}
		if key.Secret == "" {
			p.add(path+".secret", "is missing")
		}
		if key.Expires != "" {
			if _, err := time.Parse(time.RFC3339, key.Expires); err != nil {
				p.add(path+".expires", "%q is not a time such as 2026-08-01T12:00:00Z", key.Expires)
			}
		}
	}
}

func (c *Config) validateVSwitches(p *problems) map[string]bool {
	seen, zones := map[string]bool{}, map[string]bool{}
	for i, v := range c.VSwitches {
		path := fmt.Sprintf("vSwitches[%d]", i)
		p.unique(seen, path+".id", v.ID)
		if v.Zone == "" {
			p.add(path+".zone", "is missing")
		}
		zones[v.Zone] = true
	}
	return zones
}

func (c *Config) validateInstanceTypes(p *problems) map[string]bool {
	seen := map[string]bool{}
	for i, t := range c.InstanceTypes {
		path := fmt.Sprintf("instanceTypes[%d]", i)
		p.unique(seen, path+".name", t.Name)
		oneOf(p, path+".arch", t.Arch, "X86", "ARM")
		if t.CPUs <= 0 {
			p.add(path+".cpus", "%d is not positive", t.CPUs)
		}
		if t.MemoryGiB <= 0 {
			p.add(path+".memoryGiB", "%v is not positive", t.MemoryGiB)
		}
		if t.GPUs < 0 || (t.GPUs > 0) != (t.GPUModel != "") {
			p.add(path+".gpus", "gpus and gpuModel belong together")
		}
		if t.PricePerHour < 0 || t.SpotPricePerHour < 0 {
			p.add(path+".pricePerHour", "a price is negative")
		}
		if t.ENIs < 0 || t.IPsPerENI < 0 {
			p.add(path+".enis", "a number of interfaces or addresses is negative")
		}
	}
	return seen
}

func (c *Config) validateStock(p *problems, zones, types map[string]bool) {
	for i, s := range c.Stock {
		if err := s.check(zones, types); err != nil {
			p.add(fmt.Sprintf("stock[%d]", i), "%v", err)
		}
	}
}

// check says what is wrong with a stock entry, given the zones and types there are.
func (s Stock) check(zones, types map[string]bool) error {
	switch {
	case !zones[s.Zone]:
		return fmt.Errorf("zone: no vSwitch is in %q", s.Zone)
	case !types[s.Type]:
		return fmt.Errorf("type: %q is not among instanceTypes", s.Type)
	case s.Charge != Spot && s.Charge != OnDemand:
		return fmt.Errorf("charge: %q is not one of %s, %s", s.Charge, Spot, OnDemand)
	case s.Count < -1:
		return fmt.Errorf("count: %d is neither a number of instances nor -1 for unlimited", s.Count)
	}
	return nil
}

func (c *Config) validateThrottle(p *problems) {
	seen := map[string]bool{}
	for i, t := range c.Throttle {
		path := fmt.Sprintf("throttle[%d]", i)
		p.unique(seen, path+".api", t.API)
		if t.Requests < 0 {
			p.add(path+".requests", "%d is negative", t.Requests)
		}
		if t.Per <= 0 {
			p.add(path+".per", "%v is not positive", time.Duration(t.Per))
		}
	}
}

func (c *Config) validateLaunchTemplates(p *problems, types map[string]bool) {
	seen := map[string]bool{}
	for i, t := range c.LaunchTemplates {
		path := fmt.Sprintf("launchTemplates[%d]", i)
		if t.ID == "" {
			p.add(path+".id", "is missing")
		}
		p.unique(seen, path+".version", fmt.Sprintf("%s:%d", t.ID, t.Version))
		if t.Version < 1 {
			p.add(path+".version", "%d is not positive", t.Version)
		}
		validateLaunch(p, path, t.InstanceTypes, t.SpotStrategy, t.SystemDiskGiB, types)
		validateLimits(p, path+".spotPriceLimits", t.SpotPriceLimits, types)
	}
}

func validateLaunch(p *problems, path string, wanted []string, spot SpotStrategy, diskGiB int, types map[string]bool) {
	if len(wanted) == 0 {
		p.add(path+".instanceTypes", "is missing")
	}
	for j, name := range wanted {
		if !types[name] {
			p.add(fmt.Sprintf("%s.instanceTypes[%d]", path, j), "%q is not among instanceTypes", name)
		}
	}
	oneOf(p, path+".spotStrategy", spot, NoSpot, SpotAsPriceGo, SpotWithPriceLimit)
	if diskGiB < 0 {
		p.add(path+".systemDiskGiB", "%d is negative", diskGiB)
	}
}
