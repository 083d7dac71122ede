package ess

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/buildpool/buildpool/cloudprovider"
)

func TestClassify(t *testing.T) {
	for _, test := range []struct {
		code   string
		status int
		kind   error
		again  bool
	}{
		{"Throttling", 400, cloudprovider.ErrThrottled, true},
		{"Throttling.User", 400, cloudprovider.ErrThrottled, true},
		{"Throttling.Api", 400, cloudprovider.ErrThrottled, true},
		{"Rejected.Throttling", 400, cloudprovider.ErrThrottled, true},
		{"ServiceUnavailable", 503, cloudprovider.ErrUnavailable, true},
		{"ServiceUnavailableTemporary", 503, cloudprovider.ErrUnavailable, true},
		{"InternalError", 500, cloudprovider.ErrUnavailable, true},
		{"SignatureNonceUsed", 400, cloudprovider.ErrUnavailable, true},
		{"InvalidScalingGroupId.NotFound", 404, cloudprovider.ErrGroupNotFound, false},
		{"InvalidInstanceId.NotFound", 404, cloudprovider.ErrInstanceNotFound, false},
		{"IncorrectScalingGroupStatus", 400, cloudprovider.ErrGroupInactive, false},
		{"ScalingActivityInProgress", 400, cloudprovider.ErrConflict, false},
		{"Operation.Conflict", 400, cloudprovider.ErrConflict, true},
		{"InvalidOperation.Conflict", 400, cloudprovider.ErrConflict, true},
		{"IncorrectInstanceStatus", 400, cloudprovider.ErrConflict, false},
		{"IncorrectCapacity.MinSize", 400, cloudprovider.ErrBelowMin, false},
		{"IncorrectCapacity.MaxSize", 400, cloudprovider.ErrAboveMax, false},
		{"IncorrectCapacity.NoChange", 400, cloudprovider.ErrNoChange, false},
		{"InvalidScalingConfigurationId.NotFound", 404, cloudprovider.ErrNoTemplate, false},
		{"InvalidLaunchTemplate.NotFound", 404, cloudprovider.ErrNoTemplate, false},
		{"OperationDenied.NoStock", 403, cloudprovider.ErrOutOfStock, false},
		{"QuotaExceed.ElasticQuota", 400, cloudprovider.ErrQuotaExceeded, false},
		{"QuotaExceeded.AfterpayInstance", 400, cloudprovider.ErrQuotaExceeded, false},
		{"InsufficientBalance", 400, cloudprovider.ErrQuotaExceeded, false},
		{"Forbidden.RAM", 403, cloudprovider.ErrForbidden, false},
		{"Forbidden.Unauthorized", 403, cloudprovider.ErrForbidden, false},
		{"InvalidAccessKeyId.NotFound", 404, cloudprovider.ErrForbidden, false},
		{"SignatureDoesNotMatch", 400, cloudprovider.ErrForbidden, false},
		{"InvalidSecurityToken.Expired", 400, cloudprovider.ErrForbidden, false},
		{"InvalidTimeStamp.Expired", 400, cloudprovider.ErrForbidden, false},
		{"IdempotentParameterMismatch", 400, cloudprovider.ErrInvalidArgument, false},
		{"InvalidParameter", 400, cloudprovider.ErrInvalidArgument, false},
		{"InvalidParameter.Conflict", 400, cloudprovider.ErrInvalidArgument, false},
		{"MissingParameter", 400, cloudprovider.ErrInvalidArgument, false},
		{"Never.Heard", 400, cloudprovider.ErrInvalidArgument, false},
		{"Never.Heard", 404, cloudprovider.ErrInvalidArgument, false},
		{"Never.Heard", 403, cloudprovider.ErrForbidden, false},
		{"Never.Heard", 429, cloudprovider.ErrThrottled, true},
		{"Never.Heard", 500, cloudprovider.ErrUnavailable, true},
		{"", 400, cloudprovider.ErrUnavailable, true},
		{"", 302, cloudprovider.ErrUnavailable, true},
		{"", 504, cloudprovider.ErrUnavailable, true},
	} {
		r := classify(test.code, test.status)
		assert.Equal(t, test.kind, r.kind, "%s %d", test.code, test.status)
		assert.Equal(t, test.again, r.again, "%s %d", test.code, test.status)
	}
}

// TestNoRuleIsHidden: a rule behind a wider one would never be used.
func TestNoRuleIsHidden(t *testing.T) {
	for _, r := range rules {
		found, known := lookup(strings.TrimSuffix(r.code, "*"))
		assert.True(t, known)
		assert.Equal(t, r.code, found.code)
		assert.Error(t, r.kind, r.code)
	}
}

func TestFailureClass(t *testing.T) {
	for code, want := range map[string]cloudprovider.FailureClass{
		"OperationDenied.NoStock":                    cloudprovider.OutOfResources,
		"NoInstanceStock":                            cloudprovider.OutOfResources,
		"QuotaExceed.ElasticQuota":                   cloudprovider.OutOfResources,
		"QuotaExceed.AfterpayInstance":               cloudprovider.OutOfResources,
		"QuotaExceeded.PrivateIpAddress":             cloudprovider.OutOfResources,
		"InvalidSpotPriceLimit.LowerThanPublicPrice": cloudprovider.OutOfResources,
		"Zone.NotOnSale":                             cloudprovider.OutOfResources,
		"InstanceType.Offline":                       cloudprovider.OutOfResources,
		"InsufficientBalance":                        cloudprovider.OutOfResources,
		"InvalidParameter":                           cloudprovider.OtherFailure,
		"InternalError":                              cloudprovider.OtherFailure,
		"Forbidden.RAM":                              cloudprovider.OtherFailure,
		"Never.Heard":                                cloudprovider.OtherFailure,
		"":                                           cloudprovider.OtherFailure,
	} {
		assert.Equal(t, want, failureClass(code), code)
	}
}
