package recommend

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/buildpool/buildpool/simulations/engine"
)

// Finalist is a setting that was played again, with other chances and other histories.
type Finalist struct {
	Tried
	// Seeds are the same builds with other seeds: boot times, ties, reclaims.
	Seeds Spread `json:"seeds"`
	// Weeks are histories made of the trace's own weeks, or days, drawn at random.
	Weeks Spread `json:"weeks"`
}

// Spread is what several runs came to.
type Spread struct {
	// Runs that were played.
	Runs int `json:"runs"`
	// Met counts the runs that kept every service level.
	Met int `json:"met"`
	// Cost and Wait are intervals; the wait is the first service level's figure, in
	// seconds.
	Cost Interval `json:"cost"`
	Wait Interval `json:"wait"`
}

// Interval is where nine of ten runs lie: the 5th percentile, the median and the 95th.
type Interval struct {
	Low    float64 `json:"low"`
	Median float64 `json:"median"`
	High   float64 `json:"high"`
}

// sure is the share of all runs that have to keep the service levels.
const sure = 0.9

func (f Finalist) share() float64 {
	return float64(f.Seeds.Met+f.Weeks.Met) / float64(max(f.Seeds.Runs+f.Weeks.Runs, 1))
}

func (s *Search) play(ctx context.Context, chosen []Tried) ([]Finalist, error) {
	seeds, weeks := s.options.Seeds, s.options.Weeks
	each := seeds + weeks
	if each == 0 || len(chosen) == 0 {
		return nil, nil
	}
	histories := make([]engine.Settings, weeks)
	for n := range histories {
		histories[n] = s.settings
		histories[n].Seed += uint64(n)
		histories[n].Trace = resample(s.settings.Trace, rand.New(rand.NewPCG(s.settings.Seed, uint64(n))))
	}
	s.evaluator.planned = s.evaluator.done + each*len(chosen)
	figures, err := s.evaluator.all(ctx, each*len(chosen), func(i int) engine.Settings {
		n := i % each
		if n >= seeds {
			return chosen[i/each].Setting.apply(histories[n-seeds])
		}
		again := s.settings
		again.Seed += uint64(n)
		return chosen[i/each].Setting.apply(again)
	})
	if err != nil {
		return nil, err
	}
	var out []Finalist
	for n, t := range chosen {
		own := figures[n*each : (n+1)*each]
		if slices.Contains(own, nil) {
			continue // the search was cut short
		}
		out = append(out, Finalist{t, spreadOf(own[:seeds], s.options.SLOs), spreadOf(own[seeds:], s.options.SLOs)})
	}
	return out, nil
}

func spreadOf(runs []*Figures, levels []SLO) Spread {
	s := Spread{Runs: len(runs)}
	var costs, waits []float64
	for _, f := range runs {
		costs, waits = append(costs, f.Cost), append(waits, f.wait())
		if f.met(levels) {
			s.Met++
		}
	}
	s.Cost, s.Wait = intervalOf(costs), intervalOf(waits)
	return s
}

func intervalOf(values []float64) Interval {
	if len(values) == 0 {
		return Interval{}
	}
	slices.Sort(values)
	at := func(q float64) float64 { return values[max(int(math.Ceil(q*float64(len(values))-1e-9))-1, 0)] }
	return Interval{at(0.05), at(0.5), at(0.95)}
}
