package account

import (
	"fmt"
	"slices"
	"strconv"
	"time"
)

// Token paging of ECS: a token stands for a position in the list.

// TokenPage is one page of a list that is read with NextToken.
type TokenPage[T any] struct {
	Items []T
	// Next is empty on the last page.
	Next string
}

func tokenPage[T any](items []T, token string, size int) (TokenPage[T], error) {
	from := 0
	if token != "" {
		var err error
		if from, err = strconv.Atoi(token); err != nil || from < 0 || from > len(items) {
			return TokenPage[T]{}, ErrInvalid("NextToken", "it was not issued by this API")
		}
	}
	to := min(len(items), from+size)
	page := TokenPage[T]{Items: items[from:to]}
	if to < len(items) {
		page.Next = strconv.Itoa(to)
	}
	return page, nil
}

const (
	maxTypeNames   = 10
	maxTypeResults = 100
)

// InstanceTypes lists instance types: the named ones, at most 10, or all. A type
// that does not exist is left out.
func (a *Account) InstanceTypes(names []string, token string, size int) (TokenPage[InstanceType], error) {
	if len(names) > maxTypeNames {
		return TokenPage[InstanceType]{}, ErrInvalid("InstanceTypes", fmt.Sprintf("%d are more than %d", len(names), maxTypeNames))
	}
	if size == 0 {
		size = maxTypeResults
	}
	if size < 1 || size > maxTypeResults {
		return TokenPage[InstanceType]{}, ErrInvalid("MaxResults", fmt.Sprintf("%d is not between 1 and %d", size, maxTypeResults))
	}
	var found []InstanceType
	for _, t := range a.config.InstanceTypes {
		if len(names) == 0 || slices.Contains(names, t.Name) {
			found = append(found, t)
		}
	}
	return tokenPage(found, token, size)
}

// VSwitches lists the vSwitches with this ID and in this zone; empty is any.
func (a *Account) VSwitches(id, zone string, p Paging) (Page[VSwitch], error) {
	const largest = 50
	paging, err := p.page(largest)
	if err != nil {
		return Page[VSwitch]{}, err
	}
	var found []VSwitch
	for _, v := range a.config.VSwitches {
		if (id == "" || v.ID == id) && (zone == "" || v.Zone == zone) {
			found = append(found, v)
		}
	}
	return pageOf(paging, len(found), func(i int) VSwitch { return found[i] }), nil
}

// TemplateQuery selects versions of one launch template; the versions are numbers,
// Default or Latest, and none of them is all.
type TemplateQuery struct {
	ID, Name    string
	Versions    []string
	DefaultOnly bool
	Paging
}

// LaunchTemplateVersions lists versions of a launch template, newest first.
func (a *Account) LaunchTemplateVersions(q TemplateQuery) (Page[LaunchTemplate], error) {
	const largest = 50
	paging, err := q.page(largest)
	if err != nil {
		return Page[LaunchTemplate]{}, err
	}
	if q.ID == "" && q.Name == "" {
		return Page[LaunchTemplate]{}, ErrMissing("LaunchTemplateId")
	}
	id := q.ID
	for _, t := range a.config.LaunchTemplates {
		if id == "" && t.Name == q.Name {
			id = t.ID
		}
	}
	versions := a.config.templateVersions(id)
	if len(versions) == 0 {
		return Page[LaunchTemplate]{}, &Error{404, "InvalidLaunchTemplate.NotFound", "The specified launch template does not exist."}
	}
	standard := defaultVersion(versions)
	for at := range versions {
		versions[at].Default = at == standard
	}
	var found []LaunchTemplate
	for at, t := range versions {
		names := []string{strconv.Itoa(t.Version)}
		if t.Default {
			names = append(names, "Default")
		}
		if at == len(versions)-1 {
			names = append(names, "Latest")
		}
		named := len(q.Versions) == 0 || slices.ContainsFunc(q.Versions, func(v string) bool { return slices.Contains(names, v) })
		if named && (!q.DefaultOnly || t.Default) {
			found = append(found, t)
		}
	}
	slices.Reverse(found)
	return pageOf(paging, len(found), func(i int) LaunchTemplate { return found[i] }), nil
}

// GroupConfiguration is a scaling configuration with the group it belongs to.
type GroupConfiguration struct {
	ScalingConfiguration
	GroupID string
	Created time.Time
}

// ConfigurationQuery selects scaling configurations; empty fields select all.
type ConfigurationQuery struct {
	GroupID    string
	IDs, Names []string
	Paging
}

// ScalingConfigurations lists scaling configurations.
func (a *Account) ScalingConfigurations(q ConfigurationQuery) (Page[GroupConfiguration], error) {
	const (
		largest = 50
		ids     = 10
	)
	defer a.enter()()
	if len(q.IDs) > ids || len(q.Names) > ids {
		return Page[GroupConfiguration]{}, ErrInvalid("ScalingConfigurationId", "more than 10")
	}
	paging, err := q.page(largest)
	if err != nil {
		return Page[GroupConfiguration]{}, err
	}
	var found []GroupConfiguration
	for _, g := range a.config.ScalingGroups {
		s := g.ScalingConfiguration
		if s == nil || (q.GroupID != "" && g.ID != q.GroupID) ||
			(len(q.IDs) > 0 && !slices.Contains(q.IDs, s.ID)) || (len(q.Names) > 0 && !slices.Contains(q.Names, s.Name)) {
			continue
		}
		found = append(found, GroupConfiguration{*s, g.ID, a.groupsByID[g.ID].created})
	}
	return pageOf(paging, len(found), func(i int) GroupConfiguration { return found[i] }), nil
}
