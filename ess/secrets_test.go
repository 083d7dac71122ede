package ess

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/utils/clock"

	"github.com/buildpool/buildpool/cloudprovider"
)

// reaching returns an account whose requests go over a real transport to the address.
func reaching(t *testing.T, endpoint string, change func(*http.Transport)) *Cloud {
	t.Helper()
	transport := newTransport(Timeouts{}.withDefaults())
	transport.Proxy = nil
	if change != nil {
		change(transport)
	}
	t.Cleanup(transport.CloseIdleConnections)
	c, err := New(Options{
		Region: "cn-hangzhou", Credentials: testKey, Endpoint: endpoint, Transport: transport, Limits: unlimited,
		Clock: clock.RealClock{}, Retry: Retry{Attempts: 1},
	})
	require.NoError(t, err)
	return c
}

func serving(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL
}

func TestNoTransportErrorLeaks(t *testing.T) {
	closedPort := func(t *testing.T) string {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		require.NoError(t, listener.Close())
		return "http://" + listener.Addr().String()
	}
	for _, test := range []struct {
		name     string
		endpoint func(t *testing.T) string
		change   func(*http.Transport)
		says     string
		sent     bool
	}{
		{"refused", closedPort, nil, "connection refused", false},
		{"the name does not resolve", func(*testing.T) string { return "https://ess.invalid" }, func(tr *http.Transport) {
			tr.DialContext = func(context.Context, string, string) (net.Conn, error) {
				return nil, &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "ess.invalid", IsNotFound: true}}
			}
		}, "cannot resolve the host name ess.invalid", false},
		{"closed without an answer", func(t *testing.T) string {
			return serving(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
		}, nil, "closed before the answer", true},
		{"not HTTP", func(t *testing.T) string {
			return serving(t, func(w http.ResponseWriter, r *http.Request) {
				conn, _, err := http.NewResponseController(w).Hijack()
				if assert.NoError(t, err) {
					fmt.Fprintf(conn, "what is %s?\n", r.URL)
					assert.NoError(t, conn.Close())
				}
			})
		}, nil, "failed on its way", true},
		{"cut in the middle", func(t *testing.T) string {
			return serving(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Length", "1000")
				fmt.Fprint(w, `{"RequestId":"R"`)
			})
		}, nil, "closed before the answer", true},
		{"a certificate of nobody", func(t *testing.T) string {
			server := httptest.NewTLSServer(http.NotFoundHandler())
			server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
			t.Cleanup(server.Close)
			return server.URL
		}, nil, "certificate is not trusted", false},
		{"not TLS", func(t *testing.T) string {
			return strings.Replace(serving(t, func(http.ResponseWriter, *http.Request) {}), "http:", "https:", 1)
		}, func(tr *http.Transport) { tr.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12} }, "failed on its way", false},
		{"a proxy setting with a password", func(*testing.T) string { return "https://ess.invalid" }, func(tr *http.Transport) {
			tr.Proxy = func(*http.Request) (*url.URL, error) {
				return nil, errors.New("invalid proxy address http://user:s3cr3t@proxy: bad")
			}
		}, "failed on its way", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := reaching(t, test.endpoint(t), test.change)
			err := readGroup(t.Context(), c)
			require.ErrorIs(t, err, cloudprovider.ErrUnavailable)
			assert.ErrorContains(t, err, test.says)
			leakless(t, err)

			err = grow(t.Context(), c)
			require.ErrorIs(t, err, cloudprovider.ErrUnavailable)
			assert.Equal(t, test.sent, isUnknown(err), "%v", err)
			leakless(t, err)
			assert.NotErrorIs(t, err, cloudprovider.ErrForbidden)
		})
	}
}

