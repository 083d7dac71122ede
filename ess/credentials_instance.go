package ess

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	sdksts "github.com/aliyun/alibaba-cloud-sdk-go/services/sts"

	"github.com/buildpool/buildpool/cloudprovider"
)

const (
	metadataToken    = "/latest/api/token"
	metadataRole     = "/latest/meta-data/ram/security-credentials/"
	metadataTokenTTL = "X-aliyun-ecs-metadata-token-ttl-seconds"
	metadataTokenKey = "X-aliyun-ecs-metadata-token"
	// metadataTime bounds one request: the service is on the same machine.
	metadataTime = 2 * time.Second
)

// roleForm is what RAM accepts as a role's name.
var roleForm = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// instanceRole asks the instance's metadata service for the credentials of its role:
// with a session token (IMDSv2), or without where that is not offered (v1).
type instanceRole struct {
	base string
	role string
	noV1 bool
	web  *webClient
}

func newInstanceRole(o CredentialOptions) (CredentialSource, error) {
	if strings.EqualFold(o.Getenv("ALIBABA_CLOUD_ECS_METADATA_DISABLED"), "true") {
		return nil, fmt.Errorf("ALIBABA_CLOUD_ECS_METADATA_DISABLED switches it off: %w", cloudprovider.ErrInvalidArgument)
	}
	base, err := url.Parse(o.MetadataEndpoint)
	if err != nil || base.Host == "" || (base.Scheme != "http" && base.Scheme != "https") {
		return nil, fmt.Errorf("the metadata endpoint is not a URL: %w", cloudprovider.ErrInvalidArgument)
	}
	carrier := o.Transport
	if carrier == nil {
		// A proxy would be asked for its own role, or hand ours to its log.
		direct := newTransport(Timeouts{Connect: time.Second, Attempt: metadataTime})
		direct.Proxy = nil
		carrier = direct
	}
	return &instanceRole{
		base: strings.TrimSuffix(o.MetadataEndpoint, "/"),
		role: firstSet(o.RoleName, o.Getenv("ALIBABA_CLOUD_ECS_METADATA")),
		noV1: strings.EqualFold(o.Getenv("ALIBABA_CLOUD_IMDSV1_DISABLED"), "true"),
		web:  &webClient{carrier, metadataTime},
	}, nil
}

// Credentials fetches those of the instance's role.
func (r *instanceRole) Credentials(ctx context.Context) (Credentials, error) {
	key, err := r.fetch(ctx)
	if err != nil {
		return Credentials{}, fmt.Errorf("ask the instance for its role's credentials: %w", err)
	}
	return key, nil
}

func (r *instanceRole) fetch(ctx context.Context) (Credentials, error) {
	session, err := r.session(ctx)
	if err != nil {
		return Credentials{}, err
	}
	role := r.role
	if role == "" {
		listed, err := r.get(ctx, metadataRole, session)
		if err != nil {
			return Credentials{}, err
		}
		role, _, _ = strings.Cut(strings.TrimSpace(string(listed)), "\n")
		if !roleForm.MatchString(role) {
			return Credentials{}, fmt.Errorf("the instance names no role: %w", cloudprovider.ErrForbidden)
		}
	}
	body, err := r.get(ctx, metadataRole+url.PathEscape(role), session)
	if err != nil {
		return Credentials{}, err
	}
	var answer struct {
		sdksts.Credentials
		Code string
	}
	// An answer that does not decode holds no key, and is refused as such.
	_ = json.Unmarshal(body, &answer)
	if answer.Code != "Success" {
		return Credentials{}, fmt.Errorf("the metadata service answered %q for role %s: %w", plain(answer.Code), role, cloudprovider.ErrUnavailable)
	}
	return temporary(answer.Credentials)
}

// session returns an IMDSv2 token, "" to go on with v1.
func (r *instanceRole) session(ctx context.Context) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPut, r.base+metadataToken, nil)
	if err != nil {
		return "", fmt.Errorf("make the request: %w", cloudprovider.ErrInvalidArgument)
	}
	request.Header.Set(metadataTokenTTL, "60")
	status, body, err := r.web.send(request)
	switch {
	case err != nil:
		return "", fmt.Errorf("open a metadata session: %w", err)
	case status == http.StatusOK && len(body) > 0:
		return strings.TrimSpace(string(body)), nil
	case r.noV1:
		return "", fmt.Errorf("open a metadata session: HTTP %d, and ALIBABA_CLOUD_IMDSV1_DISABLED forbids to go on without: %w", status, cloudprovider.ErrUnavailable)
	}
	return "", nil
}

func (r *instanceRole) get(ctx context.Context, path, session string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, r.base+path, nil)
	if err != nil {
		return nil, fmt.Errorf("make the request: %w", cloudprovider.ErrInvalidArgument)
	}
	if session != "" {
		request.Header.Set(metadataTokenKey, session)
	}
	status, body, err := r.web.send(request)
	switch {
	case err != nil:
		return nil, fmt.Errorf("read %s: %w", path, err)
	case status == http.StatusNotFound:
		return nil, fmt.Errorf("read %s: the instance has no such role: %w", path, cloudprovider.ErrForbidden)
	case status != http.StatusOK:
		return nil, fmt.Errorf("read %s: HTTP %d: %w", path, status, cloudprovider.ErrUnavailable)
	}
	return body, nil
}
