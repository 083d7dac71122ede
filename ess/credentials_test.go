package ess

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/utils/clock"

	"github.com/buildpool/buildpool/cloudprovider"
)

const roleARN = "acs:ram::1234567890123456:role/buildpool"

func environment(pairs ...string) func(string) string {
	return func(name string) string {
		for i := 0; i+1 < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1]
			}
		}
		return ""
	}
}

func written(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), ".aliyun", "config.json")
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	return path
}

func homeOf(profile string) string { return filepath.Dir(filepath.Dir(profile)) }

func TestEnvironment(t *testing.T) {
	source, err := NewCredentials(CredentialOptions{Source: SourceEnvironment, Getenv: environment(
		"ALIBABA_CLOUD_ACCESS_KEY_ID", "id", "ALIBABA_CLOUD_ACCESS_KEY_SECRET", "secret", "ALIBABA_CLOUD_SECURITY_TOKEN", "token")})
	require.NoError(t, err)
	key, err := source.Credentials(t.Context())
	require.NoError(t, err)
	assert.Equal(t, Credentials{AccessKeyID: "id", AccessKeySecret: "secret", SecurityToken: "token"}, key)

	source, err = NewCredentials(CredentialOptions{Source: SourceEnvironment, Getenv: environment("ALIBABA_CLOUD_ACCESS_KEY_ID", "id-only")})
	require.NoError(t, err)
	_, err = source.Credentials(t.Context())
	require.ErrorIs(t, err, cloudprovider.ErrForbidden)
	assert.ErrorContains(t, err, "ALIBABA_CLOUD_ACCESS_KEY_SECRET")
	assert.NotContains(t, err.Error(), "id-only")
}

func TestStatic(t *testing.T) {
	source, err := NewCredentials(CredentialOptions{Source: SourceStatic, Static: Credentials{AccessKeyID: "id", AccessKeySecret: "secret", SecurityToken: "t"}})
	require.NoError(t, err)
	key, err := source.Credentials(t.Context())
	require.NoError(t, err)
	assert.Equal(t, Credentials{AccessKeyID: "id", AccessKeySecret: "secret", SecurityToken: "t"}, key)
}