// TestNoAnswerLeaks: services and boxes on the way quote what they were sent.
func TestNoAnswerLeaks(t *testing.T) {
	quote := func(text string) reply {
		return func(r *http.Request) (*http.Response, error) {
			message, err := json.Marshal(strings.ReplaceAll(text, "URL", r.URL.String()))
			if err != nil {
				return nil, err
			}
			body := fmt.Sprintf(`{"RequestId":"R-1","Code":"SignatureDoesNotMatch","Message":%s,"Recommend":%s}`, message, message)
			return answer(400, body, "X-Echo", r.URL.String())(r)
		}
	}
	once, twice := url.QueryEscape(testSecret), url.QueryEscape(url.QueryEscape(testToken))
	for name, r := range map[string]reply{
		"the URL":                quote("no URL"),
		"the string to sign":     quote("Specified signature is not matched with our calculation. server string to sign is:POST&%2F&AccessKeyId%3D" + testKeyID + "%26SecurityToken%3D" + twice),
		"the key":                quote("the key " + testKeyID + " of " + testSecret + " with " + testToken),
		"the key, escaped":       quote(once + " " + url.QueryEscape(testToken)),
		"the key, escaped twice": quote(url.QueryEscape(once) + " " + twice),
		"the query":              quote("cannot read AccessKeyId=LTAIother0000&Signature=abc%3D"),
		"a page": func(r *http.Request) (*http.Response, error) {
			return answer(502, "<html>"+r.URL.String()+"</html>")(r)
		},
		"a success that is none": func(r *http.Request) (*http.Response, error) {
			return answer(200, "<html>"+r.URL.String()+"</html>")(r)
		},
		"a code with a URL": func(r *http.Request) (*http.Response, error) {
			return answer(400, fmt.Sprintf(`{"RequestId":%q,"Code":%q,"Message":"m"}`, r.URL.String(), r.URL.String()))(r)
		},
	} {
		t.Run(name, func(t *testing.T) {
			c, _ := scripted(t, func(o *Options) { o.Retry.Attempts = 1 }, r)
			leakless(t, readGroup(t.Context(), c))
			leakless(t, grow(t.Context(), c))
		})
	}
}

func TestCredentialsHideThemselves(t *testing.T) {
	key := Credentials{AccessKeyID: testKeyID, AccessKeySecret: testSecret, SecurityToken: testToken}
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("m", "key", key, "pointer", &key)
	encoded, err := json.Marshal(map[string]any{"key": key})
	require.NoError(t, err)
	for _, text := range []string{
		fmt.Sprint(key), fmt.Sprintf("%v %+v %#v %s %q %x", key, key, key, key, key, key), fmt.Sprintf("%+v", []any{&key, CredentialOptions{Static: key}}),
		log.String(), string(encoded),
	} {
		for _, secret := range []string{testKeyID, testSecret, testToken, fmt.Sprintf("%x", testSecret)} {
			assert.NotContains(t, text, secret)
		}
		assert.Contains(t, text, redacted)
	}
}

func FuzzRedact(f *testing.F) {
	f.Add("the key %s is wrong", testKeyID, testSecret, testToken)
	f.Add("%s", "a", "b", "c")
	f.Add("AccessKeyId=%s&x", "", "secret-secret", "")
	f.Add("server string to sign is: %s", "id", "ss", "")
	f.Fuzz(func(t *testing.T, text, id, secret, token string) {
		key := Credentials{AccessKeyID: id, AccessKeySecret: secret, SecurityToken: token}
		for _, part := range []string{id, secret, token} {
			// A secret shorter than this could be any word, the mark's own included.
			if len(part) < 12 || part != strings.Join(strings.Fields(part), " ") {
				return
			}
			if strings.Contains("[redacted] [url]", part) {
				return
			}
		}
		got := redact(text+" "+id+" "+url.QueryEscape(secret)+" "+token, key)
		assert.NotContains(t, got, id)
		assert.NotContains(t, got, secret)
		assert.NotContains(t, got, token)
		assert.LessOrEqual(t, len([]rune(got)), maxText+1)
		assert.NotContains(t, got, "\n")
	})
}
