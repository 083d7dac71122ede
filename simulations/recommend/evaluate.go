package recommend

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/buildpool/buildpool/simulations/engine"
)

// evaluator plays settings on several cores. What comes out is in the order of what went
// in, whichever is done first.
type evaluator struct {
	workers int
	levels  []SLO
	// progress is told of every run that is done; calls do not overlap.
	progress func(done, planned int)
	mu       sync.Mutex
	done     int
	planned  int
}

// all plays n runs. Figures that a cancelled context left out are nil, and no error.
func (e *evaluator) all(ctx context.Context, n int, settings func(i int) engine.Settings) ([]*Figures, error) {
	out, errs := make([]*Figures, n), make([]error, n)
	var next atomic.Int64
	var group sync.WaitGroup
	for range min(max(e.workers, 1), n) {
		group.Go(func() {
			for i := int(next.Add(1)) - 1; i < n && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				out[i], errs[i] = e.one(ctx, settings(i))
			}
		})
	}
	group.Wait()
	return out, errors.Join(errs...)
}

func (e *evaluator) one(ctx context.Context, s engine.Settings) (*Figures, error) {
	result, err := engine.Run(ctx, s, nil)
	if err != nil {
		if ctx.Err() != nil {
			return nil, nil // not wanted to its end: no figures
		}
		return nil, fmt.Errorf("try a setting: %w", err)
	}
	f := figuresOf(s, *result, e.levels)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.done++
	if e.progress != nil {
		e.progress(e.done, max(e.planned, e.done))
	}
	return &f, nil
}
