package recommend

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/buildpool/buildpool/simulations/engine"
)

// Options say what is searched for, and how hard.
type Options struct {
	// SLOs that have to be kept; the first one's figure is what the front is drawn over.
	// At least one.
	SLOs []SLO
	// Budget that must not be exceeded.
	Budget Budget
	// Settings to try, about.
	Settings int
	// Seeds and Weeks are how often each finalist is played again: with another seed,
	// and with weeks drawn from the trace's.
	Seeds, Weeks int
	// Workers play at once. They change nothing of the outcome.
	Workers int
	// Progress is told how many runs are done, of how many that are planned so far; nil:
	// nobody asks. Calls do not overlap, but come from several goroutines.
	Progress func(done, planned int)
}

// Search looks for settings.
type Search struct {
	settings  engine.Settings
	options   Options
	space     space
	plan      []candidate
	evaluator evaluator
}

// New makes a search that starts from what is set today: a run's settings with its builds
// and its seed.
func New(settings engine.Settings, options Options) (*Search, error) {
	switch {
	case len(options.SLOs) == 0:
		return nil, errors.New("prepare search: there is no service level")
	case options.Settings < 1:
		return nil, fmt.Errorf("prepare search: %d settings to try, want 1 or more", options.Settings)
	case len(settings.Trace.Builds) == 0:
		return nil, errors.New("prepare search: the trace has no builds")
	}
	for _, level := range options.SLOs {
		if err := level.countsIn(settings.Trace); err != nil {
			return nil, fmt.Errorf("prepare search: %w", err)
		}
	}
	settings.TimelineStep = 0
	s := &Search{settings: settings, options: options, space: newSpace(settings)}
	s.plan = s.space.plan(max(int(coarseShare*float64(options.Settings)), 1))
	s.evaluator = evaluator{workers: options.Workers, levels: options.SLOs, progress: options.Progress, planned: len(s.plan)}
	return s, nil
}

// Run searches. A cancelled context ends it early: the outcome is of what is done by
// then, and says so.
func (s *Search) Run(ctx context.Context) (Outcome, error) {
	figures, err := s.evaluator.all(ctx, len(s.plan), func(i int) engine.Settings {
		return s.plan[i].setting.apply(s.settings)
	})
	if err != nil {
		return Outcome{}, err
	}
	return s.finish(ctx, figures)
}

// finish searches on from the coarse grid's figures, by index of the plan.
func (s *Search) finish(ctx context.Context, figures []*Figures) (Outcome, error) {
	var tried []Tried
	for i, f := range figures {
		if f != nil {
			tried = append(tried, Tried{ID: i, Setting: s.plan[i].setting, Figures: *f, at: s.plan[i].at})
		}
	}
	if len(tried) == 0 || tried[0].ID != 0 {
		return Outcome{}, fmt.Errorf("search: nothing is done yet: %w", context.Cause(ctx))
	}
	tried, err := s.refine(ctx, tried)
	if err != nil {
		return Outcome{}, err
	}
	finalists, err := s.play(ctx, s.finalists(tried))
	if err != nil {
		return Outcome{}, err
	}
	if finalists, err = s.closeIn(ctx, tried, finalists); err != nil {
		return Outcome{}, err
	}
	return s.outcome(ctx, tried, finalists)
}

// refine tries what lies around the front, beginning next to the cheapest setting that is
// good enough, until nothing new is there or enough is tried.
func (s *Search) refine(ctx context.Context, tried []Tried) ([]Tried, error) {
	seen := map[string]bool{}
	for _, c := range s.plan {
		seen[c.setting.key()] = true
	}
	id := len(s.plan)
	s.evaluator.planned = max(s.options.Settings, s.evaluator.done)
	for ctx.Err() == nil && id < s.options.Settings {
		next := s.around(tried, seen, s.options.Settings-id)
		if len(next) == 0 {
			break
		}
		figures, err := s.evaluator.all(ctx, len(next), func(i int) engine.Settings { return next[i].setting.apply(s.settings) })
		if err != nil {
			return nil, err
		}
		for i, f := range figures {
			if f != nil {
				tried = append(tried, Tried{ID: id + i, Setting: next[i].setting, Figures: *f, at: next[i].at})
			}
		}
		id += len(next)
	}
	return tried, nil
}

// aRound bounds what is tried before the front is drawn anew.
const aRound = 64

// around are new candidates next to the front.
func (s *Search) around(tried []Tried, seen map[string]bool, most int) []candidate {
	f := front(tried)
	goal := len(f) - 1
	for i, t := range f {
		if t.Figures.met(s.options.SLOs) {
			goal = i
			break
		}
	}
	var out []candidate
	for _, i := range byDistance(len(f), goal) {
		if f[i].at == nil {
			continue
		}
		for _, p := range s.space.neighbours(*f[i].at) {
			c := candidate{s.space.setting(p), &p}
			key := c.setting.key()
			if seen[key] {
				continue
			}
			seen[key] = true
			if out = append(out, c); len(out) == min(most, aRound) {
				return out
			}
		}
	}
	return out
}

// margins are the shares of the limits that finalists keep: who only just keeps a service
// level once may miss it the next time.
var margins = []float64{1, 0.95, 0.9, 0.8, 0.7, 0.6, 0.5, 0.35}

// finalists are the cheapest settings that keep the service levels, with more and more
// room; where none does, those that wait the least for what may be spent, or at all.
func (s *Search) finalists(tried []Tried) []Tried {
	most := s.budget()
	var out []Tried
	add := func(t *Tried) {
		if t == nil {
			return
		}
		for _, other := range out {
			if other.ID == t.ID {
				return
			}
		}
		out = append(out, *t)
	}
	for _, margin := range margins {
		tighter := make([]SLO, len(s.options.SLOs))
		for i, level := range s.options.SLOs {
			level.Limit = time.Duration(float64(level.Limit) * margin)
			tighter[i] = level
		}
		add(cheapest(tried, func(f Figures) bool { return f.Cost <= most && f.met(tighter) }))
	}
	if len(out) == 0 {
		add(quickest(tried, most))
	}
	if len(out) == 0 {
		add(cheapest(tried, func(Figures) bool { return true }))
	}
	return out
}

// span is the time that the builds come in, which budgets are for.
func (s *Search) span() time.Duration {
	builds := s.settings.Trace.Builds
	return builds[len(builds)-1].Arrival
}

func (s *Search) budget() float64 { return s.options.Budget.Over(s.span()) }
