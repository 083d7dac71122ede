package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// TextOptions say how a text is written.
type TextOptions struct {
	// Colour marks what matters, with the escapes of terminals.
	Colour bool
}

// textWidth is what every line fits into.
const textWidth = 80

// WriteText writes the report for a terminal of 80 columns.
func WriteText(w io.Writer, r Report, options TextOptions) error {
	p := &page{colour: options.Colour}
	p.head(r)
	p.waits(r)
	p.causes(r)
	p.nodes(r)
	p.virtual(r)
	p.costs(r)
	p.baselines(r)
	p.timeline(r)
	p.week(r)
	p.restsOn(r.Settings, r.Currency)
	if _, err := io.WriteString(w, p.out.String()); err != nil {
		return fmt.Errorf("write summary: %w", err)
	}
	return nil
}

// page is a text in the making.
type page struct {
	out    strings.Builder
	colour bool
}

func (p *page) line(format string, args ...any) {
	p.out.WriteString(strings.TrimRight(fmt.Sprintf(format, args...), " ") + "\n")
}

// The escapes of terminals.
const (
	bold   = "1"
	red    = "31"
	green  = "32"
	yellow = "33"
	blue   = "34"
	faint  = "2"
)

func (p *page) in(colour, s string) string {
	if s = strings.TrimRight(s, " "); !p.colour || s == "" || colour == "" {
		return s
	}
	return "\x1b[" + colour + "m" + s + "\x1b[0m"
}

// drawn colours without touching the width, for what is followed by something.
func (p *page) drawn(colour, s string) string {
	text := strings.TrimRight(s, " ")
	return p.in(colour, text) + s[len(text):]
}

func (p *page) title(s string) {
	p.out.WriteString("\n")
	p.line("%s", p.in(bold, s))
}

func (r Report) span() time.Duration {
	return time.Duration(r.EndSeconds * float64(time.Second))
}

func (p *page) head(r Report) {
	name := r.Name
	if name == "" {
		name = "simulation"
	}
	end := r.Start.Add(r.span())
	p.line("%s", p.in(bold, shown(name, textWidth)))
	p.line("%d builds from %s to %s, seed %s", r.Builds.Arrived, r.Start.Format("Mon 2006-01-02 15:04"), end.Format("Mon 2006-01-02 15:04"), r.Settings.Seed)
	b := r.Builds
	if b.Unfinished > 0 {
		p.line("%s", p.in(red, fmt.Sprintf("not done: %d builds, %d of them never started", b.Unfinished, b.Unstarted)))
	}
	if b.Interruptions > 0 {
		p.line("%s", p.in(yellow, fmt.Sprintf("interrupted: %d builds, %d times in all; %.0f minutes of work lost", b.Interrupted, b.Interruptions, b.LostMinutes)))
	}
}

func (p *page) waits(r Report) {
	over := ""
	if r.SLOSeconds > 0 {
		over = ">" + waitText(r.SLOSeconds)
	}
	p.title(fmt.Sprintf("%-22s %7s %6s %6s %6s %6s %6s %6s %6s", "Wait", "builds", "p50", "p90", "p95", "p99", "max", "mean", over))
	row := func(name string, w Waits) {
		over, p95 := "", right(waitText(w.P95), 6)
		if r.SLOSeconds > 0 {
			over = percentText(w.OverSLO)
			p95 = p.drawn(map[bool]string{true: red, false: green}[w.P95 > r.SLOSeconds], p95)
		}
		p.line("%s %7d %6s %6s %s %6s %6s %6s %6s", left(shown(name, 22), 22), w.Builds,
			waitText(w.P50), waitText(w.P90), p95, waitText(w.P99), waitText(w.Max), waitText(w.Mean), over)
	}
	row("all builds", r.Waits)
	if len(r.Classes) > 1 {
		for _, c := range r.Classes {
			row("  "+c.Name, c.Waits)
		}
	}
	if r.Observed != nil {
		row("as observed", *r.Observed)
	}
	const mostJobs = 5
	if len(r.Jobs) > 1 {
		p.line("%s", p.in(faint, "longest in all, by job"))
		for _, j := range r.Jobs[:min(len(r.Jobs), mostJobs)] {
			row("  "+shown(j.Name, 20), j.Waits)
		}
	}
}

func (p *page) causes(r Report) {
	causes := slices.DeleteFunc(slices.Clone(r.Causes), func(c CauseWaits) bool { return c.TotalSeconds == 0 })
	if len(causes) == 0 {
		return
	}
	slices.SortStableFunc(causes, func(a, b CauseWaits) int {
		switch {
		case a.TotalSeconds > b.TotalSeconds:
			return -1
		case a.TotalSeconds < b.TotalSeconds:
			return 1
		}
		return 0
	})
	p.title("What builds waited for")
	for _, c := range causes {
		p.line("%s %s %6s %7d builds, p95 %6s", left(CauseText(c.Cause), 26), p.drawn(blue, bar(c.Share, 19)), percentText(c.Share), c.Builds, waitText(c.P95))
	}
}

// CauseText says a cause in words; causes of a later release as they are.
func CauseText(cause string) string {
	if text, ok := causeTexts[cause]; ok {
		return text
	}
	return cause
}

var causeTexts = map[string]string{
	"none":       "started at once",
	"scan":       "the autoscaler's next loop",
	"gpu-delay":  "a young GPU build",
	"max":        "group at its max",
	"stock":      "out of stock",
	"backoff":    "group backed off",
	"boot":       "node to boot",
	"image":      "image to be pulled",
	"reclaim":    "node taken back",
	"impossible": "fits no group",
	"virtual":    "virtual node to start it",
}
