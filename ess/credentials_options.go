package ess

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"k8s.io/utils/clock"

	"github.com/buildpool/buildpool/cloudprovider"
)

// Source names where credentials come from.
type Source string

// The sources, spelled as in the configuration file.
const (
	// SourceDefault takes the first of these that is set up: environment, OIDC, the
	// Alibaba CLI's profile, the instance's role. When that one fails it is an error,
	// never a reason to act as somebody else.
	SourceDefault Source = "default"
	// SourceEnvironment reads ALIBABA_CLOUD_ACCESS_KEY_ID, …_SECRET, …_SECURITY_TOKEN.
	SourceEnvironment Source = "environment"
	// SourceInstanceRole is the RAM role of the instance we run on.
	SourceInstanceRole Source = "instance-role"
	// SourceOIDC is RRSA: a service-account token is exchanged for a role.
	SourceOIDC Source = "oidc"
	// SourceProfile is the current profile of the Alibaba CLI.
	SourceProfile Source = "profile"
	// SourceStatic is the key in CredentialOptions.Static.
	SourceStatic Source = "static"
)

// CredentialOptions say where credentials come from and how they are fetched.
type CredentialOptions struct {
	// Source; empty is SourceDefault.
	Source Source
	// Static is the key of SourceStatic, temporary when it has a token.
	Static Credentials
	// RoleName is the instance's RAM role; empty asks the instance.
	RoleName string
	// AssumeRoleARN is a role to assume with the credentials found; empty is none.
	AssumeRoleARN string
	// OIDC overrides the RRSA environment variables, field by field.
	OIDC OIDC
	// Region picks the STS endpoint. Required for OIDC and AssumeRole.
	Region string
	// Getenv reads the environment; nil is an empty one.
	Getenv func(string) string
	// STSEndpoint is the base URL of STS; empty is the real one of the region.
	STSEndpoint string
	// MetadataEndpoint is the base URL of the instance's metadata service; empty is
	// http://100.100.100.200.
	MetadataEndpoint string
	// Transport carries the requests to STS and to the metadata service; nil is one
	// tuned for each: the metadata service is never reached through a proxy.
	Transport http.RoundTripper
	// Clock tells when credentials are to be refreshed; nil is the real one.
	Clock    clock.Clock
	Timeouts Timeouts
	Jitter   func() float64
}

// OIDC names the parties of RRSA. Empty fields are taken from ALIBABA_CLOUD_ROLE_ARN,
// ALIBABA_CLOUD_OIDC_PROVIDER_ARN and ALIBABA_CLOUD_OIDC_TOKEN_FILE.
type OIDC struct {
	RoleARN, ProviderARN, TokenFile string
}

func (o OIDC) complete() bool { return o.RoleARN != "" && o.ProviderARN != "" && o.TokenFile != "" }

// NewCredentials returns the source that the options describe. It reads the
// environment and looks for files, and sends nothing. Errors: ErrInvalidArgument.
func NewCredentials(o CredentialOptions) (CredentialSource, error) {
	o = o.withDefaults()
	if slices.Contains(strings.Split(o.Getenv("DEBUG"), ","), "sdk") {
		// The SDK reads it at start and offers no other way to keep it quiet.
		return nil, fmt.Errorf("find credentials: DEBUG=sdk makes the Alibaba SDK print access keys; unset it: %w", cloudprovider.ErrInvalidArgument)
	}
	if o.Source == SourceDefault {
		o.Source = o.firstSetUp()
	}
	source, err := o.source()
	if err != nil {
		return nil, fmt.Errorf("find credentials from %s: %w", o.Source, err)
	}
	if o.AssumeRoleARN == "" {
		return source, nil
	}
	assumed, err := newAssumedRole(source, o.AssumeRoleARN, o)
	if err != nil {
		return nil, fmt.Errorf("find credentials from %s: assume %s: %w", o.Source, o.AssumeRoleARN, err)
	}
	return newKept(assumed, o.Clock), nil
}

func (o CredentialOptions) withDefaults() CredentialOptions {
	if o.Source == "" {
		o.Source = SourceDefault
	}
	if o.Getenv == nil {
		o.Getenv = func(string) string { return "" }
	}
	if o.MetadataEndpoint == "" {
		o.MetadataEndpoint = "http://100.100.100.200"
	}
	o.Clock, o.Jitter, o.Timeouts = orReal(o.Clock), orRandom(o.Jitter), o.Timeouts.withDefaults()
	o.OIDC.RoleARN = firstSet(o.OIDC.RoleARN, o.Getenv("ALIBABA_CLOUD_ROLE_ARN"))
	o.OIDC.ProviderARN = firstSet(o.OIDC.ProviderARN, o.Getenv("ALIBABA_CLOUD_OIDC_PROVIDER_ARN"))
	o.OIDC.TokenFile = firstSet(o.OIDC.TokenFile, o.Getenv("ALIBABA_CLOUD_OIDC_TOKEN_FILE"))
	return o
}

func firstSet(candidates ...string) string {
	for _, s := range candidates {
		if s != "" {
			return s
		}
	}
	return ""
}

// firstSetUp resolves the default chain. What is set up decides, not what works: a
// chain that falls through on failure turns a hiccup of STS into another identity.
func (o CredentialOptions) firstSetUp() Source {
	if o.Getenv(envKeyID) != "" || o.Getenv(envKeySecret) != "" {
		return SourceEnvironment
	}
	if o.OIDC.complete() {
		return SourceOIDC
	}
	if _, err := os.Stat(o.profilePath()); err == nil {
		return SourceProfile
	}
	return SourceInstanceRole
}

// source returns the source itself, with what it fetches kept.
func (o CredentialOptions) source() (CredentialSource, error) {
	switch o.Source {
	case SourceStatic:
		if !o.Static.complete() {
			return nil, fmt.Errorf("no access key is given: %w", cloudprovider.ErrInvalidArgument)
		}
		return StaticCredentials(o.Static.AccessKeyID, o.Static.AccessKeySecret, o.Static.SecurityToken), nil
	case SourceEnvironment:
		return newEnvironment(o.Getenv), nil
	case SourceProfile:
		return newProfile(o)
	case SourceInstanceRole:
		role, err := newInstanceRole(o)
		return keep(role, o.Clock, err)
	case SourceOIDC:
		role, err := newOIDCRole(o)
		return keep(role, o.Clock, err)
	}
	return nil, fmt.Errorf("no such source: %w", cloudprovider.ErrInvalidArgument)
}

func keep(source CredentialSource, c clock.Clock, err error) (CredentialSource, error) {
	if err != nil {
		return nil, err
	}
	return newKept(source, c), nil
}

// profilePath is the Alibaba CLI's file, "" when there is no home to look in.
func (o CredentialOptions) profilePath() string {
	home := firstSet(o.Getenv("HOME"), o.Getenv("USERPROFILE"))
	if home == "" {
		return ""
	}
	return filepath.Join(home, ".aliyun", "config.json")
}

// errNoKey is an answer that holds no access key.
var errNoKey = errors.New("the answer holds no access key")
