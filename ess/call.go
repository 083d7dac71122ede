package ess

import (
	"context"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/responses"
)

// call is one operation on the account. It may take several attempts.
type call struct {
	api string
	// write: an attempt may change the account. A write carries a ClientToken, or
	// says how it is to be in the end, so that a second attempt with the same parameters
	// has no second effect.
	write bool
	// prepare makes the request and the response of one attempt, afresh.
	prepare func() (requests.AcsRequest, responses.AcsResponse)
}

// caller carries out calls. Below withRetry its errors are *failure; above, they
// are the vocabulary's.
type caller func(ctx context.Context, c call) error

// peel builds the onion around the door, outermost first: the trace, retries, each
// of which waits for the rate limit, each of which is measured as the request that
// it is.
func peel(door *sender, o Options, m *metrics) caller {
	measured := withMetrics(signed(door, o.Credentials), o.Clock, m)
	limited := withLimit(measured, newLimiter(o.Limits, o.Clock, m))
	return withTrace(withRetry(limited, newRetrier(o.Retry, o.Clock, o.Jitter, m)))
}

// signed sends with the credentials of the moment.
func signed(door *sender, source CredentialSource) caller {
	return func(ctx context.Context, c call) error {
		key, err := source.Credentials(ctx)
		if err != nil {
			return withoutCredentials(ctx, c.api, err)
		}
		request, response := c.prepare()
		err = door.send(ctx, key, request, response)
		record(ctx, c.api, response, err)
		if f := asFailure(err); f != nil && f.stale {
			// With the same credentials it would be refused the same way.
			f.again = forget(source, key)
		}
		return err
	}
}

// read carries out a call that changes nothing.
func read[Request requests.AcsRequest, Response responses.AcsResponse](ctx context.Context, c *Cloud, request func() Request, response func() Response) (Response, error) {
	return do(ctx, c.call, false, request, response)
}

// write carries out a call that changes the account. request must set a
// ClientToken, unless doing it twice comes to the same.
func write[Request requests.AcsRequest, Response responses.AcsResponse](ctx context.Context, c *Cloud, request func() Request, response func() Response) (Response, error) {
	return do(ctx, c.call, true, request, response)
}

func do[Request requests.AcsRequest, Response responses.AcsResponse](ctx context.Context, through caller, write bool, request func() Request, response func() Response) (Response, error) {
	var last Response
	err := through(ctx, call{
		api:   request().GetActionName(),
		write: write,
		prepare: func() (requests.AcsRequest, responses.AcsResponse) {
			last = response()
			return request(), last
		},
	})
	return last, err
}
