package grpcserver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/assert"
	"google.golang.org/grpc/codes"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc/protos"

	"github.com/buildpool/buildpool/cloudprovider"
)

func TestCodes(t *testing.T) {
	cloud := &cloudprovider.CloudError{Kind: cloudprovider.ErrThrottled, API: "ScaleWithAdjustment", Code: "Throttling.User", RequestID: "R-1"}
	for _, test := range []struct {
		err  error
		want codes.Code
	}{
		{cloudprovider.ErrNotReady, codes.Unavailable},
		{cloudprovider.ErrGroupNotFound, codes.NotFound},
		{cloudprovider.ErrInstanceNotFound, codes.NotFound},
		{cloudprovider.ErrNotManaged, codes.NotFound},
		{cloudprovider.ErrInvalidArgument, codes.InvalidArgument},
		{cloudprovider.ErrBelowMin, codes.FailedPrecondition},
		{cloudprovider.ErrAboveMax, codes.FailedPrecondition},
		{cloudprovider.ErrNoChange, codes.FailedPrecondition},
		{cloudprovider.ErrDryRun, codes.FailedPrecondition},
		{cloudprovider.ErrNodeInUse, codes.FailedPrecondition},
		{cloudprovider.ErrNoTemplate, codes.Unimplemented},
		{cloudprovider.ErrGroupInactive, codes.FailedPrecondition},
		{cloudprovider.ErrConflict, codes.Aborted},
		{cloudprovider.ErrOutOfStock, codes.ResourceExhausted},
		{cloudprovider.ErrQuotaExceeded, codes.ResourceExhausted},
		{cloudprovider.ErrThrottled, codes.ResourceExhausted},
		{cloudprovider.ErrUnavailable, codes.Unavailable},
		{cloudprovider.ErrForbidden, codes.PermissionDenied},
		{cloudprovider.ErrOutcomeUnknown, codes.Unknown},
		{context.DeadlineExceeded, codes.DeadlineExceeded},
		{context.Canceled, codes.Canceled},
		{errors.New("anything else"), codes.Internal},
		{cloud, codes.ResourceExhausted},
		{fmt.Errorf("%w: %w", cloudprovider.ErrOutcomeUnknown, context.DeadlineExceeded), codes.Unknown},
		{fmt.Errorf("%w: %w", cloudprovider.ErrUnavailable, context.DeadlineExceeded), codes.DeadlineExceeded},
		{errors.Join(errors.New("node a: odd"), fmt.Errorf("node b: %w", cloudprovider.ErrBelowMin)), codes.FailedPrecondition},
	} {
		t.Run(test.err.Error(), func(t *testing.T) {
			w := connect(t, &account{fail: fmt.Errorf("increase group spot: %w", test.err)}, slog.LevelInfo)
			_, err := w.NodeGroupIncreaseSize(t.Context(), &protos.NodeGroupIncreaseSizeRequest{Id: "spot", Delta: 1})
			requireStatus(t, err, test.want, "increase group spot: ", test.err.Error())
		})
	}
}

func TestUnknownGroupTellsTheKnownOnes(t *testing.T) {
	many := make([]cloudprovider.NodeGroup, mostNamesInError+1)
	for i := range many {
		many[i].ID = fmt.Sprintf("g%02d", i)
	}
	for name, test := range map[string]struct {
		groups []cloudprovider.NodeGroup
		want   string
	}{
		"none":          {nil, " (no groups are configured)"},
		"some":          {many[:2], " (known groups: g00, g01)"},
		"as many as go": {many[:mostNamesInError], ", g18, g19)"},
		"more":          {many, ", g19 and 1 more)"},
	} {
		t.Run(name, func(t *testing.T) {
			w := connect(t, &account{groups: test.groups}, slog.LevelInfo)
			_, err := w.NodeGroupTargetSize(t.Context(), &protos.NodeGroupTargetSizeRequest{Id: "spto"})
			requireStatus(t, err, codes.NotFound, `"spto"`, test.want)
		})
	}
}

func TestKnownGroupMissingInTheCloudDoesNotListNames(t *testing.T) {
	s := &service{provider: &account{groups: []cloudprovider.NodeGroup{{ID: "gpu"}, {ID: "spot"}}}}
	err := s.statusOf(fmt.Errorf("scaling group asg-1: %w", cloudprovider.ErrGroupNotFound), "spot")
	requireStatus(t, err, codes.NotFound)
	assert.NotContains(t, err.Error(), "known groups")
}

func TestSecretsNeverLeave(t *testing.T) {
	const query = `Get "https://ess.aliyuncs.com/?AccessKeyId=LTAI5tSecretSecret&Signature=c2VjcmV0%2Bc2ln%3D&SecurityToken=CAISsecret%2Ftoken&Action=X": EOF`
	for _, text := range []string{
		query,
		`{"AccessKeyId":"LTAI5tSecretSecret","AccessKeySecret":"topsecret","SecurityToken":"secret"}`,
		`access_key_secret: topsecret`,
		`key LTAI5tSecretSecret is disabled`,
		`token STS.NSecretSecret expired`,
		`header X-Acs-Security-Token=secret`,
	} {
		t.Run(text, func(t *testing.T) {
			provider := &account{fail: errors.New(text)}
			w := connect(t, provider, slog.LevelDebug)
			_, err := w.Refresh(t.Context(), &protos.RefreshRequest{})
			requireStatus(t, err, codes.Internal, "***")
			provider.fail, provider.panicValue = nil, text
			_, panicked := w.Refresh(t.Context(), &protos.RefreshRequest{})
			requireStatus(t, panicked, codes.Internal)
			for _, secret := range []string{"ecretSecret", "topsecret", "c2VjcmV0", "CAISsecret", "=secret", `"secret"`} {
				assert.NotContains(t, err.Error(), secret)
				assert.NotContains(t, panicked.Error(), secret)
				assert.NotContains(t, w.log.String(), secret)
			}
		})
	}
}

func TestRedactKeepsTheRest(t *testing.T) {
	for _, text := range []string{
		"",
		"ScaleWithAdjustment: throttled: Throttling.User (request 473469C7-AA6F-4DC5-B3DB-A3DC0DE3C83E)",
		"SignatureDoesNotMatch: the signature is wrong",
		"group spot: InvalidAccessKeyId.NotFound",
	} {
		assert.Equal(t, text, redact(text))
	}
	assert.Equal(t, "AccessKeyId=***&Action=X", redact("AccessKeyId=LTAIabcdefgh&Action=X"))
}
