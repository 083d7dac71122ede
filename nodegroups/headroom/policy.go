package headroom

import (
	"fmt"
	"time"

	"github.com/buildpool/buildpool/nodegroups/config"
	"github.com/buildpool/buildpool/nodegroups/schedule"
)

// Policy is what a group's configuration says of its headroom. The zero value keeps
// none.
type Policy struct {
	keeps *config.Headroom
	hours []schedule.Window
}

// New compiles a group's headroom. It fails if the hours cannot be read, which a
// checked configuration's can.
func New(g config.Group) (Policy, error) {
	p := Policy{keeps: g.Headroom}
	if p.keeps == nil {
		return p, nil
	}
	for i, h := range p.keeps.Hours {
		times, err := h.Times()
		if err != nil {
			return Policy{}, fmt.Errorf("headroom hours %d of group %q: %w", i, g.Name, err)
		}
		p.hours = append(p.hours, times)
	}
	return p, nil
}

// Slots returns how many slots are kept now beside so many running builds; 0 outside
// the hours. lead is how much earlier than the hours the room is made: as long as a node
// takes to join, so that it is there at the hour.
func (p Policy) Slots(now time.Time, lead time.Duration, running int) int {
	if p.keeps == nil || !p.open(now, lead) {
		return 0
	}
	return p.keeps.Least(running)
}

func (p Policy) open(now time.Time, lead time.Duration) bool {
	if len(p.hours) == 0 {
		return true
	}
	for _, h := range p.hours {
		if _, open := h.Open(now, lead); open {
			return true
		}
	}
	return false
}
