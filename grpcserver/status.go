package grpcserver

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/buildpool/buildpool/cloudprovider"
)

// errPanicked stands for a panic in a handler; what it was is in the log only.
var errPanicked = errors.New("internal error: the server's log has the details")

// codeOf is the one place where errors become gRPC codes; the first row that
// matches wins. CA looks at two things only, whether there is an error and whether
// it is Unimplemented; the rest is for the people and dashboards that read codes.
var codeOf = []struct {
	err  error
	code codes.Code
}{
	// Before the context's errors, which are often its cause: that a write may have
	// happened matters more than why its answer is missing.
	{cloudprovider.ErrOutcomeUnknown, codes.Unknown},
	{context.DeadlineExceeded, codes.DeadlineExceeded},
	{context.Canceled, codes.Canceled},

	{cloudprovider.ErrNotReady, codes.Unavailable},
	{cloudprovider.ErrUnavailable, codes.Unavailable},
	{cloudprovider.ErrClusterUnseen, codes.Unavailable},
	// gRPC's own word for a rate limit. Not Unavailable: the cloud answers, and what
	// helps is fewer calls or a higher quota.
	{cloudprovider.ErrThrottled, codes.ResourceExhausted},
	{cloudprovider.ErrQuotaExceeded, codes.ResourceExhausted},
	{cloudprovider.ErrOutOfStock, codes.ResourceExhausted},

	{cloudprovider.ErrInvalidArgument, codes.InvalidArgument},
	{cloudprovider.ErrGroupNotFound, codes.NotFound},
	{cloudprovider.ErrInstanceNotFound, codes.NotFound},
	{cloudprovider.ErrNotManaged, codes.NotFound},

	{cloudprovider.ErrBelowMin, codes.FailedPrecondition},
	{cloudprovider.ErrAboveMax, codes.FailedPrecondition},
	{cloudprovider.ErrNodeInUse, codes.FailedPrecondition},
	{cloudprovider.ErrGroupInactive, codes.FailedPrecondition},
	{cloudprovider.ErrNoChange, codes.FailedPrecondition},
	{cloudprovider.ErrDryRun, codes.FailedPrecondition},
	{cloudprovider.ErrConflict, codes.Aborted},
	{cloudprovider.ErrForbidden, codes.PermissionDenied},

	// CA from 1.29 on skips a group whose template is Unimplemented, while any other
	// error ends the whole loop before it learned to skip those too: one group
	// without a template must not stop the others.
	{cloudprovider.ErrNoTemplate, codes.Unimplemented},
	// What the protocol prescribes for a server without a price: CA drops the option
	// with its price expander, as it does on any error.
	{cloudprovider.ErrNoPrice, codes.Unimplemented},
}

func code(err error) codes.Code {
	for _, row := range codeOf {
		if errors.Is(err, row.err) {
			return row.code
		}
	}
	return codes.Internal
}

// withStatus turns the handlers' errors into gRPC's.
func (s *service) withStatus(ctx context.Context, request any, _ *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
	response, err := handle(ctx, request)
	if err == nil {
		return response, nil
	}
	return nil, s.statusOf(err, groupOf(request))
}

func (s *service) statusOf(err error, group string) error {
	var already interface{ GRPCStatus() *status.Status }
	if errors.As(err, &already) {
		return already.GRPCStatus().Err()
	}
	message := err.Error()
	if errors.Is(err, cloudprovider.ErrGroupNotFound) {
		message += s.knownGroups(group)
	}
	return status.Error(code(err), validText(redact(message)))
}

// mostNamesInError keeps the message readable in an account with hundreds of groups.
const mostNamesInError = 20

// knownGroups lists the groups there are, unless the group is one of them and it is
// the cloud that does not find it.
func (s *service) knownGroups(unknown string) string {
	groups, err := s.provider.NodeGroups()
	if err != nil {
		return ""
	}
	names := make([]string, 0, mostNamesInError)
	for _, group := range groups {
		if group.ID == unknown {
			return ""
		}
		if len(names) < mostNamesInError {
			names = append(names, group.ID)
		}
	}
	switch {
	case len(groups) == 0:
		return " (no groups are configured)"
	case len(groups) > len(names):
		return fmt.Sprintf(" (known groups: %s and %d more)", strings.Join(names, ", "), len(groups)-len(names))
	}
	return " (known groups: " + strings.Join(names, ", ") + ")"
}

// groupOf is the node group a request names, if any.
func groupOf(request any) string {
	if named, ok := request.(interface{ GetId() string }); ok {
		return named.GetId()
	}
	return ""
}
