package ess

import (
	"errors"
	"strings"

	"github.com/buildpool/buildpool/cloudprovider"
)

// rule is what an error code of the cloud means.
type rule struct {
	// code is matched whole, or as a prefix when it ends in an asterisk.
	code string
	kind error
	// again: the same request may pass a moment later.
	again bool
	// refused: nothing was done, even if the answer is an HTTP 5xx. Of all others the
	// API reference says no more than to send them again with the same token.
	refused bool
	// stale: newer credentials of the same identity may pass.
	stale bool
}

// rules is the one table from the codes of ESS, ECS, VPC and STS to the vocabulary,
// for the answers to a call as for the errors of a scaling activity. The first match
// counts. Codes are those of the API references, as listed per operation there.
var rules = []rule{
	// The account's rate limits, over every API.
	{code: "Throttling*", kind: cloudprovider.ErrThrottled, again: true, refused: true},
	{code: "Rejected.Throttling", kind: cloudprovider.ErrThrottled, again: true, refused: true},
	{code: "FlowControl*", kind: cloudprovider.ErrThrottled, again: true, refused: true},

	// The service itself.
	{code: "ServiceUnavailable*", kind: cloudprovider.ErrUnavailable, again: true},
	{code: "InternalError*", kind: cloudprovider.ErrUnavailable, again: true},
	{code: "UnknownError", kind: cloudprovider.ErrUnavailable, again: true},
	// Our nonce reached them once already, through a repetition below us.
	{code: "SignatureNonceUsed", kind: cloudprovider.ErrUnavailable, again: true},

	// Groups and their instances.
	{code: "InvalidScalingGroupId.NotFound", kind: cloudprovider.ErrGroupNotFound},
	{code: "InvalidInstanceId.NotFound", kind: cloudprovider.ErrInstanceNotFound},
	{code: "IncorrectScalingGroupStatus", kind: cloudprovider.ErrGroupInactive},
	{code: "IncorrectCapacity.MinSize", kind: cloudprovider.ErrBelowMin},
	{code: "IncorrectCapacity.MaxSize", kind: cloudprovider.ErrAboveMax},
	{code: "IncorrectCapacity.NoChange", kind: cloudprovider.ErrNoChange},
	// It lasts as long as the other activity, mostly minutes: not ours to wait for.
	{code: "ScalingActivityInProgress", kind: cloudprovider.ErrConflict},
	// This one is a collision of two requests and passes in a moment.
	{code: "Operation.Conflict", kind: cloudprovider.ErrConflict, again: true},
	{code: "InvalidOperation.Conflict", kind: cloudprovider.ErrConflict, again: true},
	{code: "OperationConflict", kind: cloudprovider.ErrConflict, again: true},
	{code: "IncorrectInstanceStatus", kind: cloudprovider.ErrConflict},
	{code: "IncorrectLoadBalancerStatus", kind: cloudprovider.ErrConflict},
	{code: "IncorrectDBInstanceStatus", kind: cloudprovider.ErrConflict},

	// Launch settings.
	{code: "InvalidScalingConfigurationId.NotFound", kind: cloudprovider.ErrNoTemplate},
	{code: "MissingActiveScalingConfiguration", kind: cloudprovider.ErrNoTemplate},
	{code: "InvalidLaunchTemplate*", kind: cloudprovider.ErrNoTemplate},
	{code: "LaunchTemplateSet.NotFound", kind: cloudprovider.ErrNoTemplate},
	{code: "LaunchTemplateVersionSet.NotFound", kind: cloudprovider.ErrNoTemplate},
	{code: "TemplateMissingParameter*", kind: cloudprovider.ErrNoTemplate},
	{code: "TemplateVersion.NotNumber", kind: cloudprovider.ErrNoTemplate},

	// Stock.
	{code: "OperationDenied.NoStock", kind: cloudprovider.ErrOutOfStock},
	{code: "NoInstanceStock", kind: cloudprovider.ErrOutOfStock},
	{code: "ResourceNotAvailable*", kind: cloudprovider.ErrOutOfStock},
	{code: "Zone.NotOnSale", kind: cloudprovider.ErrOutOfStock},
	{code: "InstanceType.Offline", kind: cloudprovider.ErrOutOfStock},
	{code: "InvalidInstanceType.ValueNotSupported", kind: cloudprovider.ErrOutOfStock},
	{code: "InvalidSpotPriceLimit.LowerThanPublicPrice", kind: cloudprovider.ErrOutOfStock},

	// Quota and balance.
	{code: "QuotaExceed*", kind: cloudprovider.ErrQuotaExceeded},
	{code: "InsufficientBalance*", kind: cloudprovider.ErrQuotaExceeded},
	{code: "InvalidAccountStatus.NotEnoughBalance", kind: cloudprovider.ErrQuotaExceeded},
	{code: "Account.Arrearage", kind: cloudprovider.ErrQuotaExceeded},

	// Who we are and what we may do.
	{code: "InvalidSecurityToken*", kind: cloudprovider.ErrForbidden, stale: true},
	{code: "InvalidAccessKeyId*", kind: cloudprovider.ErrForbidden, stale: true},
	{code: "MissingSecurityToken", kind: cloudprovider.ErrForbidden},
	{code: "SignatureDoesNotMatch", kind: cloudprovider.ErrForbidden},
	{code: "IncompleteSignature", kind: cloudprovider.ErrForbidden},
	{code: "InvalidTimeStamp*", kind: cloudprovider.ErrForbidden},
	{code: "Forbidden*", kind: cloudprovider.ErrForbidden},
	{code: "NoPermission*", kind: cloudprovider.ErrForbidden},
	{code: "AuthenticationFail*", kind: cloudprovider.ErrForbidden},
	{code: "EntityNotExist.Role", kind: cloudprovider.ErrForbidden},

	// The request.
	{code: "IdempotentParameterMismatch", kind: cloudprovider.ErrInvalidArgument},
	{code: "InvalidParam*", kind: cloudprovider.ErrInvalidArgument},
	{code: "Missing*", kind: cloudprovider.ErrInvalidArgument},
	{code: "UnsupportedOperation", kind: cloudprovider.ErrInvalidArgument},
	{code: "NoSuchVersion", kind: cloudprovider.ErrInvalidArgument},
}