func TestNewCredentialsRefuses(t *testing.T) {
	broken := written(t, `{"profiles":[{"access_key_secret":"s3cr3t-rest",}`)
	nameless := written(t, `{"current":"a","profiles":[{"name":"b","mode":"AK"}]}`)
	keyless := written(t, `{"current":"a","profiles":[{"name":"a","mode":"AK"}]}`)
	person := written(t, `{"current":"a","profiles":[{"name":"a","mode":"CloudSSO"}]}`)
	for name, o := range map[string]CredentialOptions{
		"an unknown source":          {Source: "vault"},
		"static without a key":       {Source: SourceStatic},
		"OIDC without a token file":  {Source: SourceOIDC, Region: "cn-hangzhou", OIDC: OIDC{RoleARN: "r", ProviderARN: "p"}},
		"OIDC without a region":      {Source: SourceOIDC, OIDC: OIDC{RoleARN: "r", ProviderARN: "p", TokenFile: "f"}},
		"a role without a region":    {Source: SourceEnvironment, AssumeRoleARN: roleARN},
		"STS over plain http":        {Source: SourceEnvironment, AssumeRoleARN: roleARN, Region: "cn-hangzhou", STSEndpoint: "http://sts.example"},
		"metadata switched off":      {Source: SourceInstanceRole, Getenv: environment("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "true")},
		"metadata nowhere":           {Source: SourceInstanceRole, MetadataEndpoint: "nowhere"},
		"the SDK's debug output":     {Source: SourceEnvironment, Getenv: environment("DEBUG", "gin,sdk")},
		"a profile that is no JSON":  {Source: SourceProfile, Getenv: environment("HOME", homeOf(broken))},
		"a profile without the name": {Source: SourceProfile, Getenv: environment("HOME", homeOf(nameless))},
		"a profile without a key":    {Source: SourceProfile, Getenv: environment("HOME", homeOf(keyless))},
		"a profile for a person":     {Source: SourceProfile, Getenv: environment("HOME", homeOf(person))},
	} {
		_, err := NewCredentials(o)
		require.ErrorIs(t, err, cloudprovider.ErrInvalidArgument, name)
		assert.NotContains(t, err.Error(), "s3cr3t", name)
	}
	_, err := NewCredentials(CredentialOptions{Source: SourceProfile, Getenv: environment("HOME", t.TempDir())})
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestDefaultTakesWhatIsSetUp(t *testing.T) {
	home := homeOf(written(t, `{"current":"a","profiles":[{"name":"a","mode":"AK","access_key_id":"i","access_key_secret":"s"}]}`))
	oidc := []string{"ALIBABA_CLOUD_ROLE_ARN", "r", "ALIBABA_CLOUD_OIDC_PROVIDER_ARN", "p", "ALIBABA_CLOUD_OIDC_TOKEN_FILE", "f"}
	all := append([]string{"ALIBABA_CLOUD_ACCESS_KEY_ID", "i", "HOME", home}, oidc...)
	for _, test := range []struct {
		name string
		env  []string
		want Source
	}{
		{"everything", all, SourceEnvironment},
		{"half a key is still meant to be one", []string{"ALIBABA_CLOUD_ACCESS_KEY_SECRET", "s", "HOME", home}, SourceEnvironment},
		{"RRSA before the profile", all[2:], SourceOIDC},
		{"RRSA that is not complete", append([]string{"HOME", home}, oidc[:4]...), SourceProfile},
		{"a profile", []string{"HOME", home}, SourceProfile},
		{"a home without a profile", []string{"HOME", t.TempDir()}, SourceInstanceRole},
		{"nothing", nil, SourceInstanceRole},
	} {
		o := CredentialOptions{Getenv: environment(test.env...)}.withDefaults()
		assert.Equal(t, test.want, o.firstSetUp(), test.name)
	}
}

func TestProfiles(t *testing.T) {
	path := written(t, `{"current":"plain","profiles":[
		{"name":"plain","mode":"AK","access_key_id":"i","access_key_secret":"s","sts_token":"left over"},
		{"name":"temporary","mode":"StsToken","access_key_id":"i","access_key_secret":"s","sts_token":"t"}]}`)
	for name, token := range map[string]string{"": "", "plain": "", "temporary": "t"} {
		source, err := NewCredentials(CredentialOptions{Source: SourceProfile, Getenv: environment("HOME", homeOf(path), "ALIBABA_CLOUD_PROFILE", name)})
		require.NoError(t, err)
		key, err := source.Credentials(t.Context())
		require.NoError(t, err)
		assert.Equal(t, Credentials{AccessKeyID: "i", AccessKeySecret: "s", SecurityToken: token}, key, name)
	}
}

// issuing returns a simulated account whose STS issues keys that it accepts.
func issuing(t *testing.T) *simulated {
	t.Helper()
	return simulate(t, oneGroup, clock.RealClock{}, inProcess)
}

// usable asserts that the account accepts the credentials of the source.
func usable(t *testing.T, s *simulated, source CredentialSource) {
	t.Helper()
	c, err := New(Options{Region: "cn-hangzhou", Credentials: source, Transport: s.sim.Transport(), Retry: Retry{Attempts: 1}})
	require.NoError(t, err)
	defer c.Close()
	require.NoError(t, readGroup(t.Context(), c))
}

func TestAssumeRole(t *testing.T) {
	path := written(t, fmt.Sprintf(`{"current":"a","profiles":[{"name":"a","mode":"RamRoleArn","access_key_id":%q,"access_key_secret":%q,"ram_role_arn":%q}]}`, simKey, simSecret, roleARN))
	for name, o := range map[string]CredentialOptions{
		"on top of a key": {Source: SourceStatic, Static: Credentials{AccessKeyID: simKey, AccessKeySecret: simSecret}, AssumeRoleARN: roleARN},
		"by the profile":  {Source: SourceProfile, Getenv: environment("HOME", homeOf(path))},
		"twice":           {Source: SourceProfile, Getenv: environment("HOME", homeOf(path)), AssumeRoleARN: roleARN},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := issuing(t)
				o.Region, o.Transport = "cn-hangzhou", s.sim.Transport()
				source, err := NewCredentials(o)
				require.NoError(t, err)
				key, err := source.Credentials(t.Context())
				require.NoError(t, err)
				assert.NotEqual(t, simKey, key.AccessKeyID)
				assert.NotEmpty(t, key.SecurityToken)
				assert.Equal(t, time.Hour, key.Expires.Sub(virtual.Now()))
				for range 5 { // past the end of several keys
					usable(t, s, source)
					virtual.Sleep(50 * time.Minute)
				}
			})
		})
	}
}

