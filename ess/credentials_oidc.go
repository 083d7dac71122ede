package ess

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	sdksts "github.com/aliyun/alibaba-cloud-sdk-go/services/sts"
	"k8s.io/utils/clock"

	"github.com/buildpool/buildpool/cloudprovider"
)

// oidcRole exchanges a service-account token for a role's credentials (RRSA). The
// request is not signed, and the SDK's client signs whatever it sends, so this is a
// plain form: the token travels in the body, which no log of a proxy shows.
type oidcRole struct {
	OIDC
	url   string
	web   *webClient
	clock clock.PassiveClock
}

func newOIDCRole(o CredentialOptions) (CredentialSource, error) {
	if !o.OIDC.complete() {
		return nil, fmt.Errorf("role ARN, provider ARN and token file are not all set: %w", cloudprovider.ErrInvalidArgument)
	}
	at, err := o.stsDoor()
	if err != nil {
		return nil, err
	}
	if at.host == "" {
		at.host = firstSet(endpointMaps()["Sts"][o.Region], "sts."+o.Region+".aliyuncs.com")
	}
	carrier := o.Transport
	if carrier == nil {
		carrier = newTransport(o.Timeouts)
	}
	base := strings.ToLower(at.scheme) + "://" + at.host
	return &oidcRole{OIDC: o.OIDC, url: base, web: &webClient{carrier, o.Timeouts.Attempt}, clock: o.Clock}, nil
}

// Credentials reads the token anew, since the kubelet rotates it, and exchanges it.
func (r *oidcRole) Credentials(ctx context.Context) (Credentials, error) {
	key, err := r.exchange(ctx)
	if err != nil {
		return Credentials{}, fmt.Errorf("assume role %s with OIDC: %w", r.RoleARN, err)
	}
	return key, nil
}

func (r *oidcRole) exchange(ctx context.Context) (Credentials, error) {
	token, err := os.ReadFile(r.TokenFile)
	if err != nil {
		return Credentials{}, fmt.Errorf("read the token: %w: %w", err, cloudprovider.ErrForbidden)
	}
	query := url.Values{
		"Action": {"AssumeRoleWithOIDC"}, "Version": {"2015-04-01"}, "Format": {"JSON"},
		"Timestamp": {r.clock.Now().UTC().Format(time.RFC3339)},
	}
	form := url.Values{
		"RoleArn": {r.RoleARN}, "OIDCProviderArn": {r.ProviderARN}, "RoleSessionName": {sessionName},
		"DurationSeconds": {strconv.Itoa(sessionSeconds)}, "OIDCToken": {strings.TrimSpace(string(token))},
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, r.url+"/?"+query.Encode(), strings.NewReader(form.Encode()))
	if err != nil {
		return Credentials{}, fmt.Errorf("make the request: %w", cloudprovider.ErrInvalidArgument)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	status, body, err := r.web.send(request)
	if err != nil {
		return Credentials{}, err
	}
	var answer struct {
		Credentials              sdksts.Credentials
		RequestID, Code, Message string
	}
	// An answer that does not decode leaves all fields empty, and is dealt with so.
	_ = json.Unmarshal(body, &answer)
	if status != http.StatusOK {
		return Credentials{}, &cloudprovider.CloudError{
			Kind: classify(plain(answer.Code), status).kind, API: "AssumeRoleWithOIDC", Code: plain(answer.Code),
			// STS may quote the token it did not like.
			Message:   redact(answer.Message, Credentials{SecurityToken: form.Get("OIDCToken")}),
			RequestID: plain(answer.RequestID), HTTPStatus: status,
		}
	}
	return temporary(answer.Credentials)
}
