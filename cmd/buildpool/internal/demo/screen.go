package demo

import (
	"fmt"
	"io"
	"strings"
	"time"

	"k8s.io/utils/clock"
)

// screen prints what happens, under the afternoon's own time.
type screen struct {
	out      io.Writer
	live     bool
	clock    clock.Clock
	nextLine time.Time
}

func newScreen(out io.Writer, live bool, c clock.Clock) *screen {
	return &screen{out: out, live: live, clock: c, nextLine: c.Now().Truncate(lineEvery).Add(lineEvery)}
}

// clearLine removes the live line, so that an event can be printed in its place.
const clearLine = "\r\033[K"

func (s *screen) tell(format string, args ...any) {
	if s.live {
		fmt.Fprint(s.out, clearLine)
	}
	fmt.Fprintf(s.out, "%s  %s\n", s.clock.Now().Format(time.TimeOnly), fmt.Sprintf(format, args...))
}

// lineEvery is how much of the afternoon a line that stays tells of.
const lineEvery = 5 * time.Minute

// draw shows the state: nodes registered of those wanted, and how many were added and
// removed since the line before. On a terminal the last line is drawn again and again.
func (s *screen) draw(c *cluster, a *autoscaler, now time.Time) {
	if !s.live && now.Before(s.nextLine) {
		return
	}
	line := fmt.Sprintf("%s  builds %3d waiting %3d running │", now.Format(time.TimeOnly), len(c.pending(now)), c.running())
	for _, g := range a.groups {
		line += fmt.Sprintf(" %s %2d/%-2d", g.id, g.registered, g.target)
	}
	line += fmt.Sprintf(" │ +%-2d -%-2d %s", a.added, a.removed, strings.Repeat("■", len(c.nodes)))
	if s.live {
		fmt.Fprint(s.out, clearLine+line)
	}
	if now.Before(s.nextLine) {
		return
	}
	// What has passed stays on the screen, five minutes a line.
	s.nextLine = now.Truncate(lineEvery).Add(lineEvery)
	a.added, a.removed = 0, 0
	if s.live {
		line = ""
	}
	fmt.Fprintln(s.out, line)
}

func (s *screen) end() {
	if s.live {
		fmt.Fprint(s.out, clearLine)
	}
}

// short prints a duration to the second.
func short(d time.Duration) string { return d.Round(time.Second).String() }