func TestAssumeRoleThatFails(t *testing.T) {
	for _, test := range []struct {
		name  string
		reply reply
		want  error
	}{
		{"refused", errorAnswer(403, "NoPermission"), cloudprovider.ErrForbidden},
		{"throttled by a redirect", answer(302, "", "Location", "https://sts.example/"), cloudprovider.ErrUnavailable},
		{"dropped", dropped, cloudprovider.ErrUnavailable},
		{"no key", answer(200, `{"RequestId":"R"}`), cloudprovider.ErrUnavailable},
		{"no end", answer(200, `{"RequestId":"R","Credentials":{"AccessKeyId":"a","AccessKeySecret":"b","SecurityToken":"c","Expiration":"s3cr3t"}}`), cloudprovider.ErrUnavailable},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				source, err := NewCredentials(CredentialOptions{
					Source: SourceStatic, Static: Credentials{AccessKeyID: testKeyID, AccessKeySecret: testSecret, SecurityToken: testToken},
					AssumeRoleARN: roleARN, Region: "cn-hangzhou", Transport: carrier(test.reply),
				})
				require.NoError(t, err)
				_, err = source.Credentials(t.Context())
				require.ErrorIs(t, err, test.want)
				assert.ErrorContains(t, err, roleARN)
				leakless(t, err)
			})
		})
	}
}

func TestOIDC(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := issuing(t)
		file := filepath.Join(t.TempDir(), "token")
		require.NoError(t, os.WriteFile(file, []byte("oidc-token-1\n"), 0o600))
		var sent *http.Request
		source, err := NewCredentials(CredentialOptions{
			Source: SourceDefault, Region: "cn-hangzhou",
			Getenv: environment("ALIBABA_CLOUD_ROLE_ARN", roleARN, "ALIBABA_CLOUD_OIDC_PROVIDER_ARN", "acs:ram::1:oidc-provider/ack", "ALIBABA_CLOUD_OIDC_TOKEN_FILE", file),
			Transport: carrier(func(r *http.Request) (*http.Response, error) {
				sent = r
				return s.sim.Transport().RoundTrip(r)
			}),
		})
		require.NoError(t, err)
		usable(t, s, source)
		assert.Equal(t, "https://sts.cn-hangzhou.aliyuncs.com", sent.URL.Scheme+"://"+sent.URL.Host)
		assert.NotContains(t, sent.URL.String(), "oidc-token", "the token is in the body")
		assert.NotContains(t, sent.URL.Query(), "AccessKeyId")

		virtual.Sleep(3 * time.Hour)
		require.NoError(t, os.Remove(file))
		_, err = source.Credentials(t.Context())
		require.ErrorIs(t, err, os.ErrNotExist)
		require.ErrorIs(t, err, cloudprovider.ErrForbidden)
		require.NoError(t, os.WriteFile(file, []byte("oidc-token-2"), 0o600))
		virtual.Sleep(pauseExpired)
		usable(t, s, source)
	})
}

func TestOIDCThatFails(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(file, []byte(testToken), 0o600))
	for _, test := range []struct {
		name  string
		reply reply
		want  error
	}{
		{"refused, quoting the token", func(r *http.Request) (*http.Response, error) {
			return answer(400, `{"RequestId":"R","Code":"AuthenticationFail.OIDCToken.Expired","Message":"the token `+url.QueryEscape(testToken)+` is expired"}`)(r)
		}, cloudprovider.ErrForbidden},
		{"throttled", errorAnswer(400, "Throttling.User"), cloudprovider.ErrThrottled},
		{"a page", answer(502, "<html>"+testToken+"</html>"), cloudprovider.ErrUnavailable},
		{"a redirect", answer(302, "", "Location", "https://sts.example/"), cloudprovider.ErrUnavailable},
		{"dropped", dropped, cloudprovider.ErrUnavailable},
		{"hangs", hangs, cloudprovider.ErrUnavailable},
		{"empty", answer(200, "{}"), cloudprovider.ErrUnavailable},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				source, err := NewCredentials(CredentialOptions{
					Source: SourceOIDC, Region: "cn-hangzhou", Transport: carrier(test.reply),
					OIDC: OIDC{RoleARN: roleARN, ProviderARN: "p", TokenFile: file},
				})
				require.NoError(t, err)
				_, err = source.Credentials(t.Context())
				require.ErrorIs(t, err, test.want)
				leakless(t, err)
			})
		})
	}
}

func TestCanceledWhileSTSHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source, err := NewCredentials(CredentialOptions{
			Source: SourceStatic, Static: Credentials{AccessKeyID: "a", AccessKeySecret: "b"}, AssumeRoleARN: roleARN,
			Region: "cn-hangzhou", Transport: carrier(hangs),
		})
		require.NoError(t, err)
		c, _ := scripted(t, func(o *Options) { o.Credentials = source }, noGroups)
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		began := virtual.Now()
		err = grow(ctx, c)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.False(t, isUnknown(err), "nothing was sent")
		assert.Equal(t, 2*time.Second, virtual.Since(began))
		virtual.Sleep(refreshTime)
	})
}
