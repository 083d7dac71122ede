package simulator

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Refusal is the answer of a simulator that heard a request and did not do it.
type Refusal struct{ Status, Message string }

func (r *Refusal) Error() string { return r.Status + ": " + r.Message }

// State is what the account holds.
type State struct {
	Groups []Group
}

// Group is a scaling group with its instances and, newest first, what happened to it.
type Group struct {
	ID         string
	Desired    int
	Instances  []Instance
	Activities []Activity
}

// Activity is a scaling activity.
type Activity struct {
	ID, Kind, Status, Cause string
	Started                 time.Time
	// Created and Removed are the instances that came and went by it.
	Created, Removed []string
}

// Instance is an instance of a scaling group.
type Instance struct {
	ID string
	// State is its life-cycle state in ESS: Pending, InService, Removing, …
	State string
	// Reclaiming: the spot market takes it back.
	Reclaiming bool
}

// Group returns the scaling group with this ID.
func (s State) Group(id string) (Group, error) {
	for _, g := range s.Groups {
		if g.ID == id {
			return g, nil
		}
	}
	return Group{}, fmt.Errorf("find scaling group %s: not in the account", id)
}

// InstanceIDs returns the IDs in order.
func (g Group) InstanceIDs() []string {
	var ids []string
	for _, i := range g.Instances {
		ids = append(ids, i.ID)
	}
	slices.Sort(ids)
	return ids
}

// Call is one API call as the simulator noted it.
type Call struct {
	At     time.Time
	API    string
	Params map[string]string
	Status int
	Code   string
}

// OK reports whether the API accepted the call.
func (c Call) OK() bool { return c.Status == http.StatusOK }

// Group is the scaling group the call is about.
func (c Call) Group() string { return c.Params["ScalingGroupId"] }

// Total is the absolute number a ScaleWithAdjustment asks for. Any other kind of
// adjustment is an error: it would not be safe to repeat.
func (c Call) Total() (int, error) {
	if kind := c.Params["AdjustmentType"]; kind != "TotalCapacity" {
		return 0, fmt.Errorf("read %s: adjustment type %q is not absolute", c.API, kind)
	}
	total, err := strconv.Atoi(c.Params["AdjustmentValue"])
	if err != nil {
		return 0, fmt.Errorf("read %s: adjustment value: %w", c.API, err)
	}
	return total, nil
}

// InstanceIDs are the instances a RemoveInstances names, in order.
func (c Call) InstanceIDs() []string {
	var ids []string
	for name, value := range c.Params {
		if strings.HasPrefix(name, "InstanceId.") {
			ids = append(ids, value)
		}
	}
	slices.Sort(ids)
	return ids
}

// State reads the account.
func (s *Simulator) State(ctx context.Context) (State, error) {
	var state State
	return state, s.admin(ctx, http.MethodGet, "state", nil, &state)
}

// Group reads one scaling group.
func (s *Simulator) Group(ctx context.Context, id string) (Group, error) {
	state, err := s.State(ctx)
	if err != nil {
		return Group{}, err
	}
	return state.Group(id)
}

// Calls returns every call of these APIs, oldest first. It is an error if the
// simulator's transcript does not reach back to the first one: a test that counts
// must not miss any.
func (s *Simulator) Calls(ctx context.Context, apis ...string) ([]Call, error) {
	var transcript struct {
		Counts map[string]int
		Calls  []Call
	}
	if err := s.admin(ctx, http.MethodGet, "calls", nil, &transcript); err != nil {
		return nil, err
	}
	calls := slices.DeleteFunc(transcript.Calls, func(c Call) bool { return !slices.Contains(apis, c.API) })
	made := 0
	for _, api := range apis {
		made += transcript.Counts[api]
	}
	if made != len(calls) {
		return nil, fmt.Errorf("read calls of %v: the transcript holds %d of %d", apis, len(calls), made)
	}
	return calls, nil
}

// Writes returns the noted calls that change a scaling group, oldest first.
func (s *Simulator) Writes(ctx context.Context) ([]Call, error) {
	return s.Calls(ctx, "ScaleWithAdjustment", "ModifyScalingGroup", "RemoveInstances")
}

// SetDesired changes a group's desired number from outside, as in the console.
func (s *Simulator) SetDesired(ctx context.Context, group string, desired int) error {
	return s.admin(ctx, http.MethodPost, "groups/"+group, map[string]any{"desired": desired}, nil)
}

// LimitInstances bounds how many instances the account may have, over all groups.
func (s *Simulator) LimitInstances(ctx context.Context, most int) error {
	return s.admin(ctx, http.MethodPost, "quotas", map[string]any{"instances": most}, nil)
}

// Raw returns an admin document as it is, for the evidence of a failed test.
func (s *Simulator) Raw(ctx context.Context, document string) (json.RawMessage, error) {
	var raw json.RawMessage
	return raw, s.admin(ctx, http.MethodGet, document, nil, &raw)
}

func (s *Simulator) admin(ctx context.Context, method, path string, body, answer any) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	var content io.Reader = http.NoBody
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return fmt.Errorf("simulator admin %s: encode: %w", path, err)
		}
		content = bytes.NewReader(data)
	}
	request, err := http.NewRequestWithContext(ctx, method, s.URL+"/admin/"+path, content)
	if err != nil {
		return fmt.Errorf("simulator admin %s: %w", path, err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("simulator admin %s: %w", path, err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		return fmt.Errorf("simulator admin %s: %w", path, err)
	}
	if response.StatusCode/100 != 2 {
		return fmt.Errorf("simulator admin %s: %w", path, &Refusal{response.Status, string(data)})
	}
	if answer == nil {
		return nil
	}
	if err := json.Unmarshal(data, answer); err != nil {
		return fmt.Errorf("simulator admin %s: decode: %w", path, err)
	}
	return nil
}
