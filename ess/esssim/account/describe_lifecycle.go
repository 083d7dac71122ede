package account

import (
	"fmt"
	"slices"
)

// HookExemption says which hooks do not hold the instances of a request
// (LifecycleHookContext).
type HookExemption struct {
	All bool
	IDs []string
}

func (s HookExemption) skips(h Hook) bool { return s.All || slices.Contains(s.IDs, h.ID) }

// LifecycleAction is a hook holding the instances of an activity.
type LifecycleAction struct {
	HookID, Token, Status string
	Result                LifecycleResult
	InstanceIDs           []string
}

// ActionPage is a page of lifecycle actions with the length of the list.
type ActionPage struct {
	TokenPage[LifecycleAction]
	Total int
}

// LifecycleActions lists the lifecycle actions of an activity; an empty status is
// any.
func (a *Account) LifecycleActions(activityID, status, token string, size int) (ActionPage, error) {
	const largest = 50
	defer a.enter()()
	if activityID == "" {
		return ActionPage{}, ErrMissing("ScalingActivityId")
	}
	if size == 0 {
		size = defaultPageSize
	}
	if size < 1 || size > largest {
		return ActionPage{}, ErrInvalid("MaxResults", fmt.Sprintf("%d is not between 1 and %d", size, largest))
	}
	var found []LifecycleAction
	if act, ok := a.activities[activityID]; ok {
		for _, x := range act.actions {
			if status != "" && status != x.status {
				continue
			}
			v := LifecycleAction{HookID: x.hook.ID, Token: x.token, Status: x.status, Result: x.result}
			for _, i := range x.instances {
				v.InstanceIDs = append(v.InstanceIDs, i.id)
			}
			found = append(found, v)
		}
	}
	page, err := tokenPage(found, token, size)
	return ActionPage{page, len(found)}, err
}

// GroupHook is a lifecycle hook with the group it belongs to.
type GroupHook struct {
	Hook
	GroupID string
}

// LifecycleHooks lists lifecycle hooks; empty arguments select all.
func (a *Account) LifecycleHooks(groupID string, ids []string, p Paging) (Page[GroupHook], error) {
	const largest = 50
	defer a.enter()()
	paging, err := p.page(largest)
	if err != nil {
		return Page[GroupHook]{}, err
	}
	var found []GroupHook
	for _, g := range a.groups {
		for _, h := range g.hooks {
			if (groupID == "" || g.id == groupID) && (len(ids) == 0 || slices.Contains(ids, h.ID)) {
				found = append(found, GroupHook{h, g.id})
			}
		}
	}
	return pageOf(paging, len(found), func(i int) GroupHook { return found[i] }), nil
}
