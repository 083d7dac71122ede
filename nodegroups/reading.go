package nodegroups

import (
	"context"
	"fmt"
	"time"

	"github.com/buildpool/buildpool/cloudprovider"
)

const (
	// answerTime is how long a Refresh waits for the reading while there is a snapshot
	// to serve: CA waits 5 s by default, and gives up its whole loop if the answer does
	// not come.
	answerTime = 4 * time.Second

	// readingTime bounds a reading. What it has read of some groups until then counts,
	// so that an account however large or slow is known after some readings.
	readingTime = time.Minute

	// listTime bounds the first step of a reading, the list of scaling groups: a cloud
	// that does not answer is to be noticed soon, as writes fail fast from then on.
	listTime = 8 * time.Second
)

// reading is one look at the cloud under way. It outlives the Refresh that began it:
// a slow cloud would otherwise be asked the same again and again, and never heard out.
type reading struct {
	began time.Time
	done  chan struct{}
	// err is why the snapshot that there is, if any, could not be renewed; it may be
	// read when done is closed.
	err error
}

// Refresh implements cloudprovider.Provider. In a steady state it costs one call per
// 20 groups: details are read only of groups whose counters moved. Calls in quick
// succession, and those that come while the cloud is being read, share one reading.
// It fails only while there is no snapshot yet.
func (p *Provider) Refresh(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("refresh: %w", err)
	}
	p.nodes.begins()
	p.settleFloors()
	r, err := p.join(ctx)
	if err != nil {
		return fmt.Errorf("refresh: %w", err)
	}
	if r == nil {
		return nil
	}
	waiting, cancel := p.whileItMayWait(ctx)
	defer cancel()
	select {
	case <-r.done:
	case <-waiting.Done():
	}
	what := "refresh failed, serving the last good snapshot"
	select {
	case <-r.done:
		err = r.err
	default:
		what = "reading takes long, serving the last good snapshot meanwhile"
		err = fmt.Errorf("the account is still being read: %w", waiting.Err())
	}
	switch {
	case err == nil:
		return nil
	case p.current.Load() == nil:
		return fmt.Errorf("refresh: %w", err)
	}
	p.Log.Warn(what, "error", err)
	return nil
}

// whileItMayWait bounds the wait for a reading, but not for the first: without a
// snapshot there is nothing to answer from.
func (p *Provider) whileItMayWait(ctx context.Context) (context.Context, context.CancelFunc) {
	if p.current.Load() == nil {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, answerTime)
}

// errClosed: the provider is on its way out.
var errClosed = fmt.Errorf("provider is closed: %w", cloudprovider.ErrUnavailable)

// join returns the reading that is under way, or begins one; nil if the snapshot in
// force will do. The calls of a reading are recorded for the one who began it.
func (p *Provider) join(ctx context.Context) (*reading, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.lifetime.Err() != nil:
		return nil, errClosed
	case p.reading != nil:
		return p.reading, nil
	case p.mayRest():
		return nil, nil
	}
	r := &reading{began: p.Clock.Now(), done: make(chan struct{})}
	p.reading = r
	p.background.Add(1)
	go func() {
		defer p.background.Done()
		r.err = p.readAndSettle(context.WithoutCancel(ctx))
		p.mu.Lock()
		p.reading = nil
		p.mu.Unlock()
		close(r.done)
	}()
	return r, nil
}

// readAndSettle reads the cloud, publishes what it saw, and does what follows from it.
// The error says why there is no new snapshot.
func (p *Provider) readAndSettle(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readingTime)
	defer cancel()
	defer context.AfterFunc(p.lifetime, cancel)()

	read, err := p.refresh(ctx)
	p.concluded(read, err)
	switch {
	case !read:
		return err
	case err != nil:
		p.Log.Warn("some groups could not be read, serving what was last known of them", "error", err)
	}
	p.followReclaims(ctx)
	p.payDebts(ctx)
	p.keepWarm(ctx)
	p.readPrices()
	p.clearLeftovers(ctx, err == nil)
	p.reopenNodes(ctx)
	return nil
}
