package ess

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk"
	sdkcredentials "github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/responses"
	sdkecs "github.com/aliyun/alibaba-cloud-sdk-go/services/ecs"
	sdkess "github.com/aliyun/alibaba-cloud-sdk-go/services/ess"
	sdksts "github.com/aliyun/alibaba-cloud-sdk-go/services/sts"
	sdkvpc "github.com/aliyun/alibaba-cloud-sdk-go/services/vpc"
)

// endpointMaps holds each product's endpoint by region. The SDK builds these maps on
// first use and without a lock, so they are asked for once.
var endpointMaps = sync.OnceValue(func() map[string]map[string]string {
	return map[string]map[string]string{
		"Ess": sdkess.GetEndpointMap(),
		"Ecs": sdkecs.GetEndpointMap(),
		"Vpc": sdkvpc.GetEndpointMap(),
		"Sts": sdksts.GetEndpointMap(),
	}
})

// sender sends single requests through the SDK. It holds no state that a request
// changes.
type sender struct {
	region   string
	at       endpoint
	carrier  http.RoundTripper
	timeouts Timeouts
}

// send makes one attempt. request must be fresh: the SDK leaves the last signature
// in it. The error is nil or a *failure.
func (s *sender) send(ctx context.Context, key Credentials, request requests.AcsRequest, response responses.AcsResponse) (err error) {
	bounded, cancel := context.WithTimeout(ctx, s.timeouts.Attempt)
	defer cancel()
	t := &trip{ctx: bounded, carrier: s.carrier}
	attempt := attempt{caller: ctx, api: request.GetActionName(), key: key, trip: t}
	defer func() {
		// The SDK asserts types on whatever JSON comes back: {"Code":503} panics.
		if p := recover(); p != nil {
			err = attempt.unreadable(fmt.Sprintf("the SDK panicked on the answer (%T)", p))
		}
	}()
	client, err := s.client(t, key, request.GetProduct())
	if err != nil {
		return attempt.refused("the SDK refused its settings")
	}
	return attempt.explain(client.DoAction(request, response), response)
}

// client returns a new SDK client: 8 µs, against a data race when one is shared.
func (s *sender) client(t *trip, key Credentials, product string) (*sdk.Client, error) {
	config := sdk.NewConfig().WithScheme(s.at.scheme).WithAutoRetry(false).WithUserAgent("buildpool")
	config.Transport = t
	client, err := sdk.NewClientWithOptions(s.region, config,
		sdkcredentials.NewStaticSTSCredentialsProvider(key.AccessKeyID, key.AccessKeySecret, key.SecurityToken))
	if err != nil {
		return nil, err
	}
	client.EndpointMap, client.EndpointType = endpointMaps()[product], "regional"
	client.Domain = s.at.host
	client.SetCloseTrace(true) // a span would carry the signed URL
	// Ours runs out first. The SDK's own is a backstop against a deaf carrier.
	client.SetReadTimeout(s.timeouts.Attempt + time.Second)
	client.SetConnectTimeout(s.timeouts.Connect)
	// The SDK parses the proxy variables even when it cannot use them, NO_PROXY as
	// regular expressions, and fails with their text, passwords included. Settings of
	// our own, which it cannot use either, keep it from looking.
	client.SetHttpProxy("http://unused.invalid")
	client.SetHttpsProxy("http://unused.invalid")
	client.SetNoProxy("^$")
	return client, nil
}
