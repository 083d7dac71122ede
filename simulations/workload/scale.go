package workload

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"
)

// RateOptions say how Scale changes how many builds come.
type RateOptions struct {
	// Factor is what the number of builds is multiplied by.
	Factor float64
	// Seed chooses which builds are left out or come again.
	Seed uint64
	// Jitter is how far from the original in time, at most, a burst comes again; 0: 30 minutes.
	Jitter time.Duration
}

// burstGap is the quiet time that ends a burst, burstSpan the longest that one lasts:
// the builds of a push come within a minute.
const (
	burstGap  = 10 * time.Second
	burstSpan = time.Minute
)

// Scale changes the rate of a trace and keeps its shape: builds that come together
// stay together. Below 1 whole bursts are left out; above 1 they come again, moved as a
// whole by no more than the jitter, so that the hours of the day stay what they are.
// The number of builds is within a burst of the factor's. What builds waited is
// forgotten, because it would have been another wait.
func Scale(t Trace, o RateOptions) (Trace, error) {
	if !(o.Factor > 0) || o.Factor*float64(len(t.Builds)) > maxGenerated {
		return Trace{}, fmt.Errorf("scale by %g: the factor has to be more than 0 and leave at most %d builds", o.Factor, maxGenerated)
	}
	if o.Jitter < 0 {
		return Trace{}, fmt.Errorf("scale: the jitter %s is negative", o.Jitter)
	}
	if o.Jitter == 0 {
		o.Jitter = 30 * time.Minute
	}
	if len(t.Builds) == 0 || o.Factor == 1 {
		return t, nil
	}
	chance := rand.New(rand.NewPCG(o.Seed, 0x7363616c65)) // "scale"
	last := t.Builds[len(t.Builds)-1].Arrival
	builds := make([]Build, 0, int(float64(len(t.Builds))*o.Factor)+1)
	owed := 0.0
	for from := 0; from < len(t.Builds); {
		to := burstEnd(t.Builds, from)
		burst := t.Builds[from:to]
		from = to
		// What the factor wants of this burst and still of those before, in bursts of
		// this size, rounded by chance.
		owed += o.Factor * float64(len(burst))
		copies := max(int(math.Floor(owed/float64(len(burst))+chance.Float64())), 0)
		owed -= float64(copies * len(burst))
		for i := range copies {
			shift := time.Duration(0)
			if i > 0 {
				shift = time.Duration((2*chance.Float64() - 1) * float64(o.Jitter))
			}
			builds = appendShifted(builds, burst, shift, last)
		}
	}
	sortBuilds(builds)
	t.Builds = builds
	return renumber(t), nil
}

func burstEnd(builds []Build, from int) int {
	to := from + 1
	for to < len(builds) && builds[to].Arrival-builds[to-1].Arrival <= burstGap && builds[to].Arrival-builds[from].Arrival <= burstSpan {
		to++
	}
	return to
}

// appendShifted appends the burst moved in time, and reflected where it would leave the
// time from the start to the last arrival.
func appendShifted(builds, burst []Build, by, last time.Duration) []Build {
	if burst[0].Arrival+by < 0 {
		by = -by
	}
	if end := burst[len(burst)-1].Arrival; end+by > last {
		by = max(-by, -burst[0].Arrival)
		by = min(by, last-end)
	}
	for _, b := range burst {
		b.Arrival += by
		b.Wait = UnknownWait
		builds = append(builds, b)
	}
	return builds
}

// Stretch multiplies how long builds run. What they waited is forgotten.
func Stretch(t Trace, factor float64) (Trace, error) {
	if !(factor > 0) || math.IsInf(factor, 0) {
		return Trace{}, fmt.Errorf("stretch durations by %g: the factor has to be more than 0", factor)
	}
	builds := make([]Build, len(t.Builds))
	for i, b := range t.Builds {
		stretched := float64(b.Duration) * factor
		if stretched > math.MaxInt64/2 {
			return Trace{}, fmt.Errorf("stretch durations by %g: build %d would run for centuries", factor, i)
		}
		b.Duration, b.Wait = time.Duration(stretched).Round(time.Millisecond), UnknownWait
		builds[i] = b
	}
	t.Builds = builds
	return t, nil
}

// Shift moves a trace in time: the same builds at other hours, if it is not by whole
// weeks.
func Shift(t Trace, by time.Duration) Trace {
	t.Start = t.Start.Add(by)
	return t
}

// Cut is the part of a trace from one instant until before another, which becomes a
// trace of its own that starts there; a zero instant is the trace's own end.
func Cut(t Trace, from, to time.Time) (Trace, error) {
	if from.IsZero() {
		from = t.Start
	}
	if !to.IsZero() && !to.After(from) {
		return Trace{}, fmt.Errorf("cut: %s is not after %s", to.Format(time.RFC3339), from.Format(time.RFC3339))
	}
	moved := from.Sub(t.Start)
	var builds []Build
	for _, b := range t.Builds {
		if b.Arrival -= moved; b.Arrival < 0 || !to.IsZero() && b.Arrival >= to.Sub(from) {
			continue
		}
		builds = append(builds, b)
	}
	t.Start, t.Builds = from.In(t.Start.Location()), builds
	return renumber(t), nil
}
