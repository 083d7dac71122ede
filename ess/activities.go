package ess

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	sdkess "github.com/aliyun/alibaba-cloud-sdk-go/services/ess"

	"github.com/buildpool/buildpool/cloudprovider"
)

const activityPage = 50

// Activities reads the group's latest activities, at most 50, in one call. A group
// that does not exist has none.
func (c *Cloud) Activities(ctx context.Context, groupID string) ([]cloudprovider.Activity, error) {
	if err := checkID("read activities of a group", groupID); err != nil {
		return nil, err
	}
	activities, _, err := c.activityPage(ctx, groupID, 1)
	if err = nothing(err); err != nil {
		return nil, fmt.Errorf("read activities of %s: %w", groupID, err)
	}
	// Times are to the minute, so within one the service's own order has to stay.
	newestFirst(activities)
	return activities, nil
}

func newestFirst(activities []cloudprovider.Activity) {
	slices.SortStableFunc(activities, func(a, b cloudprovider.Activity) int { return b.Started.Compare(a.Started) })
}

// activityPage reads one page of a group's activities, newest first, and the length of
// the whole list.
func (c *Cloud) activityPage(ctx context.Context, groupID string, number int) (activities []cloudprovider.Activity, total int, err error) {
	answer, err := read(ctx, c, func() *sdkess.DescribeScalingActivitiesRequest {
		request := sdkess.CreateDescribeScalingActivitiesRequest()
		request.ScalingGroupId = groupID
		request.PageSize = requests.NewInteger(activityPage)
		request.PageNumber = requests.NewInteger(number)
		return request
	}, sdkess.CreateDescribeScalingActivitiesResponse)
	if err != nil {
		return nil, 0, err
	}
	activities = make([]cloudprovider.Activity, 0, len(answer.ScalingActivities.ScalingActivity))
	for _, a := range answer.ScalingActivities.ScalingActivity {
		activities = append(activities, toActivity(a))
	}
	return activities, answer.TotalCount, nil
}

func toActivity(a sdkess.ScalingActivity) cloudprovider.Activity {
	return cloudprovider.Activity{
		ID:        a.ScalingActivityId,
		GroupID:   a.ScalingGroupId,
		Status:    cloudprovider.ActivityStatus(a.StatusCode),
		Started:   toTime(a.StartTime),
		Ended:     toTime(a.EndTime),
		Requested: requested(a),
		Detaches:  detaches(a),
		// Economical mode starts and stops instances that it keeps.
		Created:  slices.Concat(a.CreatedInstances.CreatedInstance, a.StartedInstances.StartedInstance),
		Removed:  slices.Concat(a.DestroyedInstances.DestroyedInstance, a.StoppedInstances.StoppedInstance),
		Failure:  toFailure(a),
		Cause:    a.Cause,
		Metadata: a.ActivityMetadata,
		Asked:    a.TriggerSourceType != "Ess",
	}
}

// fromTo is how an activity's cause tells its size: from "1" to "2".
var fromTo = regexp.MustCompile(`from "(\d+)" to "(\d+)"`)

// requested returns how many instances the activity set out to add, negative to
// remove. ScalingInstanceNumber has no sign; what the activity did, what it says it
// does and why it was started, in this order, tell the direction.
func requested(a sdkess.ScalingActivity) int {
	change := 0
	if m := fromTo.FindStringSubmatch(a.Cause); m != nil {
		from, _ := strconv.Atoi(m[1])
		to, _ := strconv.Atoi(m[2])
		change = to - from
	}
	count := a.ScalingInstanceNumber
	switch {
	case count == 0 && a.StatusCode == string(cloudprovider.ActivitySuccessful):
		return 0 // it only moved the expected number
	case count == 0:
		return change
	}
	added := a.CreatedCapacity + a.StartedCapacity
	removed := a.DestroyedCapacity + a.StoppedCapacity
	does := strings.ToLower(a.Description)
	switch {
	case added > 0 || removed > 0:
		if removed > added {
			return -count
		}
	case strings.HasPrefix(does, "remove"), strings.HasPrefix(does, "detach"), strings.HasPrefix(does, "stop"):
		return -count
	case strings.HasPrefix(does, "add"), strings.HasPrefix(does, "attach"), strings.HasPrefix(does, "start"), strings.HasPrefix(does, "create"):
	case change < 0:
		return -count
	}
	return count
}

// detaches reports whether the activity lets instances go without releasing them.
func detaches(a sdkess.ScalingActivity) bool {
	return strings.HasPrefix(strings.ToLower(a.Description), "detach") || strings.Contains(a.Cause, " to detach ")
}

// toFailure returns why an activity that is over fell short, nil if it did not. Of
// several reasons a missing resource counts first: only that one calls for trying
// elsewhere at once.
func toFailure(a sdkess.ScalingActivity) *cloudprovider.Failure {
	switch cloudprovider.ActivityStatus(a.StatusCode) {
	case cloudprovider.ActivityFailed, cloudprovider.ActivityWarning, cloudprovider.ActivityRejected:
	default:
		return nil
	}
	reasons := []cloudprovider.Failure{{Code: a.ErrorCode, Message: a.ErrorMessage}}
	for _, m := range a.ErrorMessages.ErrorMessagesItem {
		reasons = append(reasons, cloudprovider.Failure{Code: m.Code, Message: firstSet(m.Message, m.Description)})
	}
	var chosen cloudprovider.Failure
	for _, r := range reasons {
		r.Code = plain(r.Code)
		r.Class = failureClass(r.Code)
		if r.Code != "" && (chosen.Code == "" || r.Class == cloudprovider.OutOfResources && chosen.Class != r.Class) {
			chosen = r
		}
	}
	if chosen.Code == "" {
		chosen = cloudprovider.Failure{Class: cloudprovider.OtherFailure, Code: a.StatusCode, Message: firstSet(a.ErrorMessage, a.StatusMessage)}
	}
	chosen.Message = redact(chosen.Message, Credentials{})
	return &chosen
}
