package nodegroups_test

import (
	"context"
	"errors"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/buildpool/buildpool/cloudprovider"
)

// classNotManaged is the class of the error that is no error to CA.
const classNotManaged = "not managed [NotFound]"

// errorClass is an error as a transcript names it, and as it is known by on either
// way: by its sentinel, or by its status and the sentinel's words in the message.
type errorClass struct {
	err  error
	code codes.Code
	name string
}

// errorClasses in the order in which the server matches them: the first counts.
var errorClasses = []errorClass{
	{cloudprovider.ErrOutcomeUnknown, codes.Unknown, "outcome unknown"},
	{context.DeadlineExceeded, codes.DeadlineExceeded, "no answer in time"},
	{context.Canceled, codes.Canceled, "cut off"},
	{cloudprovider.ErrNotReady, codes.Unavailable, "not ready"},
	{cloudprovider.ErrUnavailable, codes.Unavailable, "cloud unavailable"},
	{cloudprovider.ErrClusterUnseen, codes.Unavailable, "cluster unseen"},
	{cloudprovider.ErrThrottled, codes.ResourceExhausted, "throttled"},
	{cloudprovider.ErrQuotaExceeded, codes.ResourceExhausted, "quota exceeded"},
	{cloudprovider.ErrOutOfStock, codes.ResourceExhausted, "out of stock"},
	{cloudprovider.ErrInvalidArgument, codes.InvalidArgument, "invalid argument"},
	{cloudprovider.ErrGroupNotFound, codes.NotFound, "group not found"},
	{cloudprovider.ErrInstanceNotFound, codes.NotFound, "instance not found"},
	{cloudprovider.ErrNotManaged, codes.NotFound, "not managed"},
	{cloudprovider.ErrBelowMin, codes.FailedPrecondition, "below min"},
	{cloudprovider.ErrAboveMax, codes.FailedPrecondition, "above max"},
	{cloudprovider.ErrNodeInUse, codes.FailedPrecondition, "node in use"},
	{cloudprovider.ErrGroupInactive, codes.FailedPrecondition, "group inactive"},
	{cloudprovider.ErrNoChange, codes.FailedPrecondition, "no change"},
	{cloudprovider.ErrConflict, codes.Aborted, "conflict"},
	{cloudprovider.ErrForbidden, codes.PermissionDenied, "forbidden"},
	{cloudprovider.ErrNoTemplate, codes.Unimplemented, "no template"},
	{cloudprovider.ErrNoPrice, codes.Unimplemented, "no price"},
}

func (c errorClass) String() string { return c.name + " [" + c.code.String() + "]" }

// classOf names an error by its sentinel.
func classOf(err error) string {
	for _, c := range errorClasses {
		if errors.Is(err, c.err) {
			return c.String()
		}
	}
	return "internal [Internal]"
}

// classOfStatus names an error by what CA gets of it: a code and a message.
func classOfStatus(err error) string {
	s := status.Convert(err)
	for _, c := range errorClasses {
		if s.Code() == c.code && (strings.Contains(s.Message(), c.err.Error()) || c.code == codes.DeadlineExceeded) {
			return c.String()
		}
	}
	return "internal [" + s.Code().String() + "]"
}
