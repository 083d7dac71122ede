package recommend

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/buildpool/buildpool/simulations/engine"
)

// WriteText writes the outcome for people.
func WriteText(w io.Writer, o Outcome) error {
	t := &text{outcome: o}
	t.head()
	t.recommended()
	t.finalists()
	t.levels()
	t.front()
	t.baselines()
	t.virtualNode()
	t.paste()
	if _, err := io.WriteString(w, t.out.String()); err != nil {
		return fmt.Errorf("write outcome: %w", err)
	}
	return nil
}

type text struct {
	out     strings.Builder
	outcome Outcome
}

func (t *text) line(format string, args ...any) {
	t.out.WriteString(strings.TrimRight(fmt.Sprintf(format, args...), " ") + "\n")
}

func (t *text) head() {
	o := t.outcome
	var levels []string
	for _, s := range o.SLOs {
		levels = append(levels, s.String())
	}
	t.line("%d settings tried on %d builds of %s, seed %s", o.Tried, o.Builds, spanText(o.SpanSeconds), o.Seed)
	if o.Interrupted {
		t.line("cut short: this is what was done by then")
	}
	wanted := "wanted: " + strings.Join(levels, ", ")
	if o.Budget != nil {
		wanted += fmt.Sprintf(", for at most %s", t.money(*o.Budget))
	}
	t.line("%s", wanted)
}

func (t *text) money(cost float64) string {
	return strings.TrimSpace(fmt.Sprintf("%.2f %s", cost, t.outcome.Currency))
}

func (t *text) recommended() {
	o := t.outcome
	t.line("")
	switch {
	case !o.Reached:
		t.line("No setting that was tried reaches it. The nearest:")
	case o.Sure:
		t.line("Recommended: the cheapest that keeps it in nine of ten runs")
	case len(o.Finalists) > 0:
		t.line("Recommended, but it is NOT SURE: none that was tried keeps it in nine of ten runs")
	default:
		t.line("Recommended: the cheapest that keeps it, in the one run that was played")
	}
	t.line("")
	t.heading()
	t.tried("today", o.Today)
	t.tried("then", o.Recommended)
	if today := o.Today.Figures.Cost; today > 0 {
		t.line("")
		t.line("cost %+.1f%% against today; %s per build", 100*(o.Recommended.Figures.Cost/today-1), t.money(o.Recommended.Figures.Cost/float64(o.Builds)))
	}
}

func (t *text) heading() {
	t.line("%8s %10s %8s %8s %8s %5s  %s", "", "cost", t.outcome.SLOs[0].Figure(), "p50", "p99", "idle", "expander, scheduler, groups")
}

func (t *text) tried(name string, r Tried) {
	f, s := r.Figures, r.Setting
	what := []string{strings.Join(s.Expander, ",")}
	if s.Scheduler == engine.MostAllocated {
		what = append(what, string(s.Scheduler))
	}
	if s.Overflow != nil {
		what = append(what, s.Overflow.short())
	}
	for _, g := range s.Groups {
		what = append(what, g.short())
	}
	t.line("%8s %10.2f %8s %8s %8s %5s  %s", name, f.Cost, waitText(f.wait()), waitText(f.P50), waitText(f.P99), durationText(time.Duration(s.Unneeded)), strings.Join(what, ", "))
	if f.Unstarted > 0 {
		t.line("%8s %10s %d builds never start", "", "", f.Unstarted)
	}
}

func (t *text) finalists() {
	if len(t.outcome.Finalists) == 0 {
		return
	}
	t.line("")
	t.line("How sure: median and where nine of ten runs lie")
	t.line("%8s %-14s %5s %6s  %-30s %s", "", "", "runs", "kept", "cost", t.outcome.SLOs[0].Figure())
	for _, f := range nextTo(t.outcome.Recommended.ID, t.outcome.Finalists) {
		t.spread(fmt.Sprintf("#%d", f.ID), "other seeds", f.Seeds)
		t.spread("", "other weeks", f.Weeks)
	}
}

