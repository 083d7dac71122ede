package esssim

import (
	"net/http"
	"time"

	"github.com/buildpool/buildpool/ess/esssim/account"
)

// The operator's view of the account, in the field names of the account file.

type stateReply struct {
	Now    time.Time            `json:"now"`
	Groups []groupState         `json:"groups"`
	Stock  []account.StockState `json:"stock"`
	// Machines are the ECS instances of no group.
	Machines []instanceState `json:"machines,omitempty"`
}

type groupState struct {
	ID                 string           `json:"id"`
	Name               string           `json:"name"`
	Lifecycle          string           `json:"lifecycle"`
	Min                int              `json:"min"`
	Max                int              `json:"max"`
	Desired            int              `json:"desired"`
	ExpectedNumberMode bool             `json:"expectedNumberMode"`
	Counters           account.Counters `json:"counters"`
	Total              int              `json:"total"`
	Instances          []instanceState  `json:"instances"`
	Activities         []activityState  `json:"activities"`
}

type instanceState struct {
	ID           string     `json:"id"`
	State        string     `json:"state"`
	Type         string     `json:"type"`
	Zone         string     `json:"zone"`
	SpotStrategy string     `json:"spotStrategy"`
	ActivityID   string     `json:"activityId,omitempty"`
	Created      time.Time  `json:"created"`
	InService    *time.Time `json:"inService,omitempty"`
	Reclaiming   bool       `json:"reclaiming,omitempty"`
	Unhealthy    bool       `json:"unhealthy,omitempty"`
	Attached     bool       `json:"attached,omitempty"`
	Weight       int        `json:"weight,omitempty"` // if it is not 1
}

type activityState struct {
	ID        string                  `json:"id"`
	Kind      string                  `json:"kind"`
	Status    string                  `json:"status"`
	Started   time.Time               `json:"started"`
	Ended     *time.Time              `json:"ended,omitempty"`
	Number    int                     `json:"number"`
	Created   []string                `json:"created,omitempty"`
	Removed   []string                `json:"removed,omitempty"`
	Restarted []string                `json:"restarted,omitempty"`
	Stopped   []string                `json:"stopped,omitempty"`
	Attached  []string                `json:"attached,omitempty"`
	Detached  []string                `json:"detached,omitempty"`
	Errors    []account.ActivityError `json:"errors,omitempty"`
	Cause     string                  `json:"cause"`
	Metadata  string                  `json:"metadata,omitempty"`
}

func (s *Simulator) adminState(w http.ResponseWriter, _ *http.Request) {
	state := s.account.State()
	answer := stateReply{Now: state.Now, Groups: []groupState{}, Stock: state.Stock}
	for _, g := range state.Groups {
		answer.Groups = append(answer.Groups, toGroupState(g))
	}
	for _, i := range state.Machines {
		answer.Machines = append(answer.Machines, toInstanceState(i))
	}
	s.adminWrite(w, http.StatusOK, answer)
}

func toGroupState(g account.GroupState) groupState {
	out := groupState{
		ID:                 g.ID,
		Name:               g.Name,
		Lifecycle:          string(g.Lifecycle),
		Min:                g.Min,
		Max:                g.Max,
		Desired:            g.Desired,
		ExpectedNumberMode: g.ExpectedNumberMode,
		Counters:           g.Counters,
		Total:              g.Counters.Total(),
		Instances:          []instanceState{},
		Activities:         []activityState{},
	}
	for _, i := range g.Instances {
		out.Instances = append(out.Instances, toInstanceState(i))
	}
	for _, a := range g.Activities {
		out.Activities = append(out.Activities, activityState{
			ID:        a.ID,
			Kind:      string(a.Kind),
			Status:    string(a.Status),
			Started:   a.Started,
			Ended:     unlessZero(a.Ended),
			Number:    a.Number,
			Created:   a.Created,
			Removed:   a.Removed,
			Restarted: a.Restarted,
			Stopped:   a.Stopped,
			Attached:  a.Attached,
			Detached:  a.Detached,
			Errors:    a.Errors,
			Cause:     a.Cause,
			Metadata:  a.Metadata,
		})
	}
	return out
}

func toInstanceState(i account.Instance) instanceState {
	out := instanceState{
		ID:           i.ID,
		State:        string(i.State),
		Type:         i.Type.Name,
		Zone:         i.Zone,
		SpotStrategy: string(i.SpotStrategy),
		ActivityID:   i.ActivityID,
		Created:      i.Created,
		InService:    unlessZero(i.InService),
		Reclaiming:   i.Reclaiming,
		Unhealthy:    i.Health == account.Unhealthy,
		Attached:     i.Creation == account.Attached,
	}
	if i.Weight != 1 {
		out.Weight = i.Weight
	}
	return out
}

func unlessZero(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
