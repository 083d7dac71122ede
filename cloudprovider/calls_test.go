package cloudprovider_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/buildpool/buildpool/cloudprovider"
)

func TestCallsReachEveryRecorderOfTheContext(t *testing.T) {
	var outer, first, second cloudprovider.CallRecorder
	cloudprovider.RecordCall(t.Context(), cloudprovider.CloudCall{API: "Nobody"}) // nobody listens: no harm
	ctx := cloudprovider.WithCallRecorders(t.Context(), &outer)
	cloudprovider.RecordCall(ctx, cloudprovider.CloudCall{API: "A", RequestID: "R-1"})
	shared := cloudprovider.WithCallRecorders(context.WithoutCancel(ctx), &first, &second)
	cloudprovider.RecordCall(shared, cloudprovider.CloudCall{API: "B"})

	for recorder, want := range map[*cloudprovider.CallRecorder][]cloudprovider.CloudCall{
		&outer:  {{API: "A", RequestID: "R-1"}},
		&first:  {{API: "B"}},
		&second: {{API: "B"}},
	} {
		calls, dropped := recorder.Calls()
		assert.Equal(t, want, calls)
		assert.Zero(t, dropped)
	}
}

func TestRecorderKeepsSoManyCallsAndCountsTheRest(t *testing.T) {
	var recorder cloudprovider.CallRecorder
	ctx := cloudprovider.WithCallRecorders(t.Context(), &recorder)
	for n := range cloudprovider.MaxRecordedCalls {
		cloudprovider.RecordCall(ctx, cloudprovider.CloudCall{RequestID: fmt.Sprint(n)})
	}
	calls, dropped := recorder.Calls()
	assert.Len(t, calls, cloudprovider.MaxRecordedCalls)
	assert.Zero(t, dropped, "exactly as many as fit")

	var all sync.WaitGroup
	for range 10 {
		all.Go(func() { cloudprovider.RecordCall(ctx, cloudprovider.CloudCall{RequestID: "late"}) })
	}
	all.Wait()
	calls, dropped = recorder.Calls()
	assert.Len(t, calls, cloudprovider.MaxRecordedCalls)
	assert.Equal(t, 10, dropped)
	assert.Equal(t, "0", calls[0].RequestID)
}
