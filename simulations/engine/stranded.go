package engine

import (
	"slices"

	"github.com/buildpool/buildpool/simulations/workload"
)

// Stranded are builds of one request that no node of any group can ever hold. They wait
// for ever, whatever the groups' sizes.
type Stranded struct {
	// Shape is what they ask for; the job and the image are of the first of them.
	Shape workload.Shape
	// Builds are how many there are.
	Builds int
	// Jobs that they are of, sorted.
	Jobs []string
	// TooSmall are the groups, as indexes, that are meant for them by class and labels
	// and whose nodes offer too little. Empty: no group is meant for them.
	TooSmall []int
}

// Stranded returns the builds of the trace that can never start, by the order of the
// trace's shapes.
func (s *Settings) Stranded() []Stranded {
	demands, demandOf := demandsOf(s.Trace, s.Groups, s.Classes())
	byShape := make([]int, len(s.Trace.Shapes))
	for _, b := range s.Trace.Builds {
		byShape[b.Shape]++
	}
	var out []Stranded
	at := map[int32]int{}
	for shape, d := range demandOf {
		if demands[d].placeable || byShape[shape] == 0 {
			continue
		}
		asks := s.Trace.Shapes[shape]
		n, ok := at[d]
		if !ok {
			n = len(out)
			at[d] = n
			out = append(out, Stranded{Shape: asks})
			for g := range s.Groups {
				if admits(s.Groups[g], asks) {
					out[n].TooSmall = append(out[n].TooSmall, g)
				}
			}
		}
		out[n].Builds += byShape[shape]
		if asks.Job != "" && !slices.Contains(out[n].Jobs, asks.Job) {
			out[n].Jobs = append(out[n].Jobs, asks.Job)
		}
	}
	for n := range out {
		slices.Sort(out[n].Jobs)
	}
	return out
}
