package ess

import (
	"context"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
)

// maxAnswer bounds an answer's size. The largest real ones, 100 instances or 50
// launch-template versions with 16 KiB of user data each, stay under 2 MiB.
const maxAnswer = 16 << 20

// trip is the transport of one attempt. It is not an *http.Transport, which the SDK
// would reconfigure under the feet of other calls; it brings in the context that
// the SDK does not know; and it remembers how far the request got, which no error
// tells reliably.
type trip struct {
	ctx     context.Context
	carrier http.RoundTripper

	began   bool
	dialled atomic.Bool // the carrier looked for a connection …
	reached atomic.Bool // … and got one
	status  int         // 0: no answer
	header  http.Header
}

// RoundTrip sends the request under the attempt's context.
func (t *trip) RoundTrip(request *http.Request) (*http.Response, error) {
	if err := t.ctx.Err(); err != nil {
		return nil, err
	}
	t.began = true
	traced := httptrace.WithClientTrace(t.ctx, &httptrace.ClientTrace{
		GetConn: func(string) { t.dialled.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { t.reached.Store(true) },
	})
	response, err := t.carrier.RoundTrip(request.WithContext(traced))
	if err != nil {
		return nil, err
	}
	t.status, t.header = response.StatusCode, response.Header
	// A redirect is an answer like any other here: STS sends one when it throttles,
	// and following it would hand the signed URL on in the Referer.
	response.Header.Del("Location")
	response.Body = bounded{io.LimitReader(response.Body, maxAnswer), response.Body}
	return response, nil
}

type bounded struct {
	io.Reader
	io.Closer
}

// maySent reports whether the request may have arrived. A carrier that does not
// trace its connections, an in-process one, counts as having delivered it; a tuned
// one of net/http traces all of them, and without one nothing left.
func (t *trip) maySent() bool {
	_, traces := t.carrier.(*http.Transport)
	return t.began && (t.reached.Load() || !traces && !t.dialled.Load())
}
