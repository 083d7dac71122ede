package esssim

import (
	"fmt"
	"sync"
	"time"

	"github.com/buildpool/buildpool/ess/esssim/account"
)

// throttle counts calls per API in fixed windows of the account's clock.
type throttle struct {
	mu      sync.Mutex
	limits  map[string]account.Throttle
	windows map[string]*window
}

type window struct {
	start time.Time
	used  int
}

// allAPIs stands for every API that is not named.
const allAPIs = "*"

func newThrottle(limits []account.Throttle) *throttle {
	t := &throttle{limits: map[string]account.Throttle{}, windows: map[string]*window{}}
	for _, l := range limits {
		t.limits[l.API] = l
	}
	return t
}

// admit counts a call and reports whether it is within its API's budget. The
// header is what the gateway says about the budget; empty if there is none.
func (t *throttle) admit(api string, now time.Time) (ok bool, header string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	limit, bounded := t.limits[api]
	if !bounded {
		if limit, bounded = t.limits[allAPIs]; !bounded {
			return true, ""
		}
	}
	per := time.Duration(limit.Per)
	w := t.windows[api]
	if start := now.Truncate(per); w == nil || !w.start.Equal(start) {
		w = &window{start: start}
		t.windows[api] = w
	}
	ok = w.used < limit.Requests
	if ok {
		w.used++
	}
	end := w.start.Add(per)
	return ok, fmt.Sprintf("Limit:%d,Remain:%d,TimeLeft:%d,Reset:%d",
		limit.Requests, limit.Requests-w.used, end.Sub(now).Milliseconds(), end.UnixMilli())
}
