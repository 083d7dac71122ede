package ess

import (
	"context"
	"fmt"
	"log/slog"
	"time"
)

// Credentials are an access key, with a token and an end when they are temporary.
// However they are printed, nothing of them shows.
type Credentials struct {
	AccessKeyID     string
	AccessKeySecret string
	SecurityToken   string
	// Expires is zero for credentials without an end.
	Expires time.Time
}

// String hides the key.
func (Credentials) String() string { return "credentials " + redacted }

// Format hides the key from every verb of fmt.
func (c Credentials) Format(f fmt.State, _ rune) { fmt.Fprint(f, c.String()) }

// LogValue hides the key from slog.
func (c Credentials) LogValue() slog.Value { return slog.StringValue(c.String()) }

// MarshalText hides the key from encoders.
func (c Credentials) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

func (c Credentials) complete() bool { return c.AccessKeyID != "" && c.AccessKeySecret != "" }

// CredentialSource gives the credentials of the moment. It is safe for concurrent
// use and quick: it waits for others only when it has none that are valid.
//
// Errors: cloudprovider.ErrForbidden when the identity is not accepted or not there,
// cloudprovider.ErrUnavailable when whoever issues credentials cannot be reached.
type CredentialSource interface {
	Credentials(ctx context.Context) (Credentials, error)
}

// sourceFunc is a CredentialSource of one function.
type sourceFunc func(ctx context.Context) (Credentials, error)

func (f sourceFunc) Credentials(ctx context.Context) (Credentials, error) { return f(ctx) }

// StaticCredentials are always the same. token may be empty.
func StaticCredentials(accessKeyID, accessKeySecret, token string) CredentialSource {
	fixed := Credentials{AccessKeyID: accessKeyID, AccessKeySecret: accessKeySecret, SecurityToken: token}
	return sourceFunc(func(context.Context) (Credentials, error) { return fixed, nil })
}

// forgetter is a source that can fetch others in place of credentials refused.
type forgetter interface {
	forget(refused Credentials) (mayHelp bool)
}

// forget tells the source that its credentials were refused. It reports whether the
// source may have others the next time.
func forget(source CredentialSource, refused Credentials) bool {
	f, can := source.(forgetter)
	return can && f.forget(refused)
}
