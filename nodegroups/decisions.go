package nodegroups

import (
	"fmt"
	"sync"
	"time"

	"github.com/buildpool/buildpool/nodegroups/floor"
)

// Decision is something that was done or refused, as a person would tell it.
type Decision struct {
	// At is when, the last time if it came several times in a row.
	At    time.Time
	Group string
	// Text is a sentence without its full stop.
	Text string
	// Times is how often in a row.
	Times int
}

// decisionsKept is how many decisions are remembered: an afternoon's, mostly.
const decisionsKept = 100

// decisions are the last ones. A lock of its own: some are recorded under Provider.mu.
type decisions struct {
	mu   sync.Mutex
	kept []Decision // oldest first
}

func (d *decisions) record(e Decision) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if n := len(d.kept); n > 0 && d.kept[n-1].Group == e.Group && d.kept[n-1].Text == e.Text {
		e.Times += d.kept[n-1].Times
		d.kept[n-1] = e
		return
	}
	if len(d.kept) == decisionsKept {
		d.kept = append(d.kept[:0:0], d.kept[1:]...)
	}
	d.kept = append(d.kept, e)
}

// newest returns the decisions, newest first.
func (d *decisions) newest() []Decision {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := make([]Decision, 0, len(d.kept))
	for n := len(d.kept) - 1; n >= 0; n-- {
		out = append(out, d.kept[n])
	}
	return out
}

// Decisions returns what was done and refused of late, newest first.
func (p *Provider) Decisions() []Decision { return p.decisions.newest() }

// decided remembers a decision. It stands beside the line of the log that audits it.
func (p *Provider) decided(group, format string, args ...any) {
	p.decisions.record(Decision{At: p.Clock.Now(), Group: group, Text: fmt.Sprintf(format, args...), Times: 1})
}

// sawChanges remembers what a reading showed that we did not cause: instances that
// could not be created, and a number that somebody else changed.
func (p *Provider) sawChanges(m *member, before, after groupState) {
	if !before.known {
		return
	}
	stood := map[string]bool{}
	for _, f := range before.placeholders {
		stood[f.id] = true
	}
	failed, code := 0, ""
	for _, f := range after.placeholders {
		if !stood[f.id] {
			failed, code = failed+1, f.failure.Code
		}
	}
	if failed > 0 {
		p.decided(m.config.Name, "%s could not be created: %s", instances(failed), code)
	}
	if after.target != before.target {
		p.decided(m.config.Name, "the target follows the scaling group's number: %d, it was %d", after.target, before.target)
	}
	if after.health.Reclaimed.At.After(before.health.Reclaimed.At) {
		p.decided(m.config.Name, "the cloud took a spot instance back")
	}
}

// movedFloor remembers why the autoscaler is told another min.
func (p *Provider) movedFloor(m *member, f floor.Floor) {
	why := map[floor.Reason]string{
		floor.Configured: "as configured", floor.Schedule: "a warm window is open",
		floor.Cooldown: "a cooldown holds the group's size", floor.Max: "lowered to the max",
	}[f.Reason]
	p.decided(m.config.Name, "the min is %d, it was %d: %s", f.Min, m.view.group.Min, why)
}

// refusedWrite remembers why something that was asked was not done.
func (p *Provider) refusedWrite(group string, err error) {
	p.decided(group, "not done: %s", err)
}

func instances(n int) string {
	if n == 1 {
		return "1 instance"
	}
	return fmt.Sprintf("%d instances", n)
}

// askedFor remembers an accepted scale-up.
func (p *Provider) askedFor(m *member, from, to int) {
	if to > from {
		p.decided(m.config.Name, "asked for %s: target %d, it was %d", more(to-from), to, from)
	}
}

func more(n int) string {
	if n == 1 {
		return "1 more instance"
	}
	return fmt.Sprintf("%d more instances", n)
}
