package ess

import (
	"context"
	"fmt"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	sdksts "github.com/aliyun/alibaba-cloud-sdk-go/services/sts"

	"github.com/buildpool/buildpool/cloudprovider"
)

const (
	// sessionName is what the account's audit log calls our sessions.
	sessionName = "buildpool"
	// sessionSeconds is the default of STS and the most that any role allows.
	sessionSeconds = 3600
)

// assumedRole exchanges credentials for those of a role.
type assumedRole struct {
	call caller
	role string
}

func newAssumedRole(from CredentialSource, role string, o CredentialOptions) (CredentialSource, error) {
	at, err := o.stsDoor()
	if err != nil {
		return nil, err
	}
	silent, err := newMetrics(nil)
	if err != nil {
		return nil, err
	}
	door, _ := newSender(o.Region, at, o.Transport, o.Timeouts)
	through := withRetry(signed(door, from), newRetrier(Retry{Attempts: 3}, o.Clock, o.Jitter, silent))
	return &assumedRole{call: through, role: role}, nil
}

// stsDoor returns where STS answers.
func (o CredentialOptions) stsDoor() (endpoint, error) {
	if !regionForm.MatchString(o.Region) {
		return endpoint{}, fmt.Errorf("region %q: %w", o.Region, cloudprovider.ErrInvalidArgument)
	}
	return parseEndpoint(o.STSEndpoint)
}

// Credentials assumes the role.
func (a *assumedRole) Credentials(ctx context.Context) (Credentials, error) {
	answer, err := do(ctx, a.call, false, func() *sdksts.AssumeRoleRequest {
		request := sdksts.CreateAssumeRoleRequest()
		request.RoleArn = a.role
		request.RoleSessionName = sessionName
		request.DurationSeconds = requests.NewInteger(sessionSeconds)
		return request
	}, sdksts.CreateAssumeRoleResponse)
	if err != nil {
		return Credentials{}, fmt.Errorf("assume role %s: %w", a.role, err)
	}
	key, err := temporary(answer.Credentials)
	if err != nil {
		return Credentials{}, fmt.Errorf("assume role %s: %w", a.role, err)
	}
	return key, nil
}

// temporary reads the credentials that STS and the metadata service issue.
func temporary(issued sdksts.Credentials) (Credentials, error) {
	key := Credentials{
		AccessKeyID:     issued.AccessKeyId,
		AccessKeySecret: issued.AccessKeySecret,
		SecurityToken:   issued.SecurityToken,
	}
	if !key.complete() || key.SecurityToken == "" {
		return Credentials{}, fmt.Errorf("%w: %w", errNoKey, cloudprovider.ErrUnavailable)
	}
	expires, err := time.Parse(time.RFC3339, issued.Expiration)
	if err != nil {
		// The error of time.Parse quotes its input, which comes from beside a secret.
		return Credentials{}, fmt.Errorf("the answer does not say when the key expires: %w", cloudprovider.ErrUnavailable)
	}
	key.Expires = expires
	return key, nil
}
