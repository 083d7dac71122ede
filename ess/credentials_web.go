package ess

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/buildpool/buildpool/cloudprovider"
)

// maxCredentialAnswer bounds what issues credentials may answer; real answers stay
// under 4 KiB.
const maxCredentialAnswer = 64 << 10

// webClient sends the requests that the SDK cannot.
type webClient struct {
	carrier http.RoundTripper
	timeout time.Duration
}

// send returns the answer's status and body. Its error is ErrUnavailable or the
// context's, and says nothing of the request.
func (w *webClient) send(request *http.Request) (status int, body []byte, err error) {
	caller := request.Context()
	ctx, cancel := context.WithTimeout(caller, w.timeout)
	defer cancel()
	// The carrier itself: a client on top would follow redirects with the secrets.
	response, err := w.carrier.RoundTrip(request.WithContext(ctx))
	if err == nil {
		body, err = io.ReadAll(io.LimitReader(response.Body, maxCredentialAnswer))
		err = errors.Join(err, response.Body.Close())
	}
	switch {
	case err == nil:
		return response.StatusCode, body, nil
	case caller.Err() != nil:
		return 0, nil, caller.Err()
	case timedOut(err):
		return 0, nil, fmt.Errorf("no answer in time: %w", cloudprovider.ErrUnavailable)
	}
	return 0, nil, fmt.Errorf("%s: %w", transportText(err), cloudprovider.ErrUnavailable)
}
