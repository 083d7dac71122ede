package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/overflow"
	"github.com/buildpool/buildpool/overflow/controller"
)

func TestGroupsAsOverflowSeesThem(t *testing.T) {
	since := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	_, err := overflowGroups(statusReport{NotReady: "the account has not been read yet"})
	require.ErrorIs(t, err, cloudprovider.ErrNotReady)
	require.ErrorContains(t, err, "the account has not been read yet")

	_, err = overflowGroups(statusReport{Snapshot: &snapshotReport{AgeSeconds: 121}})
	require.ErrorContains(t, err, "cluster-autoscaler has not called for 2m1s", "another server may be asked")
	_, err = overflowGroups(statusReport{Snapshot: &snapshotReport{AgeSeconds: 121}, LastError: "the account is away"})
	require.NoError(t, err, "it is called, and cannot read")

	report := statusReport{Snapshot: &snapshotReport{AgeSeconds: 120}, Groups: []groupReport{
		{Name: "unserved", Template: &templateReport{}},
		{Name: "unknown", Served: true},
		{Name: "a", Class: "spot", Served: true, Max: 2, Target: 1, Template: &templateReport{Labels: map[string]string{"k": "v"}}, BootSeconds: 90,
			Coming: []comingReport{{Instance: "i-1", Since: since}}},
	}}
	groups, err := overflowGroups(report)
	require.NoError(t, err)
	assert.Equal(t, []controller.Group{{
		Name: "a", Class: "spot", Template: &cloudprovider.NodeTemplate{Labels: map[string]string{"k": "v"}}, Boot: 90 * time.Second,
		Coming: []controller.Coming{{InstanceID: "i-1", Since: since}},
	}}, groups)
}

func TestWhatBlocksAGroup(t *testing.T) {
	trouble := func(reasons ...cloudprovider.SkipReason) []troubleReport {
		var out []troubleReport
		for _, r := range reasons {
			out = append(out, troubleReport{Reason: string(r)})
		}
		return out
	}
	for name, test := range map[string]struct {
		group groupReport
		want  overflow.Reason
	}{
		"room":                  {groupReport{Target: 1, Max: 2}, ""},
		"at max":                {groupReport{Target: 2, Max: 2}, overflow.MovedAtMax},
		"out of stock":          {groupReport{Target: 2, Max: 2, Troubles: trouble(cloudprovider.SkippedFailed, cloudprovider.SkippedOutOfStock)}, overflow.MovedOutOfStock},
		"creations fail":        {groupReport{Max: 2, Troubles: trouble(cloudprovider.SkippedFailed)}, overflow.MovedByBackoff},
		"throttled":             {groupReport{Max: 2, Troubles: trouble(cloudprovider.SkippedThrottled)}, overflow.MovedByBackoff},
		"an instance reclaimed": {groupReport{Max: 2, Troubles: trouble(cloudprovider.SkippedReclaimed)}, ""},
		"disabled":              {groupReport{Max: 2, Inactive: "it is Inactive"}, overflow.MovedByBackoff},
	} {
		assert.Equal(t, test.want, blockedBy(test.group), name)
	}
}
