package workload

import (
	"math"
	"time"
)

// pushes lets people push between two instants: at random, but often one soon after
// the other.
func (g *generator) pushes(from, to time.Time, buildsPerHour float64) {
	p := &g.profile
	// Every push draws 1/(1-again) pushes in the mean, itself included.
	perPush := float64(p.fewest+p.most) / 2 / (1 - p.again)
	mean := float64(time.Hour) * perPush / buildsPerHour
	for at := from; ; {
		gap := g.chance.ExpFloat64() * mean
		if !(gap < float64(to.Sub(at))) {
			return
		}
		at = at.Add(time.Duration(gap))
		for when := at; when.Before(g.end); when = when.Add(time.Duration(g.chance.Float64() * float64(p.soon))) {
			g.push(when)
			if g.chance.Float64() >= p.again {
				break
			}
		}
	}
}

// push starts some of the jobs, each once before any of them twice.
func (g *generator) push(at time.Time) {
	p := &g.profile
	n := p.fewest + g.chance.IntN(p.most-p.fewest+1)
	order := g.chance.Perm(len(p.jobs))
	for i := range n {
		// The first jobs start at once, the others as the CI system gets round to them.
		g.build(at.Add(time.Duration(g.chance.Float64()*float64(p.spread))), p.jobs[order[i%len(order)]])
	}
}

// night starts the long suites, all within a few minutes.
func (g *generator) night(at time.Time) {
	n := g.profile.nightly
	builds := g.params.BuildsPerWeekday * n.share
	if d := at.Weekday(); d == time.Saturday || d == time.Sunday {
		builds *= g.profile.weekendDay()
	}
	for i := range int(math.Round(builds)) {
		at := at.Add(time.Duration(g.chance.Float64() * float64(2*time.Minute)))
		g.build(at, n.jobs[i%len(n.jobs)])
	}
}

// z95 is the 95th percentile of the standard normal distribution.
const z95 = 1.6448536269514722

// longest is where CI systems give up on a build.
const longest = 6 * time.Hour

func (g *generator) build(at time.Time, j job) {
	sigma := math.Log(j.tail) / z95
	duration := time.Duration(float64(j.median) * math.Exp(sigma*g.chance.NormFloat64()))
	k := kind{j.name, g.class()}
	if !at.Before(g.end) {
		return // the rest of a push that the end cut off
	}
	shape, ok := g.known[k]
	if !ok {
		shape = g.shapes.index(g.params.Classes[k.class].shape(k.job))
		g.known[k] = shape
	}
	g.builds = append(g.builds, Build{
		// To the millisecond, which is what CI systems tell.
		Arrival:  at.Sub(g.params.Start).Truncate(time.Millisecond),
		Duration: min(duration, longest).Round(time.Millisecond),
		Wait:     UnknownWait,
		Shape:    shape,
	})
}

// class draws an index into the parameters' classes.
func (g *generator) class() int {
	at := g.chance.Float64() * g.shares
	for _, i := range g.classes {
		if at -= g.params.Classes[i].Share; at < 0 {
			return i
		}
	}
	return g.classes[len(g.classes)-1]
}
