package recommend

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/buildpool/buildpool/simulations/baseline"
	"github.com/buildpool/buildpool/simulations/engine"
	"github.com/buildpool/buildpool/simulations/report"
)

// Version of the outcome's JSON form.
const Version = 1

// Outcome is what a search came to. Waits are in seconds, costs in the currency and for
// all builds of the trace.
type Outcome struct {
	// Version of this form: 1.
	Version int `json:"version"`
	// Interrupted: the search was cut short, and this is what was done by then.
	Interrupted bool `json:"interrupted"`
	// Tried counts the settings that were tried.
	Tried int `json:"tried"`
	// SLOs that were asked for.
	SLOs []SLO `json:"slos"`
	// Budget for all builds of the trace; left out where there is none.
	Budget *float64 `json:"budget,omitempty"`
	// Currency of all costs; empty: not known.
	Currency string `json:"currency"`
	// Builds of the trace, and the seconds from its start to the last arrival.
	Builds      int     `json:"builds"`
	SpanSeconds float64 `json:"spanSeconds"`
	// Seed of the first run of each setting.
	Seed string `json:"seed"`
	// Today is what is set.
	Today Tried `json:"today"`
	// Front are the settings that no other one betters in cost and wait, the cheapest
	// first.
	Front []Tried `json:"front"`
	// Levels are what other limits would cost.
	Levels []LevelCost `json:"levels"`
	// Reached: the recommended setting keeps the service levels and the budget.
	Reached bool `json:"reached"`
	// Sure: it does so in nine of ten runs of the finalists' games.
	Sure bool `json:"sure"`
	// Recommended is the cheapest setting that does; where none is reached, the nearest.
	Recommended Tried `json:"recommended"`
	// Finalists were played again and again, the cheapest first.
	Finalists []Finalist `json:"finalists"`
	// Baselines are other ways to serve the same builds; the static pool of equal p95
	// waits no longer than the recommended setting.
	Baselines []baseline.Baseline `json:"baselines"`
	// NodeGroups is the recommended setting as a part of the node-group file, Flags as
	// cluster-autoscaler's.
	NodeGroups string   `json:"nodeGroups"`
	Flags      []string `json:"flags"`
}

// LevelCost is the cheapest setting that keeps a service level.
type LevelCost struct {
	// SLO that it keeps.
	SLO SLO `json:"slo"`
	// Cheapest of the settings; null: none keeps it.
	Cheapest *Tried `json:"cheapest"`
}

// limitSteps are the parts of the limit whose price is told.
var limitSteps = []float64{0.25, 0.5, 0.75, 1, 1.5, 2, 4}

func (s *Search) outcome(ctx context.Context, tried []Tried, finalists []Finalist) (Outcome, error) {
	o := Outcome{
		Version: Version, Interrupted: ctx.Err() != nil, Tried: len(tried), SLOs: s.options.SLOs, Currency: s.settings.Currency,
		Builds: len(s.settings.Trace.Builds), SpanSeconds: seconds(s.span()), Seed: fmt.Sprint(s.settings.Seed),
		Today: tried[0], Front: front(tried), Finalists: finalists,
	}
	if most := s.budget(); !math.IsInf(most, 1) {
		o.Budget = &most
	}
	for _, step := range limitSteps {
		level := s.options.SLOs[0]
		level.Limit = time.Duration(float64(level.Limit) * step).Round(time.Second / 10)
		o.Levels = append(o.Levels, LevelCost{level, cheapest(tried, func(f Figures) bool { return f.met([]SLO{level}) })})
	}
	s.choose(&o, tried)
	setting := o.Recommended.Setting
	o.NodeGroups, o.Flags = setting.yaml(s.settings), setting.flags()
	if o.Interrupted {
		return o, nil
	}
	settings := setting.apply(s.settings)
	result, err := engine.Run(ctx, settings, nil)
	if err != nil {
		return Outcome{}, fmt.Errorf("play the recommended setting: %w", err)
	}
	o.Baselines = baseline.Compute(settings, report.WaitTimes(settings.Trace, *result), result.End)
	return o, nil
}

// choose takes the cheapest finalist that is sure of the service levels; else the surest.
func (s *Search) choose(o *Outcome, tried []Tried) {
	o.Recommended = s.finalists(tried)[0]
	best := -1.0
	for _, f := range o.Finalists {
		if f.share() > best && best < sure {
			best, o.Recommended = f.share(), f.Tried
		}
	}
	o.Sure = best >= sure
	f := o.Recommended.Figures
	o.Reached = f.met(o.SLOs) && f.Cost <= s.budget()
}

// WriteJSON writes the outcome's JSON form.
func WriteJSON(w io.Writer, o Outcome) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(o); err != nil {
		return fmt.Errorf("write outcome: %w", err)
	}
	return nil
}
