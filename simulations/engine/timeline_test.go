package engine_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/buildpool/buildpool/simulations/engine"
)

// TestTheTimelineMissesNoPeak: between two points, too, the least and the most of each
// figure are kept, so that a coarse timeline has the extremes of a fine one.
func TestTheTimelineMissesNoPeak(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := anySettings(t)
		if rapid.IntRange(0, 4).Draw(t, "virtual") > 0 {
			s.Overflow = nil // which takes most of the time
		}
		extremes := func(step time.Duration) (engine.Point, *engine.Result) {
			s.TimelineStep = step
			r := run(t, s)
			all := r.Timeline[0]
			for _, p := range r.Timeline[1:] {
				for _, reading := range []engine.Reading{p.Reading, p.Least, p.Most} {
					for g := range reading.Groups {
						reading.Groups[g].Min = all.Groups[g].Min // known at the points alone
					}
					all.Holds(&reading)
				}
			}
			all.At, all.Reading = 0, engine.Reading{}
			return all, r
		}
		fine, result := extremes(3 * time.Minute)
		coarse, _ := extremes(time.Hour)
		require.Equal(t, fine, coarse)
		peak := 0
		for g, group := range result.Groups {
			require.Equal(t, group.Peak, int(coarse.Most.Groups[g].Billed), group.Name)
		}
		for _, o := range result.Overflow {
			peak += o.Peak
		}
		require.GreaterOrEqual(t, peak, int(coarse.Most.Virtual))
		if len(result.Overflow) == 1 {
			require.Equal(t, peak, int(coarse.Most.Virtual))
		}
	})
}

func TestNodesStayWithinMax(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := anySettings(t)
		s.TimelineStep = 30 * time.Second
		for _, p := range run(t, s).Timeline {
			pending, running, billed := int32(0), int32(0), int32(0)
			for class := range p.Pending {
				pending += p.Pending[class]
				running += p.Running[class]
			}
			for g, at := range p.Groups {
				c := s.Groups[g].Config
				require.LessOrEqual(t, int(p.Most.Groups[g].Target), c.Max, "%s at %s", c.Name, p.At)
				require.GreaterOrEqual(t, at.Billed, at.Ready)
				require.GreaterOrEqual(t, at.Ready, at.Busy)
				require.LessOrEqual(t, at.UsedMilliCPU, at.ReadyMilliCPU)
				billed += at.Billed
			}
			require.Equal(t, []int32{pending, running, billed}, []int32{p.AllPending, p.AllRunning, p.AllBilled})
		}
	})
}
