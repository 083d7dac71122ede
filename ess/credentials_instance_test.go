package ess

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/cloudprovider"
)

const metadataKey = `{"Code":"Success","AccessKeyId":"STS.id","AccessKeySecret":"secret","SecurityToken":"token","Expiration":"2999-01-01T00:00:00Z"}`

// metadata is an instance's metadata service.
type metadata struct {
	role    string
	session string // what IMDSv2 gives, "" when it is not offered
	enforce bool   // v1 is refused
	answer  string
	seen    []string
}

func (m *metadata) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m.seen = append(m.seen, r.Method+" "+r.URL.Path)
	switch {
	case r.Method == http.MethodPut && r.URL.Path == metadataToken && m.session != "" && r.Header.Get(metadataTokenTTL) != "":
		fmt.Fprint(w, m.session)
	case r.Method == http.MethodPut:
		w.WriteHeader(http.StatusNotFound)
	case m.enforce && r.Header.Get(metadataTokenKey) != m.session:
		w.WriteHeader(http.StatusForbidden)
	case r.URL.Path == metadataRole && m.role != "":
		fmt.Fprintln(w, m.role)
	case r.URL.Path == metadataRole+"builder":
		fmt.Fprint(w, m.answer)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

func ask(t *testing.T, m *metadata, change func(*CredentialOptions)) (Credentials, error) {
	t.Helper()
	server := httptest.NewServer(m)
	t.Cleanup(server.Close)
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	o := CredentialOptions{Source: SourceInstanceRole, MetadataEndpoint: server.URL + "/", Transport: transport}
	if change != nil {
		change(&o)
	}
	source, err := NewCredentials(o)
	require.NoError(t, err)
	return source.Credentials(t.Context())
}

func TestInstanceRole(t *testing.T) {
	put, list, get := "PUT "+metadataToken, "GET "+metadataRole, "GET "+metadataRole+"builder"
	noV1 := environment("ALIBABA_CLOUD_IMDSV1_DISABLED", "true")
	for _, test := range []struct {
		name   string
		m      metadata
		change func(*CredentialOptions)
		want   error
		seen   []string
	}{
		{"v2", metadata{role: "builder", session: "s", enforce: true, answer: metadataKey}, nil, nil, []string{put, list, get}},
		{"v1 where v2 is not offered", metadata{role: "builder", answer: metadataKey}, nil, nil, []string{put, list, get}},
		{"v1 where it is forbidden", metadata{role: "builder", answer: metadataKey}, func(o *CredentialOptions) { o.Getenv = noV1 }, cloudprovider.ErrUnavailable, []string{put}},
		{"v2 where v1 is forbidden", metadata{role: "builder", session: "s", answer: metadataKey}, func(o *CredentialOptions) { o.Getenv = noV1 }, nil, []string{put, list, get}},
		{"a named role", metadata{session: "s", answer: metadataKey}, func(o *CredentialOptions) { o.RoleName = "builder" }, nil, []string{put, get}},
		{"a role named by the environment", metadata{session: "s", answer: metadataKey}, func(o *CredentialOptions) { o.Getenv = environment("ALIBABA_CLOUD_ECS_METADATA", "builder") }, nil, []string{put, get}},
		{"no role", metadata{session: "s"}, nil, cloudprovider.ErrForbidden, []string{put, list}},
		{"another role", metadata{session: "s"}, func(o *CredentialOptions) { o.RoleName = "other" }, cloudprovider.ErrForbidden, []string{put, "GET " + metadataRole + "other"}},
		{"a page for a role", metadata{session: "s", role: "<html>"}, nil, cloudprovider.ErrForbidden, []string{put, list}},
		{"not yet", metadata{session: "s", role: "builder", answer: `{"Code":"AssumeRoleUnauthorizedOperation"}`}, nil, cloudprovider.ErrUnavailable, []string{put, list, get}},
		{"not JSON", metadata{session: "s", role: "builder", answer: "secret"}, nil, cloudprovider.ErrUnavailable, []string{put, list, get}},
		{"no key", metadata{session: "s", role: "builder", answer: `{"Code":"Success"}`}, nil, cloudprovider.ErrUnavailable, []string{put, list, get}},
	} {
		t.Run(test.name, func(t *testing.T) {
			key, err := ask(t, &test.m, test.change)
			assert.Equal(t, test.seen, test.m.seen)
			if test.want != nil {
				require.ErrorIs(t, err, test.want)
				assert.NotContains(t, err.Error(), "secret")
				return
			}
			require.NoError(t, err)
			assert.Equal(t, "STS.id", key.AccessKeyID)
			assert.Equal(t, "secret", key.AccessKeySecret)
			assert.Equal(t, "token", key.SecurityToken)
			assert.Equal(t, 2999, key.Expires.Year())
		})
	}
}

func TestInstanceRoleOfNoInstance(t *testing.T) {
	source, err := NewCredentials(CredentialOptions{Source: SourceInstanceRole, Transport: carrier(dropped)})
	require.NoError(t, err)
	_, err = source.Credentials(t.Context())
	require.ErrorIs(t, err, cloudprovider.ErrUnavailable)
	leakless(t, err)
}
