package esssim

import (
	"time"

	"github.com/buildpool/buildpool/ess/esssim/account"
)

// skipHooks reads LifecycleHookContext.
func (p parameters) skipHooks() (account.HookExemption, error) {
	all, err := p.boolean("LifecycleHookContext.DisableLifecycleHook", false)
	return account.HookExemption{All: all, IDs: p.list("LifecycleHookContext.IgnoredLifecycleHookIds")}, err
}

type hooksReply struct {
	pageHead
	LifecycleHooks struct{ LifecycleHook []wireHook }
}

type wireHook struct {
	LifecycleHookID     string `json:"LifecycleHookId"`
	LifecycleHookName   string
	ScalingGroupID      string `json:"ScalingGroupId"`
	LifecycleTransition string
	DefaultResult       string
	HeartbeatTimeout    int
	LifecycleHookStatus string
}

func (s *Simulator) describeLifecycleHooks(p parameters) (reply, error) {
	paging, err := p.paging()
	if err != nil {
		return nil, err
	}
	page, err := s.account.LifecycleHooks(p["ScalingGroupId"], p.list("LifecycleHookId"), paging)
	if err != nil {
		return nil, err
	}
	answer := &hooksReply{pageHead: headOf(page)}
	answer.LifecycleHooks.LifecycleHook = []wireHook{}
	for _, h := range page.Items {
		answer.LifecycleHooks.LifecycleHook = append(answer.LifecycleHooks.LifecycleHook, wireHook{
			LifecycleHookID:     h.ID,
			LifecycleHookName:   h.Name,
			ScalingGroupID:      h.GroupID,
			LifecycleTransition: string(h.Transition),
			DefaultResult:       string(h.DefaultResult),
			HeartbeatTimeout:    int(time.Duration(h.HeartbeatTimeout) / time.Second),
			LifecycleHookStatus: "Active",
		})
	}
	return answer, nil
}

type actionsReply struct {
	answered
	TotalCount       int
	MaxResults       int
	NextToken        string
	LifecycleActions struct{ LifecycleAction []wireAction }
}

type wireAction struct {
	LifecycleHookID       string `json:"LifecycleHookId"`
	LifecycleActionToken  string
	LifecycleActionStatus string
	LifecycleActionResult string
	InstanceIDs           struct {
		InstanceID []string `json:"InstanceId"`
	} `json:"InstanceIds"`
}

func (s *Simulator) describeLifecycleActions(p parameters) (reply, error) {
	size, err := p.number("MaxResults")
	if err != nil {
		return nil, err
	}
	token, err := decodeNextToken(p)
	if err != nil {
		return nil, err
	}
	page, err := s.account.LifecycleActions(p["ScalingActivityId"], p["LifecycleActionStatus"], token, size)
	if err != nil {
		return nil, err
	}
	answer := &actionsReply{TotalCount: page.Total, MaxResults: size, NextToken: encodeNextToken(page.Next)}
	answer.LifecycleActions.LifecycleAction = []wireAction{}
	for _, x := range page.Items {
		w := wireAction{
			LifecycleHookID:       x.HookID,
			LifecycleActionToken:  x.Token,
			LifecycleActionStatus: x.Status,
			LifecycleActionResult: string(x.Result),
		}
		w.InstanceIDs.InstanceID = x.InstanceIDs
		answer.LifecycleActions.LifecycleAction = append(answer.LifecycleActions.LifecycleAction, w)
	}
	return answer, nil
}

func (s *Simulator) completeLifecycleAction(p parameters) (reply, error) {
	hook, err := p.required("LifecycleHookId")
	if err != nil {
		return nil, err
	}
	token, err := p.required("LifecycleActionToken")
	if err != nil {
		return nil, err
	}
	return done(s.account.CompleteLifecycleAction(account.Completion{
		HookID: hook,
		Token:  token,
		Result: account.LifecycleResult(p["LifecycleActionResult"]),
	}))
}

// recordLifecycleActionHeartbeat has its parameters in lower case, as the SDK sends
// them.
func (s *Simulator) recordLifecycleActionHeartbeat(p parameters) (reply, error) {
	hook, err := p.required("lifecycleHookId")
	if err != nil {
		return nil, err
	}
	token, err := p.required("lifecycleActionToken")
	if err != nil {
		return nil, err
	}
	timeout, err := p.number("heartbeatTimeout")
	if err != nil {
		return nil, err
	}
	return done(s.account.RecordHeartbeat(hook, token, time.Duration(timeout)*time.Second))
}
