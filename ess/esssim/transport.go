package esssim

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// errDropped is what a client sees of a connection that was closed on it.
var errDropped = fmt.Errorf("connection dropped: %w", io.ErrUnexpectedEOF)

// Transport returns a RoundTripper that hands requests to the simulator without a
// network: for virtual time, where sockets do not work.
func (s *Simulator) Transport() http.RoundTripper { return transport{s} }

type transport struct{ handler http.Handler }

// RoundTrip serves the request in the caller's goroutine.
func (t transport) RoundTrip(r *http.Request) (answer *http.Response, err error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	w := &answerWriter{header: http.Header{}, status: http.StatusOK}
	defer func() {
		if r.Body != nil {
			err = errors.Join(err, r.Body.Close())
		}
	}()
	if dropped := t.serve(w, r); dropped {
		return nil, errDropped
	}
	// A client that gave up does not see the answer.
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	return &http.Response{
		Status:        fmt.Sprintf("%d %s", w.status, http.StatusText(w.status)),
		StatusCode:    w.status,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        w.header,
		Body:          io.NopCloser(&w.body),
		ContentLength: int64(w.body.Len()),
		Request:       r,
	}, nil
}

func (t transport) serve(w http.ResponseWriter, r *http.Request) (dropped bool) {
	defer func() {
		switch cause := recover(); cause {
		case nil:
		case http.ErrAbortHandler:
			dropped = true
		default:
			panic(cause)
		}
	}()
	// A handler may change its request, a RoundTripper may not.
	t.handler.ServeHTTP(w, r.Clone(r.Context()))
	return false
}

// answerWriter keeps an answer in memory.
type answerWriter struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (w *answerWriter) Header() http.Header { return w.header }

func (w *answerWriter) WriteHeader(status int) { w.status = status }

func (w *answerWriter) Write(data []byte) (int, error) { return w.body.Write(data) }
