package ess

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	sdkerrors "github.com/aliyun/alibaba-cloud-sdk-go/sdk/errors"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/responses"

	"github.com/buildpool/buildpool/cloudprovider"
)

// failure is how one attempt ended, and what may be done about it. It holds no error
// of the SDK or of net/http, whose texts carry the signed URL.
type failure struct {
	cloud *cloudprovider.CloudError
	// label is the metric's code: the cloud's own, or a word of ours.
	label string
	// again: the same request may pass when it is sent once more.
	again bool
	// uncertain: a write may have been carried out all the same.
	uncertain bool
	// stale: the credentials were refused as outdated.
	stale bool
}

func (f *failure) Error() string { return f.cloud.Error() }
func (f *failure) Unwrap() error { return f.cloud }

// asFailure returns the failure that err is, nil when err is nil.
func asFailure(err error) *failure {
	var f *failure
	errors.As(err, &f)
	return f
}

// attempt is what is known of one attempt when it is over.
type attempt struct {
	caller context.Context // its end is the caller's, not the attempt's, doing
	api    string
	key    Credentials
	trip   *trip
}

// explain says in the vocabulary's words how the attempt ended.
func (a attempt) explain(err error, response responses.AcsResponse) error {
	var server *sdkerrors.ServerError
	var client *sdkerrors.ClientError
	switch {
	case err == nil && !bytes.Contains(response.GetHttpContentBytes(), []byte(`"RequestId"`)):
		// Every real answer has one. Without it, an empty answer of some box on the
		// way would read as an account without groups.
		return a.unreadable("the answer has no request ID")
	case err == nil:
		return nil
	case errors.As(err, &server):
		return a.answered(server)
	case errors.As(err, &client) && client.ErrorCode() == sdkerrors.JsonUnmarshalErrorCode:
		return a.unreadable("the answer is not the JSON it should be")
	case errors.As(err, &client):
		return a.refused("the SDK refused the request: " + plain(client.ErrorCode()))
	}
	return a.unanswered(err)
}

// answered explains an error that the cloud answered.
func (a attempt) answered(err *sdkerrors.ServerError) error {
	code := plain(err.ErrorCode())
	r := classify(code, err.HttpStatus())
	f := &failure{
		cloud: &cloudprovider.CloudError{
			Kind: r.kind, API: a.api, Code: code, HTTPStatus: err.HttpStatus(), RequestID: plain(err.RequestId()),
		},
		label: code, again: r.again, stale: r.stale,
		uncertain: err.HttpStatus() >= 500 && !r.refused,
	}
	if code == "" {
		// Not the cloud's error JSON: a page of some proxy. Its text helps nobody.
		f.label = "http_" + strconv.Itoa(err.HttpStatus())
		f.cloud.Message = fmt.Sprintf("HTTP %d without an error code", err.HttpStatus())
	} else {
		f.cloud.Message = redact(err.Message(), a.key)
	}
	if errors.Is(r.kind, cloudprovider.ErrThrottled) {
		f.cloud.RetryAfter = retryAfter(err.RespHeaders)
	}
	return f
}

// unreadable explains an answer that nobody can make sense of. Whether the request
// was carried out cannot be told from it.
func (a attempt) unreadable(why string) error {
	status := a.trip.status
	return &failure{
		cloud: &cloudprovider.CloudError{Kind: cloudprovider.ErrUnavailable, API: a.api, Message: why, HTTPStatus: status},
		label: "unreadable", again: true, uncertain: status < 300 || status >= 500,
	}
}

// refused explains a request that never left, because the SDK would not have it.
func (a attempt) refused(why string) error {
	return &failure{
		cloud: &cloudprovider.CloudError{Kind: cloudprovider.ErrInvalidArgument, API: a.api, Message: why},
		label: "refused",
	}
}

// unanswered explains an attempt that ended without an answer.
func (a attempt) unanswered(err error) error {
	f := &failure{
		cloud:     &cloudprovider.CloudError{Kind: cloudprovider.ErrUnavailable, API: a.api},
		label:     "network",
		again:     true,
		uncertain: a.trip.maySent(),
	}
	switch {
	case a.caller.Err() != nil:
		f.cloud.Kind, f.label, f.again = a.caller.Err(), "canceled", false
	case a.trip.ctx.Err() != nil || timedOut(err):
		f.cloud.Message, f.label = "no answer in time", "timeout"
	default:
		f.cloud.Message = redact(transportText(err), a.key)
	}
	return f
}

// withoutCredentials explains a call that could not be signed.
func withoutCredentials(ctx context.Context, api string, err error) error {
	f := &failure{cloud: &cloudprovider.CloudError{Kind: cloudprovider.ErrForbidden, API: api}, label: "credentials"}
	switch {
	case ctx.Err() != nil:
		f.cloud.Kind = ctx.Err()
	case errors.Is(err, cloudprovider.ErrUnavailable), errors.Is(err, cloudprovider.ErrThrottled):
		f.cloud.Kind = cloudprovider.ErrUnavailable
	}
	f.cloud.Message = redact("get credentials: "+err.Error(), Credentials{})
	return f
}

func timedOut(err error) bool {
	var timeout interface{ Timeout() bool }
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout()
}

// transportText describes a transport error from its type alone: only these types'
// own fields are known to hold no part of the request.
func transportText(err error) string {
	var (
		dns         *net.DNSError
		op          *net.OpError
		errno       syscall.Errno
		untrusted   x509.UnknownAuthorityError
		wrongHost   x509.HostnameError
		certificate *tls.CertificateVerificationError
	)
	switch {
	case errors.As(err, &dns):
		return "cannot resolve the host name " + dns.Name
	case errors.As(err, &untrusted), errors.As(err, &wrongHost), errors.As(err, &certificate):
		return "the server's TLS certificate is not trusted"
	case errors.As(err, &errno) && errors.As(err, &op):
		return op.Op + ": " + errno.Error()
	case errors.As(err, &op):
		return op.Op + " failed"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the connection closed before the answer"
	}
	return "the request failed on its way"
}

// plainForm is the shape of codes and request IDs. Whatever does not have it did not
// come from the API and is dropped.
var plainForm = regexp.MustCompile(`^[A-Za-z0-9._-]{1,96}$`)

func plain(s string) string {
	if plainForm.MatchString(s) {
		return s
	}
	return ""
}

// retryAfter reads how long the rate limit lasts, from a header such as
// "Limit:1,Remain:0,TimeLeft:2000,Reset:1234", in milliseconds. 0: it does not say.
func retryAfter(header http.Header) time.Duration {
	longest := time.Duration(0)
	for _, name := range []string{"X-Ratelimit-User-Api", "X-Ratelimit-User"} {
		for part := range strings.SplitSeq(header.Get(name), ",") {
			key, value, _ := strings.Cut(strings.TrimSpace(part), ":")
			left, err := strconv.ParseInt(strings.TrimSpace(value), 10, 32)
			if err == nil && left > 0 && strings.EqualFold(key, "TimeLeft") {
				longest = max(longest, time.Duration(left)*time.Millisecond)
			}
		}
	}
	return longest
}
