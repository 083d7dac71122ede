package e2e

import (
	"context"
	"errors"
	"fmt"

	"github.com/buildpool/buildpool/e2e/internal/metrics"
)

// expectAgreement checks that a group's instances, its nodes, ESS's expected number
// and our target are the same, and at least so many; 0 is exactly none.
func (s *scenario) expectAgreement(ctx context.Context, c class, least int) error {
	group, err := s.simulator.Group(ctx, c.scalingGroup)
	if err != nil {
		return err
	}
	n := len(group.Instances)
	if n < least || (least == 0 && n > 0) {
		return fmt.Errorf("scaling group %s has %d instances", group.ID, n)
	}
	target, err := s.provider.Sum(ctx, "buildpool_node_group_target_count", metrics.Labels{"node_group": c.nodeGroup})
	if err == nil && int(target) != n {
		err = fmt.Errorf("the target of %s is %v for %d instances", c.nodeGroup, target, n)
	}
	return errors.Join(err, s.expectSize(ctx, c, n))
}