// lookup returns the rule for a code.
func lookup(code string) (rule, bool) {
	for _, r := range rules {
		if prefix, open := strings.CutSuffix(r.code, "*"); code == r.code || open && strings.HasPrefix(code, prefix) {
			return r, true
		}
	}
	return rule{}, false
}

// classify returns the rule for an answer: by its code, else by its HTTP status.
func classify(code string, status int) rule {
	if r, known := lookup(code); known {
		return r
	}
	switch {
	case status == 429:
		return rule{kind: cloudprovider.ErrThrottled, again: true}
	case status == 401 || status == 403:
		return rule{kind: cloudprovider.ErrForbidden}
	case status >= 400 && status < 500 && code != "":
		return rule{kind: cloudprovider.ErrInvalidArgument}
	}
	// A 5xx; a redirect, by which STS says that it throttles; or a 4xx that is some
	// proxy's, since every error of the API has a code.
	return rule{kind: cloudprovider.ErrUnavailable, again: true}
}

// failureClass says what a scaling activity's error code means to cluster-autoscaler:
// whether the cloud or the account had nothing to give, so that another group may.
func failureClass(code string) cloudprovider.FailureClass {
	r, _ := lookup(code)
	if errors.Is(r.kind, cloudprovider.ErrOutOfStock) || errors.Is(r.kind, cloudprovider.ErrQuotaExceeded) {
		return cloudprovider.OutOfResources
	}
	return cloudprovider.OtherFailure
}
