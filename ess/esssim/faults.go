package esssim

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/buildpool/buildpool/ess/esssim/account"
)

// FaultKind is a way in which a call goes wrong.
type FaultKind string

// The kinds of faults.
const (
	// FaultThrottle answers 400 Throttling.User.
	FaultThrottle FaultKind = "throttle"
	// FaultError answers Status and Code, by default 503 ServiceUnavailable.
	FaultError FaultKind = "error"
	// FaultDrop closes the connection without an answer.
	FaultDrop FaultKind = "drop"
	// FaultSlow answers rightly, but Delay later, by default 2 s.
	FaultSlow FaultKind = "slow"
	// FaultBadJSON answers 502 with a page of HTML, as a proxy in between would.
	FaultBadJSON FaultKind = "badjson"
	// FaultBadCode answers 503 with a Code that is a number, not a string.
	FaultBadCode FaultKind = "badcode"
)

// Fault makes calls go wrong.
type Fault struct {
	// API is an action or "*" for all.
	API  string    `json:"api"`
	Kind FaultKind `json:"kind"`
	// Rate is the share of calls that it hits; 0 means all.
	Rate float64 `json:"rate"`
	// Count is how many calls it hits before it ends; 0 means without end.
	Count  int              `json:"count"`
	Code   string           `json:"code"`
	Status int              `json:"status"`
	Delay  account.Duration `json:"delay"`
	// AfterEffect lets the call take effect before its answer goes wrong, as when a
	// connection is lost on the way back.
	AfterEffect bool `json:"afterEffect"`
	// Entity narrows it to the calls that name this group, instance, activity or
	// type in a parameter; empty is all calls.
	Entity string `json:"entity"`
}

// configuredFault is a fault of the account file.
func configuredFault(c account.Fault) Fault {
	return Fault{
		API: c.API, Kind: FaultKind(c.Kind), Rate: c.Rate, Count: c.Count, Code: c.Code, Status: c.Status,
		Delay: c.Delay, AfterEffect: c.AfterEffect, Entity: c.Entity,
	}
}

// names reports whether a call is about the fault's entity.
func (f Fault) names(asked map[string]string) bool {
	if f.Entity == "" {
		return true
	}
	for _, value := range asked {
		// ECS names instances in a JSON array.
		if value == f.Entity || strings.Contains(value, `"`+f.Entity+`"`) {
			return true
		}
	}
	return false
}

func (f Fault) check() error {
	kinds := []FaultKind{FaultThrottle, FaultError, FaultDrop, FaultSlow, FaultBadJSON, FaultBadCode}
	switch {
	case f.API == "":
		return fmt.Errorf("api: is missing; \"*\" is every API")
	case f.API != allAPIs && !knownAction(f.API):
		return fmt.Errorf("api: %q is not served", f.API)
	case !slices.Contains(kinds, f.Kind):
		return fmt.Errorf("kind: %q is not one of %v", f.Kind, kinds)
	case f.Rate < 0 || f.Rate > 1:
		return fmt.Errorf("rate: %v is not between 0 and 1", f.Rate)
	case f.Count < 0:
		return fmt.Errorf("count: %d is negative", f.Count)
	case f.Status != 0 && (f.Status < 400 || f.Status > 599):
		return fmt.Errorf("status: %d is not the status of an error", f.Status)
	case f.Delay < 0:
		return fmt.Errorf("delay: %v is negative", time.Duration(f.Delay))
	}
	return nil
}

func (f *Fault) fillDefaults() {
	if f.Rate == 0 {
		f.Rate = 1
	}
	if f.Kind == FaultSlow && f.Delay == 0 {
		f.Delay = account.Duration(2 * time.Second)
	}
	switch {
	case f.Kind == FaultThrottle:
		f.Status = 400
		f.Code = orElse(f.Code, "Throttling.User")
	case f.Status == 0:
		f.Status = 503
	}
	f.Code = orElse(f.Code, "ServiceUnavailable")
}

func orElse(value, standard string) string {
	if value == "" {
		return standard
	}
	return value
}

// faults are the injected faults, in the order they were added: the first one that
// hits a call counts.
type faults struct {
	mu     sync.Mutex
	random *rand.Rand
	active []Fault
	keep   keep
}

func newFaults(seed uint64) *faults { return &faults{random: newRandom(seed, 2)} }

func (f *faults) add(fault Fault) error {
	if err := fault.check(); err != nil {
		return fmt.Errorf("inject fault: %w", err)
	}
	fault.fillDefaults()
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.keep.change(doInjectFault, fault); err != nil {
		return err
	}
	f.active = append(f.active, fault)
	return nil
}

func (f *faults) clear() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.keep.change(doClearFaults, nil); err != nil {
		return err
	}
	f.active = nil
	return nil
}

// strike returns the fault that hits this call, if any. While there are faults every
// call is kept, because it may use one up and moves the chance of the next.
func (f *faults) strike(api string, asked map[string]string) (hit Fault, struck bool, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.active) == 0 {
		return Fault{}, false, nil
	}
	if err := f.keep.change(doStrike, strike{api, asked}); err != nil {
		return Fault{}, false, err
	}
	for i := range f.active {
		fault := &f.active[i]
		if (fault.API != allAPIs && fault.API != api) || !fault.names(asked) || f.random.Float64() >= fault.Rate {
			continue
		}
		hit = *fault
		if fault.Count > 0 {
			fault.Count--
			if fault.Count == 0 {
				f.active = slices.Delete(f.active, i, i+1)
			}
		}
		return hit, true, nil
	}
	return Fault{}, false, nil
}
