package workload

import (
	"maps"
	"math"
	"slices"
	"time"
)

// maxCurve is the most builds at once that a curve is believed.
const maxCurve = 1_000_000

// curve makes builds of a series that counts them: where it rises builds come, where it
// falls those end that came first. The curve is kept exactly; what came and went
// between two samples is lost, and the durations are right only in the mean. Builds of
// before the first sample and after the last are left out.
func (p *prometheus) curve(at place, metric map[string]string, samples []sample) {
	job := p.mapping.Curve.Job
	if job == "" {
		job = metric["__name__"]
	}
	var tags []string
	for _, k := range slices.Sorted(maps.Keys(metric)) {
		tags = append(tags, k+"="+metric[k])
	}
	var running []time.Time // in order of arrival; zero: it ran before the first sample
	for i, s := range samples {
		n := math.Round(s.value)
		if !(n >= 0 && n <= maxCurve) {
			p.bad(at.line, at.column, &fault{"values", "is no number of builds", "", "query a curve of how many builds there are"})
			return
		}
		if i > 0 && s.at.Before(samples[i-1].at) {
			p.bad(at.line, at.column, &fault{"values", "the samples are not in order of time", "", "export the answer as it is"})
			return
		}
		for len(running) < int(n) {
			arrival := s.at
			if i == 0 {
				arrival = time.Time{}
			}
			running = append(running, arrival)
		}
		for len(running) > int(n) {
			p.curveBuild(at, job, tags, running[0], s.at)
			running = running[1:]
		}
	}
	for range running {
		p.skip(at, &fault{"", "it has not ended", "", ""})
	}
}

func (p *prometheus) curveBuild(at place, job string, tags []string, arrival, end time.Time) {
	if arrival.IsZero() {
		p.skip(at, &fault{"", "it began before the export", "", ""})
		return
	}
	// A curve of running builds shows no wait, and one of all builds hides it.
	p.add(at, exported{job: job, tags: tags, arrival: arrival, start: arrival, end: end, waitUnknown: true})
}
