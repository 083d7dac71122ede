package ess

import (
	"context"
	"fmt"

	"github.com/buildpool/buildpool/cloudprovider"
)

const (
	envKeyID     = "ALIBABA_CLOUD_ACCESS_KEY_ID"
	envKeySecret = "ALIBABA_CLOUD_ACCESS_KEY_SECRET"
	envToken     = "ALIBABA_CLOUD_SECURITY_TOKEN"
)

// newEnvironment reads the key variables whenever it is asked, so that what a
// wrapper rotates in place is seen.
func newEnvironment(getenv func(string) string) CredentialSource {
	return sourceFunc(func(context.Context) (Credentials, error) {
		key := Credentials{
			AccessKeyID:     getenv(envKeyID),
			AccessKeySecret: getenv(envKeySecret),
			SecurityToken:   getenv(envToken),
		}
		if !key.complete() {
			return Credentials{}, fmt.Errorf("read %s and %s: not both are set: %w", envKeyID, envKeySecret, cloudprovider.ErrForbidden)
		}
		return key, nil
	})
}
