package usage

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/buildpool/buildpool/cloudprovider"
)

// Life is a stretch of time in which an instance existed.
type Life struct {
	InstanceID string
	// Type and Spot are those of an instance that is still there; of one that has gone
	// the cloud remembers neither, and Type is empty.
	Type string
	Spot bool
	From time.Time
	// Until is the end of the period for an instance that is still there.
	Until time.Time
}

// Duration is how long the life is.
func (l Life) Duration() time.Duration { return l.Until.Sub(l.From) }

// History is what is known of a group's instances.
type History struct {
	// Activities are those since the period began, and up to now.
	Activities []cloudprovider.Activity
	// Instances are those that exist now.
	Instances []cloudprovider.Instance
}

// Lives returns the parts of the instances' lives that lie in a period, by their
// beginning. An instance lives from the beginning of the activity that created or
// started it until the end of the one that removed or stopped it: to the minute, and
// never too short. One that was removed without having been created since the period
// began was there before. Instances that somebody attached by hand are left out.
//
// Instances that were detached are told of by number only: those of which nothing else is
// known are taken for them, the oldest first, which makes no difference to the sum. They
// run on for as long as one that the cloud takes back may.
//
// lostIDs are the instances that have gone although no activity says when: their lives end
// with the activity that made them.
func (h History) Lives(since, until time.Time) (lives []Life, lostIDs []string) {
	open := map[string]time.Time{} // since when an instance exists
	made := map[string]time.Time{} // when the activity that made it was over
	there := map[string]bool{}     // whether it still exists
	closed := func(id string, from, to time.Time) {
		if from.Before(since) {
			from = since
		}
		if to.After(until) {
			to = until
		}
		if from.Before(to) {
			lives = append(lives, Life{InstanceID: id, From: from, Until: to})
		}
	}
	for _, e := range h.events() {
		from, exists := open[e.instance]
		switch {
		case e.begins && !exists:
			open[e.instance], made[e.instance] = e.at, e.over
		case !e.begins && exists:
			closed(e.instance, from, e.at)
			delete(open, e.instance)
		case !e.begins && made[e.instance].IsZero():
			closed(e.instance, since, e.at) // it was there before
			made[e.instance] = e.at
		}
	}
	for _, i := range h.Instances {
		if !i.AutoCreated {
			delete(open, i.ID)
			continue
		}
		from, known := open[i.ID]
		if !known && (i.Lifecycle == cloudprovider.Stopped || !made[i.ID].IsZero()) {
			continue // it is kept for later; or its removal is over, and the list lags behind
		}
		there[i.ID] = true
		if i.Created.After(from) {
			from = i.Created // to the second
		}
		before := len(lives)
		closed(i.ID, from, until)
		if len(lives) > before {
			lives[before].Type, lives[before].Spot = i.Type, i.Spot
		}
	}
	var missing []beginning
	for id, from := range open {
		if !there[id] {
			missing = append(missing, beginning{id, from, made[id]})
		}
	}
	parted, lost := h.partings(missing)
	for _, p := range parted {
		closed(p.id, p.from, p.until.Add(afterParting))
	}
	for _, b := range lost {
		closed(b.id, b.from, b.made)
		lostIDs = append(lostIDs, b.id)
	}
	slices.Sort(lostIDs)
	slices.SortFunc(lives, func(a, b Life) int {
		return cmp.Or(a.From.Compare(b.From), strings.Compare(a.InstanceID, b.InstanceID))
	})
	return lives, lostIDs
}

// event is the beginning or the end of a life.
type event struct {
	instance string
	begins   bool
	at       time.Time
	// over is when the activity that caused it ended.
	over time.Time
}

// events are the beginnings and ends that the activities tell of, oldest first. What is
// being removed lives on until that is done.
func (h History) events() []event {
	var events []event
	for _, a := range slices.Backward(h.Activities) { // newest first
		for _, id := range a.Created {
			events = append(events, event{instance: id, begins: true, at: a.Started, over: a.Ended})
		}
		if a.Ended.IsZero() {
			continue
		}
		for _, id := range a.Removed {
			events = append(events, event{instance: id, at: a.Ended, over: a.Ended})
		}
	}
	slices.SortStableFunc(events, func(a, b event) int { return a.at.Compare(b.at) })
	return events
}
