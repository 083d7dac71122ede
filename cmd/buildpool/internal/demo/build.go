package demo

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// class is the kind of node a build asks for; also the name of the group.
type class string

const (
	normal class = "normal"
	gpu    class = "gpu"
	spot   class = "spot"
)

// build is one CI build: a pod that goes pending, runs and goes away.
type build struct {
	name string
	// accepts are the classes it can run on, the cheapest first.
	accepts  []class
	milliCPU int64
	gpus     int64
	arrives  time.Time
	// lasts is the time from its containers' start to its end.
	lasts time.Duration

	node    *node
	started time.Time
	ended   time.Time
	lost    bool
}

func (b *build) pending() bool { return b.node == nil && b.ended.IsZero() && !b.lost }

func (b *build) wait() time.Duration { return b.started.Sub(b.arrives) }

// Times of the afternoon, after its start.
const (
	burstBegins   = 10 * time.Minute
	burstLasts    = 50 * time.Minute
	spotRunsDry   = 22 * time.Minute
	dayEndsBefore = 3 * time.Hour
)

// afternoon is the talk's day: one Jenkins build on an empty cluster, then the burst
// of three to four o'clock. A push starts several jobs in the same minute.
func afternoon(start time.Time, random *rand.Rand) []*build {
	builds := []*build{{
		name: "jenkins-1", accepts: []class{spot}, milliCPU: 3500, arrives: start, lasts: 70 * time.Second,
	}}
	n := 1
	for minute := time.Duration(0); minute < burstLasts; minute += time.Minute {
		if random.IntN(20) >= 6 {
			continue
		}
		for range 5 + random.IntN(7) {
			n++
			b := &build{
				name:     fmt.Sprintf("jenkins-%d", n),
				arrives:  start.Add(burstBegins + minute + time.Duration(random.IntN(15))*time.Second),
				lasts:    time.Duration(8*60+random.IntN(20*60)) * time.Second,
				milliCPU: 3500,
			}
			switch random.IntN(20) {
			case 0, 1:
				b.accepts, b.gpus = []class{gpu}, 1
			case 2, 3, 4, 5, 6:
				b.accepts = []class{normal}
			default:
				b.accepts = []class{spot, normal}
			}
			builds = append(builds, b)
		}
	}
	return builds
}
