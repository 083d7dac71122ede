package ess

import (
	"context"
	"fmt"
	"time"

	"github.com/buildpool/buildpool/cloudprovider"
)

var _ cloudprovider.ActivityHistory = (*Cloud)(nil)

// longestActivity is how much earlier than it ended an activity may have begun: a
// lifecycle hook, heartbeats included, may hold one for six hours.
const longestActivity = 6 * time.Hour

// ActivitiesSince implements cloudprovider.ActivityHistory, 50 activities a call. One
// that begins meanwhile pushes others to the next page, where they are seen again:
// nothing is missed, and each counts once.
func (c *Cloud) ActivitiesSince(ctx context.Context, groupID string, since time.Time) ([]cloudprovider.Activity, error) {
	if err := checkID("read activities of a group", groupID); err != nil {
		return nil, err
	}
	var found []cloudprovider.Activity
	seen := map[string]bool{}
	for number := 1; ; number++ {
		page, total, err := c.activityPage(ctx, groupID, number)
		if err = nothing(err); err != nil {
			return nil, fmt.Errorf("read activities of %s, page %d: %w", groupID, number, err)
		}
		past := false
		for _, a := range page {
			if !seen[a.ID] && (a.Ended.IsZero() || !a.Ended.Before(since)) {
				found = append(found, a)
			}
			seen[a.ID] = true
			past = past || a.Started.Before(since.Add(-longestActivity))
		}
		if past || len(page) == 0 || number*activityPage >= total {
			newestFirst(found)
			return found, nil
		}
	}
}
