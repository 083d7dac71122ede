package ess

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"k8s.io/utils/clock"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	testKeyID  = "LTAI5tTestTestTestTest"
	testSecret = "s3cr3t/+=&%secret"
	testToken  = "CAISt0k3n+/=token"
)

var testKey = StaticCredentials(testKeyID, testSecret, testToken)

// carrier is a transport of one function.
type carrier func(*http.Request) (*http.Response, error)

func (c carrier) RoundTrip(r *http.Request) (*http.Response, error) { return c(r) }

// reply is what a scripted service answers to one attempt.
type reply func(*http.Request) (*http.Response, error)

func answer(status int, body string, header ...string) reply {
	return func(r *http.Request) (*http.Response, error) {
		h := http.Header{}
		for i := 0; i+1 < len(header); i += 2 {
			h.Set(header[i], header[i+1])
		}
		return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
	}
}

func errorAnswer(status int, code string, header ...string) reply {
	return answer(status, fmt.Sprintf(`{"RequestId":"R-1","HostId":"h","Code":%q,"Message":"says no"}`, code), header...)
}

func dropped(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF }

func hangs(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

var (
	noGroups  = answer(200, `{"RequestId":"R-2","TotalCount":0,"ScalingGroups":{"ScalingGroup":[]}}`)
	accepted  = answer(200, `{"RequestId":"R-3","ScalingActivityId":"asa-1"}`)
	throttled = errorAnswer(400, "Throttling.User")
)

// script answers attempt by attempt; the last reply stays. It keeps what was asked.
type script struct {
	replies []reply

	mu    sync.Mutex
	asked []*http.Request
}

func (s *script) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	n := len(s.asked)
	s.asked = append(s.asked, r)
	s.mu.Unlock()
	return s.replies[min(n, len(s.replies)-1)](r)
}

func (s *script) attempts() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.asked)
}

// scripted returns an account whose service answers by the script, without jitter
// unless change sets one.
func scripted(t *testing.T, change func(*Options), replies ...reply) (*Cloud, *script) {
	t.Helper()
	s := &script{replies: replies}
	o := Options{
		Region: "cn-hangzhou", Credentials: testKey, Transport: s,
		Clock: clock.RealClock{}, Jitter: func() float64 { return 0 },
	}
	if change != nil {
		change(&o)
	}
	c, err := New(o)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c, s
}

// leakless asserts that nothing of the key or of the request shows in the error,
// in any link of its chain and however it is printed.
func leakless(t *testing.T, err error) {
	t.Helper()
	require.Error(t, err)
	walk(err, func(link error) {
		for _, text := range []string{link.Error(), fmt.Sprintf("%+v", link), fmt.Sprintf("%#v", link)} {
			for _, secret := range []string{testKeyID, testSecret, testToken, "s3cr3t", "CAISt0k3n", "LTAIother", "abc%3D", "SignatureNonce=", "://", "?Action"} {
				assert.NotContains(t, text, secret)
			}
		}
	})
}

func walk(err error, visit func(error)) {
	if err == nil {
		return
	}
	visit(err)
	var joined interface{ Unwrap() []error }
	if errors.As(err, &joined) {
		for _, e := range joined.Unwrap() {
			walk(e, visit)
		}
		return
	}
	walk(errors.Unwrap(err), visit)
}
