package cloudprovider

import (
	"context"
	"slices"
	"sync"
)

// MaxRecordedCalls bounds what a CallRecorder keeps: the reading of a large account
// takes hundreds of calls, and no one reads that many in a log line.
const MaxRecordedCalls = 100

// CloudCall is one request that a Cloud sent to its API, whatever came back.
type CloudCall struct {
	// API is the operation, such as "ScaleWithAdjustment".
	API string
	// RequestID is the cloud's name for the request, which its support asks for; empty
	// when no answer came.
	RequestID string
}

// CallRecorder collects the requests that were sent to a cloud for one piece of
// work, so that whoever began the work can tell of them. It travels in the context:
// a Cloud calls RecordCall for every request. It is safe for concurrent use.
type CallRecorder struct {
	mu      sync.Mutex
	calls   []CloudCall
	dropped int
}

// Calls returns what was recorded so far, oldest first, and how many calls beyond
// MaxRecordedCalls were not kept.
func (r *CallRecorder) Calls() (calls []CloudCall, dropped int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.calls), r.dropped
}

func (r *CallRecorder) add(call CloudCall) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.calls) == MaxRecordedCalls {
		r.dropped++
		return
	}
	r.calls = append(r.calls, call)
}

type recordersKey struct{}

// WithCallRecorders returns a context in which every call is recorded by all of the
// recorders, and by no other. Several are for calls that several callers share.
func WithCallRecorders(ctx context.Context, recorders ...*CallRecorder) context.Context {
	return context.WithValue(ctx, recordersKey{}, recorders)
}

// CallRecorders returns the context's recorders; none when nobody listens. The slice
// must not be written to.
func CallRecorders(ctx context.Context) []*CallRecorder {
	recorders, _ := ctx.Value(recordersKey{}).([]*CallRecorder)
	return recorders
}

// RecordCall tells the context's recorders of one request.
func RecordCall(ctx context.Context, call CloudCall) {
	for _, r := range CallRecorders(ctx) {
		r.add(call)
	}
}
