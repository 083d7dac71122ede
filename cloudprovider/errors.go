package cloudprovider

import (
	"errors"
	"fmt"
	"time"
)

// The errors of the vocabulary. Callers match them with errors.Is.
var (
	// ErrNotReady: no snapshot of the cloud has been read yet.
	ErrNotReady = errors.New("not ready: the cloud has not been read yet")
	// ErrGroupNotFound: no such group, in the configuration or in the cloud.
	ErrGroupNotFound = errors.New("group not found")
	// ErrInstanceNotFound: no such instance in the group.
	ErrInstanceNotFound = errors.New("instance not found")
	// ErrNotManaged: the node or instance belongs to none of our groups.
	ErrNotManaged = errors.New("not managed by buildpool")
	// ErrInvalidArgument: the request itself is wrong; repeating it cannot help.
	ErrInvalidArgument = errors.New("invalid argument")
	// ErrBelowMin: fewer instances than the group's min would be left.
	ErrBelowMin = errors.New("below the group's min")
	// ErrAboveMax: more instances than the group's max were asked for.
	ErrAboveMax = errors.New("above the group's max")
	// ErrNoChange: the group already has what was asked for.
	ErrNoChange = errors.New("no change")
	// ErrNodeInUse: the instance backs a live node, or a build runs on it.
	ErrNodeInUse = errors.New("node in use")
	// ErrClusterUnseen: it is not known what runs in the Kubernetes cluster now.
	ErrClusterUnseen = errors.New("the cluster cannot be seen")
	// ErrPodChanged: the pod is no longer as it was when something was decided about it; it
	// is to be looked at again.
	ErrPodChanged = errors.New("the pod has changed")
	// ErrNoTemplate: it cannot be told what a new node would look like.
	ErrNoTemplate = errors.New("no node template")
	// ErrNoPrice: it is not known what an instance costs. Never a price of 0 instead.
	ErrNoPrice = errors.New("no price known")
	// ErrGroupInactive: the scaling group is not Active, or suspended.
	ErrGroupInactive = errors.New("scaling group not active")
	// ErrConflict: another activity holds the group; the same request may pass later.
	ErrConflict = errors.New("another scaling activity is in progress")
	// ErrOutOfStock: the cloud has no such instance to give.
	ErrOutOfStock = errors.New("out of stock")
	// ErrQuotaExceeded: the account's quota or balance forbids it.
	ErrQuotaExceeded = errors.New("quota exceeded")
	// ErrThrottled: the account's rate limit; the same request may pass later.
	ErrThrottled = errors.New("throttled")
	// ErrUnavailable: the cloud cannot be reached or is failing.
	ErrUnavailable = errors.New("cloud unavailable")
	// ErrForbidden: the credentials are wrong or lack a permission.
	ErrForbidden = errors.New("forbidden")
	// ErrDryRun: nothing is written, so what was asked has not been done.
	ErrDryRun = errors.New("dry run, nothing is sent")
	// ErrOutcomeUnknown: a write was sent and no answer came; it may have happened.
	ErrOutcomeUnknown = errors.New("outcome unknown")
)

// CloudError is an error of a cloud's API. It carries no secret: a Cloud must
// strip keys, tokens and signatures from what it puts here.
type CloudError struct {
	// Kind is the sentinel it stands for.
	Kind error
	// API is the operation ("ScaleWithAdjustment"), Code the cloud's own error code.
	API, Code, Message string
	RequestID          string
	HTTPStatus         int
	// RetryAfter is how long the cloud asked us to wait; 0 when it did not say.
	RetryAfter time.Duration
}

func (e *CloudError) Error() string {
	s := fmt.Sprintf("%s: %v", e.API, e.Kind)
	if e.Code != "" {
		s += ": " + e.Code
	}
	if e.Message != "" {
		s += ": " + e.Message
	}
	if e.RequestID != "" {
		s += " (request " + e.RequestID + ")"
	}
	return s
}

// Unwrap gives the sentinel.
func (e *CloudError) Unwrap() error { return e.Kind }
