package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/overflow"
	"github.com/buildpool/buildpool/overflow/controller"
)

// groupsFromServer asks a running server for its groups.
func groupsFromServer(server string) func(context.Context) ([]controller.Group, error) {
	return func(ctx context.Context) ([]controller.Group, error) {
		body, err := fetchStatus(ctx, server)
		if err != nil {
			return nil, err
		}
		var r statusReport
		if err := json.Unmarshal(body, &r); err != nil || r.Kind != statusKind {
			return nil, fmt.Errorf("read status of %s: the answer is not that of buildpool serve", server)
		}
		return overflowGroups(r)
	}
}

// unaskedTime is how long cluster-autoscaler may not have called: longer than the longest
// of its loops. A server beside one that stands by is never called, and knows nothing of
// the nodes that its neighbour asks for.
const unaskedTime = 2 * time.Minute

// overflowGroups are the groups of a report as overflow sees them. Those that are not
// offered to cluster-autoscaler serve nobody.
func overflowGroups(r statusReport) ([]controller.Group, error) {
	if r.Snapshot == nil {
		return nil, errors.Join(cloudprovider.ErrNotReady, errors.New(r.NotReady))
	}
	if age := time.Duration(r.Snapshot.AgeSeconds * float64(time.Second)); r.LastError == "" && age > unaskedTime {
		return nil, fmt.Errorf("%w: cluster-autoscaler has not called for %v", cloudprovider.ErrNotReady, age.Truncate(time.Second))
	}
	var groups []controller.Group
	for _, g := range r.Groups {
		if !g.Served || g.Template == nil {
			continue
		}
		group := controller.Group{
			Name: g.Name, Class: g.Class, Blocked: blockedBy(g), Boot: time.Duration(g.BootSeconds * float64(time.Second)),
			Template: &cloudprovider.NodeTemplate{Labels: g.Template.Labels, Taints: g.Template.Taints, Allocatable: g.Template.Allocatable},
		}
		for _, c := range g.Coming {
			group.Coming = append(group.Coming, controller.Coming{InstanceID: c.Instance, Since: c.Since})
		}
		groups = append(groups, group)
	}
	return groups, nil
}

// blockedBy says why the group cannot grow. That the cloud took an instance back is no
// reason.
func blockedBy(g groupReport) overflow.Reason {
	backedOff := g.Inactive != ""
	for _, t := range g.Troubles {
		switch cloudprovider.SkipReason(t.Reason) {
		case cloudprovider.SkippedOutOfStock:
			return overflow.MovedOutOfStock
		case cloudprovider.SkippedFailed, cloudprovider.SkippedThrottled:
			backedOff = true
		}
	}
	switch {
	case backedOff:
		return overflow.MovedByBackoff
	case g.Target >= g.Max:
		return overflow.MovedAtMax
	}
	return ""
}
