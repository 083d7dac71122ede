package workload

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"time"
)

// Params say how much of a profile Generate makes. Zero values stand for defaults.
type Params struct {
	// Days is how many days of 24 hours; 0: 7.
	Days int
	// BuildsPerWeekday is the mean number of builds from Monday to Friday; 0: the
	// profile's own.
	BuildsPerWeekday float64
	// Seed chooses among the histories that the profile allows: the same seed and
	// parameters give the same trace.
	Seed uint64
	// Start is when the trace begins; its location is where the first office is, whose
	// hours the profile tells. Zero: DefaultStart.
	Start time.Time
	// Classes are what builds ask for, chosen for each build by chance; empty: all
	// builds are of class normal and ask for 1800m cpu and 3Gi memory, so that four
	// share a machine of 8 cores and 16 GiB.
	Classes []ClassShare
}

// ClassShare is what a part of the builds ask for.
type ClassShare struct {
	// Classes would do for them.
	Classes []string
	// Share of the builds, in relation to those of the others.
	Share float64
	// MilliCPU, MemoryBytes and GPUs are what each of them requests.
	MilliCPU, MemoryBytes, GPUs int64
	// Labels and Image are as in Shape.
	Labels map[string]string
	Image  string
}

// DefaultClasses are the Classes of the zero Params.
func DefaultClasses() []ClassShare {
	return []ClassShare{{Classes: []string{"normal"}, Share: 1, MilliCPU: 1800, MemoryBytes: 3 << 30}}
}

// ErrUnknownProfile is returned if there is no profile of that name.
var ErrUnknownProfile = errors.New("unknown profile")

// maxGenerated bounds what a slip of a zero can ask for.
const maxGenerated = 200_000_000

// Generate makes a trace of the named profile. It returns ErrUnknownProfile, or an
// error that tells which parameter makes no sense.
func Generate(profile string, p Params) (Trace, error) {
	known, err := profileNamed(profile)
	if err != nil {
		return Trace{}, err
	}
	if p.Days == 0 {
		p.Days = 7
	}
	if p.BuildsPerWeekday == 0 {
		p.BuildsPerWeekday = known.BuildsPerWeekday
	}
	if p.Start.IsZero() {
		p.Start = DefaultStart
	}
	if len(p.Classes) == 0 {
		p.Classes = DefaultClasses()
	}
	if err := p.check(); err != nil {
		return Trace{}, fmt.Errorf("generate %s: %w", profile, err)
	}
	return newGenerator(known, p).run(), nil
}

func profileNamed(name string) (Profile, error) {
	var names []string
	for _, p := range profiles {
		if p.Name == name {
			return p, nil
		}
		names = append(names, p.Name)
	}
	return Profile{}, fmt.Errorf("%w %q: use one of %s", ErrUnknownProfile, name, strings.Join(names, ", "))
}

func (p Params) check() error {
	switch builds := p.BuildsPerWeekday * float64(p.Days); {
	case p.Days < 0:
		return fmt.Errorf("days %d are negative", p.Days)
	case !(p.BuildsPerWeekday > 0): // NaN too
		return fmt.Errorf("builds per weekday %g are not more than 0", p.BuildsPerWeekday)
	case builds > maxGenerated:
		return fmt.Errorf("%.0f builds are more than %d", builds, maxGenerated)
	}
	if _, f := sinceEpoch("start", p.Start); f != nil {
		return fmt.Errorf("start: %s", f.message())
	}
	sum := 0.0
	for i, c := range p.Classes {
		if !(c.Share >= 0) || math.IsInf(c.Share, 0) {
			return fmt.Errorf("classes[%d]: share %g is not 0 or more", i, c.Share)
		}
		sum += c.Share
		fields := rowOf(c.shape(""))
		if _, _, f := parseShape(&fields); f != nil {
			return fmt.Errorf("classes[%d]: %s: %s", i, f.field, f.message())
		}
	}
	if sum == 0 {
		return errors.New("all shares of classes are 0")
	}
	return nil
}

func (c ClassShare) shape(job string) Shape {
	return Shape{
		Job: job, Classes: append([]string(nil), c.Classes...), Labels: c.Labels, Image: c.Image,
		MilliCPU: c.MilliCPU, MemoryBytes: c.MemoryBytes, GPUs: c.GPUs,
	}
}

// generator is one run of Generate.
type generator struct {
	profile Profile
	params  Params
	chance  *rand.Rand
	end     time.Time
	builds  []Build
	shapes  *shapes
	known   map[kind]int32
	// classes are those with a share, by index; shares is what theirs add up to.
	classes []int
	shares  float64
}

// kind is what a build is of: a job, and a class of the parameters.
type kind struct {
	job   string
	class int
}

func newGenerator(profile Profile, p Params) *generator {
	g := &generator{
		profile: profile, params: p,
		chance: rand.New(rand.NewPCG(p.Seed, 0x6275696c64)), // "build"
		end:    p.Start.Add(time.Duration(p.Days) * 24 * time.Hour),
		shapes: newShapes(), known: map[kind]int32{},
	}
	for i, c := range p.Classes {
		if c.Share > 0 {
			g.shares += c.Share
			g.classes = append(g.classes, i)
		}
	}
	return g
}

// run makes the trace hour by hour of the location's clock.
func (g *generator) run() Trace {
	for from := g.params.Start; from.Before(g.end); {
		past := time.Duration(from.Minute())*time.Minute + time.Duration(from.Second())*time.Second + time.Duration(from.Nanosecond())
		to := from.Add(time.Hour - past)
		if to.After(g.end) {
			to = g.end
		}
		for _, o := range g.profile.offices {
			g.pushes(from, to, g.profile.rate(o, from.Add(o.ahead), g.params.BuildsPerWeekday))
		}
		if n := g.profile.nightly; n != nil && from.Hour() == n.hour && from.Minute() == 0 {
			g.night(from)
		}
		from = to
	}
	sortBuilds(g.builds)
	return renumber(Trace{Start: g.params.Start, Shapes: g.shapes.list, Builds: g.builds})
}

// rate is how many builds an hour the office asks for by day, at its own local time.
func (p Profile) rate(o office, local time.Time, weekdayBuilds float64) float64 {
	sum := 0.0
	for _, w := range o.day {
		sum += w
	}
	if p.nightly != nil {
		weekdayBuilds *= 1 - p.nightly.share
	}
	perDay := weekdayBuilds * o.share
	if d := local.Weekday(); d == time.Saturday || d == time.Sunday {
		perDay *= p.weekendDay()
	}
	return perDay * o.day[local.Hour()] / sum
}

// weekendDay is what a day of the weekend has of a weekday's builds, from the
// weekend's share w of the week: (2·x)/(5+2·x) = w.
func (p Profile) weekendDay() float64 { return 5 * p.weekend / (2 * (1 - p.weekend)) }
