package esssim

import "github.com/buildpool/buildpool/ess/esssim/account"

type activitiesReply struct {
	pageHead
	ScalingActivities struct{ ScalingActivity []wireActivity }
}

type wireActivity struct {
	ScalingActivityID     string `json:"ScalingActivityId"`
	ScalingGroupID        string `json:"ScalingGroupId"`
	StatusCode            string
	StatusMessage         string
	Description           string
	Cause                 string
	Progress              int
	StartTime             string
	EndTime               string `json:",omitempty"`
	ScalingInstanceNumber int
	TotalCapacity         int
	AutoCreatedCapacity   int
	AttachedCapacity      int
	CreatedCapacity       int
	DestroyedCapacity     int
	StartedCapacity       int
	StoppedCapacity       int
	TriggerSourceType     string
	ActivityMetadata      string               `json:",omitempty"`
	ErrorCode             string               `json:",omitempty"`
	ErrorMessage          string               `json:",omitempty"`
	ErrorMessages         *wireErrors          `json:",omitempty"`
	CreatedInstances      wireCreatedInstances `json:",omitzero"`
	DestroyedInstances    wireGoneInstances    `json:",omitzero"`
	StartedInstances      wireStartedInstances `json:",omitzero"`
	StoppedInstances      wireStoppedInstances `json:",omitzero"`
}

type wireStartedInstances struct {
	StartedInstance []string `json:",omitempty"`
}

type wireStoppedInstances struct {
	StoppedInstance []string `json:",omitempty"`
}

func (w wireStartedInstances) IsZero() bool { return len(w.StartedInstance) == 0 }

func (w wireStoppedInstances) IsZero() bool { return len(w.StoppedInstance) == 0 }

type wireCreatedInstances struct {
	CreatedInstance []string `json:",omitempty"`
}

type wireGoneInstances struct {
	DestroyedInstance []string `json:",omitempty"`
}

type wireErrors struct{ ErrorMessages []wireError }

type wireError struct{ Code, Message, Description string }

func (w wireCreatedInstances) IsZero() bool { return len(w.CreatedInstance) == 0 }

func (w wireGoneInstances) IsZero() bool { return len(w.DestroyedInstance) == 0 }

func (s *Simulator) describeScalingActivities(p parameters) (reply, error) {
	paging, err := p.paging()
	if err != nil {
		return nil, err
	}
	page, err := s.account.Activities(account.ActivityQuery{
		GroupID: p["ScalingGroupId"],
		IDs:     p.list("ScalingActivityId"),
		Status:  account.ActivityStatus(p["StatusCode"]),
		Paging:  paging,
	})
	if err != nil {
		return nil, err
	}
	answer := &activitiesReply{pageHead: headOf(page)}
	answer.ScalingActivities.ScalingActivity = []wireActivity{}
	for _, a := range page.Items {
		answer.ScalingActivities.ScalingActivity = append(answer.ScalingActivities.ScalingActivity, toWireActivity(a))
	}
	return answer, nil
}

func toWireActivity(a account.Activity) wireActivity {
	w := wireActivity{
		ScalingActivityID:     a.ID,
		ScalingGroupID:        a.GroupID,
		StatusCode:            string(a.Status),
		StatusMessage:         a.Message,
		Description:           a.Description,
		Cause:                 a.Cause,
		Progress:              a.Progress,
		StartTime:             toMinute(a.Started),
		EndTime:               toMinute(a.Ended),
		ScalingInstanceNumber: a.Number,
		TotalCapacity:         a.Total,
		AutoCreatedCapacity:   a.Total - a.AttachedTotal,
		AttachedCapacity:      a.AttachedTotal,
		StartedCapacity:       len(a.Restarted),
		StoppedCapacity:       len(a.Stopped),
		StartedInstances:      wireStartedInstances{a.Restarted},
		StoppedInstances:      wireStoppedInstances{a.Stopped},
		CreatedCapacity:       len(a.Created),
		DestroyedCapacity:     len(a.Removed),
		TriggerSourceType:     a.Trigger,
		ActivityMetadata:      a.Metadata,
		CreatedInstances:      wireCreatedInstances{a.Created},
		DestroyedInstances:    wireGoneInstances{a.Removed},
	}
	if len(a.Errors) > 0 {
		w.ErrorCode, w.ErrorMessage = a.Errors[0].Code, a.Errors[0].Message
		w.ErrorMessages = &wireErrors{}
		for _, e := range a.Errors {
			w.ErrorMessages.ErrorMessages = append(w.ErrorMessages.ErrorMessages, wireError{e.Code, e.Message, a.Description})
		}
	}
	return w
}
