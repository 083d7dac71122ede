package engine

import (
	"errors"
	"fmt"
	"slices"
)

// check complains of settings that no run could play.
func (s Settings) check() error {
	var errs []error
	if len(s.Groups) == 0 {
		errs = append(errs, errors.New("there is no group"))
	}
	for _, g := range s.Groups {
		if g.Config.Max < g.Config.Min {
			errs = append(errs, fmt.Errorf("group %s: max %d is below min %d", g.Config.Name, g.Config.Max, g.Config.Min))
		}
	}
	if s.Autoscaler.ScanInterval+s.Autoscaler.LoopTime <= 0 {
		errs = append(errs, errors.New("--scan-interval is not above 0"))
	}
	for _, e := range s.Autoscaler.Expander {
		if !slices.Contains(Expanders(), e) {
			errs = append(errs, fmt.Errorf("--expander: there is no %q", e))
		}
	}
	if err := s.Overflow.check(); err != nil {
		errs = append(errs, err)
	}
	for i, b := range s.Trace.Builds {
		if b.Shape < 0 || int(b.Shape) >= len(s.Trace.Shapes) {
			return errors.Join(append(errs, fmt.Errorf("build %d is of no shape", i))...)
		}
		if i > 0 && b.Arrival < s.Trace.Builds[i-1].Arrival {
			return errors.Join(append(errs, fmt.Errorf("build %d arrives before the one before it", i))...)
		}
	}
	return errors.Join(errs...)
}
