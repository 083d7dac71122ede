package config

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/buildpool/buildpool/cloudprovider"
)

// Severity says whether a finding stops a group from working as the file promises.
type Severity string

// The severities.
const (
	// SeverityError: builds would wait, fail or run on the wrong node.
	SeverityError Severity = "error"
	// SeverityWarning: it works, but not as one would expect, or it cannot be told.
	SeverityWarning Severity = "warning"
	// SeverityAdvice: it works, and could work better.
	SeverityAdvice Severity = "advice"
)

// Finding is one difference between what the node-group file promises and what the
// account, or cluster-autoscaler, will make of it.
type Finding struct {
	// Group is the node group's name; empty for the defaults of all.
	Group    string
	Severity Severity
	// Field is the path in the file that is contradicted.
	Field   string
	Message string
	Fix     string
}

// Compare holds a configuration against the account: whether each scaling group
// exists, works, has room between its bounds, and makes the nodes that the file
// promises. The findings are in the order of the groups.
//
// The error joins what could not be read; the findings are then those of what
// could. It matches the sentinels of cloudprovider.
func Compare(ctx context.Context, cfg Config, cloud cloudprovider.Cloud) ([]Finding, error) {
	c := &comparison{cfg: cfg, cloud: cloud, types: map[string]typeEntry{}, owners: map[string]string{}}
	byID, err := c.groupsByID(ctx)
	if err != nil {
		return nil, err
	}
	var errs []error
	for i, g := range cfg.Groups {
		if err := c.compareGroup(ctx, groupPath(i), g, byID); err != nil {
			errs = append(errs, fmt.Errorf("compare group %s: %w", g.Name, err))
		}
	}
	return c.findings, errors.Join(errs...)
}

// comparison collects findings over all groups.
type comparison struct {
	cfg      Config
	cloud    cloudprovider.Cloud
	findings []Finding
	// owners are the node groups that a scaling group was found for, by its ID.
	owners map[string]string
	types  map[string]typeEntry
}

// subject is the node group under comparison; it reports what is found about it.
type subject struct {
	*comparison
	path  string
	group Group
}

func (s *subject) fail(key, message, fix string)   { s.add(SeverityError, key, message, fix) }
func (s *subject) warn(key, message, fix string)   { s.add(SeverityWarning, key, message, fix) }
func (s *subject) advise(key, message, fix string) { s.add(SeverityAdvice, key, message, fix) }

func (s *subject) add(severity Severity, key, message, fix string) {
	s.findings = append(s.findings, Finding{
		Group: s.group.Name, Severity: severity, Field: join(s.path, key), Message: message, Fix: fix,
	})
}

// groupsByID reads every scaling group that the file names by ID, in one go.
func (c *comparison) groupsByID(ctx context.Context) (map[string]cloudprovider.ScalingGroup, error) {
	var ids []string
	for _, g := range c.cfg.Groups {
		if g.ScalingGroup.ID != "" {
			ids = append(ids, g.ScalingGroup.ID)
		}
	}
	found := map[string]cloudprovider.ScalingGroup{}
	if len(ids) == 0 {
		return found, nil
	}
	groups, err := c.cloud.Groups(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("read scaling groups: %w", err)
	}
	for _, g := range groups {
		found[g.ID] = g
	}
	return found, nil
}

func (c *comparison) compareGroup(ctx context.Context, path string, g Group, byID map[string]cloudprovider.ScalingGroup) error {
	s := &subject{comparison: c, path: path, group: g}
	live, ok, err := s.resolve(ctx, byID)
	if err != nil || !ok {
		return err
	}
	s.compareState(live)
	s.compareBounds(live)
	launch, err := c.cloud.Launch(ctx, live)
	switch {
	case errors.Is(err, cloudprovider.ErrNoTemplate):
		s.fail("scalingGroup", fmt.Sprintf("scaling group %s has no launch settings", live.ID), "give it an active scaling configuration or a launch template")
		return nil
	case err != nil:
		return fmt.Errorf("read launch settings: %w", err)
	}
	s.compareCharge(launch)
	s.compareReclaims(live, launch)
	s.compareRecycling(live, launch)
	s.compareRegistration(live, launch)
	return s.compareTypes(ctx, live, launch)
}

// resolve finds the group's scaling group; ok is false when it reported why there
// is none.
func (s *subject) resolve(ctx context.Context, byID map[string]cloudprovider.ScalingGroup) (cloudprovider.ScalingGroup, bool, error) {
	key, live, found := "scalingGroup.id", cloudprovider.ScalingGroup{}, false
	if id := s.group.ScalingGroup.ID; id != "" {
		if live, found = byID[id]; !found {
			s.fail(key, fmt.Sprintf("there is no scaling group %s in %s", id, s.cfg.Region), "correct the ID or the region, or create the group")
			return live, false, nil
		}
	} else {
		key = "scalingGroup.tags"
		matches, err := s.cloud.GroupsByTags(ctx, s.group.ScalingGroup.Tags)
		if err != nil {
			return live, false, fmt.Errorf("read scaling groups by tags: %w", err)
		}
		if len(matches) != 1 {
			s.reportMatches(key, matches)
			return live, false, nil
		}
		live = matches[0]
	}
	if owner, taken := s.owners[live.ID]; taken {
		s.fail(key, fmt.Sprintf("scaling group %s is already group %s", live.ID, owner), "give each group a scaling group of its own")
		return live, false, nil
	}
	s.owners[live.ID] = s.group.Name
	return live, true, nil
}

func (s *subject) reportMatches(key string, matches []cloudprovider.ScalingGroup) {
	if len(matches) == 0 {
		s.fail(key, "no scaling group in "+s.cfg.Region+" carries these tags", "tag the group, or correct the tags")
		return
	}
	ids := make([]string, len(matches))
	for i, m := range matches {
		ids[i] = m.ID
	}
	s.fail(key, fmt.Sprintf("%d scaling groups carry these tags: %s", len(ids), strings.Join(ids, ", ")), "add a tag that only one of them carries, or name it by id")
}
