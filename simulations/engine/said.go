package engine

import "time"

// said is what cluster-autoscaler has told of the builds that wait, in its events (CA
// processors/status/eventing_scale_up_processor.go): that it scales up for one, or that
// no group helps it. It tells the second in every loop without a scale-up.
type said struct {
	// yes and no are when it last did, by build; Never: it has not.
	yes, no []time.Duration
}

func newSaid(builds int) said {
	s := said{yes: make([]time.Duration, builds), no: make([]time.Duration, builds)}
	for i := range builds {
		s.yes[i], s.no[i] = Never, Never
	}
	return s
}

// triggered is told of a scale-up: the option's builds are those for which it is.
func (o *controller) triggered(best *option) {
	if o == nil {
		return
	}
	for d, n := range best.placed {
		o.uncovered(d, func(w *waiter) {
			if n > 0 {
				o.said.yes[w.build] = o.world.now
				n--
			}
		})
	}
}

// notTriggered is told of a loop in which no group was worth growing.
func (o *controller) notTriggered() {
	if o == nil {
		return
	}
	for d, n := range o.world.scaler.need {
		if n == 0 || o.world.scaler.helped(d) {
			continue
		}
		o.uncovered(d, func(w *waiter) {
			if n > 0 {
				o.said.no[w.build] = o.world.now
				n--
			}
		})
	}
}

// helped reports whether one of the demand's groups could grow.
func (s *autoscaler) helped(d int) bool {
	for g, fits := range s.world.demands[d].fits {
		if fits && s.mayGrow(g) {
			return true
		}
	}
	return false
}

// uncovered goes through the demand's builds that no upcoming node has room for, the
// oldest first.
func (o *controller) uncovered(d int, each func(*waiter)) {
	q := &o.world.demands[d].waiting
	for i := range q.len() {
		w := q.at(i)
		if o.world.scaler.pods.singly && w.hint.sample == 0 || !o.world.scaler.pods.singly && i >= q.coveredTo {
			each(w)
		}
	}
}

// whenTriggered is when it said that it scales up for the build; zero: never.
func (s *said) whenTriggered(w *world, build int32) time.Time { return timeOf(w, s.yes[build]) }

// whenNot is when it last said that no group helps the build; zero: never.
func (s *said) whenNot(w *world, build int32) time.Time {
	at := s.no[build]
	if at != Never && at == w.scaler.last {
		at = w.scaler.latest()
	}
	return timeOf(w, at)
}

// helpless reports whether it has said lately of a build of the demand that no group
// helps it.
func (s *said) helpless(w *world, d int) bool {
	q := &w.demands[d].waiting
	for i := range q.len() {
		if build := q.at(i).build; s.yes[build] == Never && s.no[build] != Never {
			return true
		}
	}
	return false
}

func timeOf(w *world, at time.Duration) time.Time {
	if at == Never {
		return time.Time{}
	}
	return w.settings.Trace.Start.Add(at)
}

// latest is when the last loop began, whether it was played or would have found what
// the one before it did.
func (s *autoscaler) latest() time.Duration {
	return s.last + (s.now()-s.last)/s.period*s.period
}

// forget is told of a build's new pod, of which nothing has been said.
func (o *controller) forget(build int32) {
	if o != nil {
		o.said.yes[build], o.said.no[build] = Never, Never
	}
}
