package cloudtest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/cloudprovider"
)

// every calls each method of a Cloud once.
func every(ctx context.Context, c cloudprovider.Cloud) map[string]error {
	errs := map[string]error{}
	_, errs["Groups"] = c.Groups(ctx, []string{"asg-a"})
	_, errs["GroupsByTags"] = c.GroupsByTags(ctx, map[string]string{"a": "b"})
	_, errs["Instances"] = c.Instances(ctx, "asg-a")
	_, errs["Activities"] = c.Activities(ctx, "asg-a")
	_, errs["SetCapacity"] = c.SetCapacity(ctx, cloudprovider.SetCapacity{GroupID: "asg-a", Total: 3, Token: "t1"})
	_, errs["RemoveInstances"] = c.RemoveInstances(ctx, cloudprovider.RemoveInstances{GroupID: "asg-a", InstanceIDs: []string{"i-a"}, Token: "t2"})
	_, errs["DetachInstances"] = c.DetachInstances(ctx, cloudprovider.DetachInstances{GroupID: "asg-a", InstanceIDs: []string{"i-a"}, Token: "t3"})
	_, errs["ReclaimNotices"] = c.ReclaimNotices(ctx, []string{"i-a"})
	_, errs["Launch"] = c.Launch(ctx, cloudprovider.ScalingGroup{ID: "asg-a", ScalingConfigurationID: "asc-a"})
	_, errs["InstanceTypes"] = c.InstanceTypes(ctx, []string{InstanceType})
	return errs
}

func contexts() []conformance {
	return []conformance{
		{"canceled before the call", expected(0, 10, 1), func(t *testing.T, a Account) {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			for method, err := range every(ctx, a.Cloud()) {
				require.ErrorIs(t, err, context.Canceled, method)
				assert.NotErrorIs(t, err, cloudprovider.ErrOutcomeUnknown, "%s: nothing was sent", method)
			}
			assert.Equal(t, 1, only(t, a, "asg-a").Desired)
		}},
		{"past the deadline", expected(0, 10, 1), func(t *testing.T, a Account) {
			ctx, cancel := context.WithDeadline(t.Context(), time.Unix(0, 0))
			defer cancel()
			for method, err := range every(ctx, a.Cloud()) {
				require.ErrorIs(t, err, context.DeadlineExceeded, method)
			}
			assert.Equal(t, 1, only(t, a, "asg-a").Desired)
		}},
	}
}