// nextTo takes two finalists that are cheaper than the recommended one, and five that are
// dearer.
func nextTo(recommended int, all []Finalist) []Finalist {
	at := max(slices.IndexFunc(all, func(f Finalist) bool { return f.ID == recommended }), 0)
	return all[max(at-2, 0):min(at+6, len(all))]
}

func (t *text) spread(name, kind string, s Spread) {
	if s.Runs == 0 {
		return
	}
	t.line("%8s %-14s %5d %5.0f%%  %-30s %s (%s to %s)", name, kind, s.Runs, 100*float64(s.Met)/float64(s.Runs),
		fmt.Sprintf("%.2f (%.2f to %.2f)", s.Cost.Median, s.Cost.Low, s.Cost.High),
		waitText(s.Wait.Median), waitText(s.Wait.Low), waitText(s.Wait.High))
}

func (t *text) levels() {
	t.line("")
	t.line("What a service level costs")
	for _, l := range t.outcome.Levels {
		if l.Cheapest == nil {
			t.line("%14s  none that was tried keeps it", l.SLO)
			continue
		}
		t.line("%14s %10.2f  #%d", l.SLO, l.Cheapest.Figures.Cost, l.Cheapest.ID)
	}
}

func (t *text) front() {
	t.line("")
	t.line("None that was tried is cheaper than these and waits no longer")
	t.heading()
	shown := thinned(t.outcome.Front, frontLines)
	for _, r := range shown {
		t.tried(fmt.Sprintf("#%d", r.ID), r)
	}
	if left := len(t.outcome.Front) - len(shown); left > 0 {
		t.line("%8s and %d between them", "", left)
	}
}

// frontLines is how many settings of the front are shown.
const frontLines = 15

// thinned takes as many settings of a front, about evenly by cost, both ends among them.
func thinned(f []Tried, most int) []Tried {
	if len(f) <= most {
		return f
	}
	first, last := f[0].Figures.Cost, f[len(f)-1].Figures.Cost
	var out []Tried
	for i, r := range f {
		due := first + (last-first)*float64(len(out))/float64(most-1)
		if r.Figures.Cost >= due || i == len(f)-1 {
			out = append(out, r)
		}
	}
	return out
}

func (t *text) baselines() {
	if len(t.outcome.Baselines) == 0 {
		return
	}
	t.line("")
	t.line("Other ways to serve the same builds")
	for _, b := range t.outcome.Baselines {
		t.line("%22s %10.2f  p95 %-6s %d nodes at the most", b.Name, b.Cost, waitText(b.P95Seconds), b.PeakNodes)
	}
}

// virtualNode says how to have one tried where none was.
func (t *text) virtualNode() {
	if t.outcome.Today.Setting.Overflow != nil {
		return
	}
	t.line("")
	t.line("A virtual node was not tried, as the node-group file has no overflow section.")
	t.line("Write one (docs/recommend.md has a short one to start with) and search again.")
}

func (t *text) paste() {
	s := t.outcome.Recommended.Setting
	t.line("")
	t.line("nodegroups.yaml: set these keys of the groups")
	t.line("")
	t.line("%s", t.outcome.NodeGroups)
	t.line("cluster-autoscaler: start it with")
	t.line("")
	for _, flag := range t.outcome.Flags {
		t.line("  %s", flag)
	}
	if slices.Contains(s.Expander, engine.GRPC) && !slices.Contains(t.outcome.Today.Setting.Expander, engine.GRPC) {
		t.line("")
		t.line("grpc is buildpool's own expander: docs/expander.md has the flags of both sides")
	}
	if s.Scheduler != t.outcome.Today.Setting.Scheduler {
		t.line("")
		t.line("kube-scheduler: NodeResourcesFit with scoringStrategy.type %s", s.Scheduler)
	}
}

func waitText(s float64) string {
	if s < 10 {
		return fmt.Sprintf("%.1fs", s)
	}
	return durationText(fromSeconds(s).Round(time.Second))
}

func spanText(s float64) string {
	if d := fromSeconds(s); d >= 48*time.Hour {
		return fmt.Sprintf("%.1f days", d.Hours()/24)
	}
	return durationText(fromSeconds(s).Round(time.Minute))
}
