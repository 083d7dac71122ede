package e2e

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/stretchr/testify/require"
)

// mortal is a program that can be killed and started again.
type mortal interface {
	Running() bool
	Kill()
	Revive() error
}

// killer ends one program after the other by kill -9, at random moments and for a
// random while, and starts again what has ended by itself, as kubelet would.
type killer struct {
	s        *scenario
	random   *rand.Rand
	programs map[string]mortal
	cancel   context.CancelFunc
	done     chan struct{}

	// kills and deaths are read after stop.
	kills  map[string]int
	deaths []string
	err    error
}

const (
	// Between two kills; three programs share them. A first reading takes ten calls of
	// two seconds each, some of them one after another.
	shortestPeace, longestPeace = 4 * time.Second, 10 * time.Second
	// longestOutage is how long a program is away at most.
	longestOutage = 4 * time.Second
)

func (s *scenario) startKiller(random *rand.Rand) *killer {
	ctx, cancel := context.WithCancel(s.ctx)
	k := &killer{
		s: s, random: random, cancel: cancel, done: make(chan struct{}), kills: map[string]int{},
		programs: map[string]mortal{"provider": s.provider, "autoscaler": s.autoscaler, "account": s.simulator},
	}
	var once sync.Once
	s.t.Cleanup(func() { once.Do(cancel); <-k.done })
	go func() {
		defer close(k.done)
		k.err = k.run(ctx)
	}()
	return k
}

// stop ends the killing and leaves every program running.
func (k *killer) stop() {
	k.s.t.Helper()
	k.cancel()
	<-k.done
	require.NoError(k.s.t, k.err)
}

func (k *killer) run(ctx context.Context) error {
	// Rounds in which each dies once, so that chance does not leave one out.
	var round []string
	for {
		if len(round) == 0 {
			round = slices.Sorted(maps.Keys(k.programs))
			k.random.Shuffle(len(round), func(i, j int) { round[i], round[j] = round[j], round[i] })
		}
		if enough := k.pause(ctx, shortestPeace, longestPeace); enough {
			return k.reviveDead()
		}
		name := round[0]
		round = round[1:]
		if err := k.reviveDead(); err != nil {
			return err
		}
		k.programs[name].Kill()
		k.kills[name]++
		k.pause(ctx, 0, longestOutage)
		if err := k.programs[name].Revive(); err != nil {
			return fmt.Errorf("start %s again: %w", name, err)
		}
	}
}

// pause waits for a random time. It reports whether the killing is to end, which it
// does not before every program has died often enough.
func (k *killer) pause(ctx context.Context, shortest, longest time.Duration) (enough bool) {
	timer := time.NewTimer(shortest + time.Duration(k.random.Int64N(int64(longest-shortest))))
	defer timer.Stop()
	for name := range k.programs {
		if k.kills[name] < chaosKills && k.s.ctx.Err() == nil {
			<-timer.C
			return false
		}
	}
	select {
	case <-timer.C:
		return false
	case <-ctx.Done():
		return true
	}
}

// reviveDead starts what has ended by itself.
func (k *killer) reviveDead() error {
	for name, program := range k.programs {
		if program.Running() {
			continue
		}
		k.deaths = append(k.deaths, name)
		if err := program.Revive(); err != nil {
			return fmt.Errorf("start %s again: %w", name, err)
		}
	}
	return nil
}
