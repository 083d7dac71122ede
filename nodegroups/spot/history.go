package spot

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"
)

const (
	// HalfLife is how long it takes until what was seen counts half: a day, so that the
	// next afternoon still knows of this one.
	HalfLife = 24 * time.Hour
	// watchGap is the longest time between two looks in between which a notice cannot
	// have been missed: a notice lasts five minutes.
	watchGap = 2 * time.Minute
	// doubtHours are the instance-hours without a reclaim that a pool is credited with:
	// one instance that is taken back in its first hour is no reclaim an hour.
	doubtHours = 10
	// toldTime is how long the instances are remembered whose notice was counted.
	toldTime = 2 * Notice
	// forgotten is how little is dropped: less than a second of an instance.
	forgotten = 0.0002
)

// Pool is what the market gives instances from, and takes them back to.
type Pool struct {
	InstanceType string
	Zone         string
}

func comparePools(a, b Pool) int {
	return cmp.Or(cmp.Compare(a.InstanceType, b.InstanceType), cmp.Compare(a.Zone, b.Zone))
}

// Tally is what the instances of a pool have been through; the longer ago, the less it
// counts.
type Tally struct {
	// Reclaims are notices, and Hours those that instances ran and were watched.
	Reclaims, Hours float64
}

// PerHour is how often an instance is to be expected to be taken back in an hour.
func (t Tally) PerHour() float64 { return t.Reclaims / (t.Hours + doubtHours) }

// History is what is known of reclaims at a time. It is a value: what changes it returns
// another one.
type History struct {
	At    time.Time
	Pools map[Pool]Tally
	// Told are the instances whose notice was counted lately: one that is seen again after
	// a restart is the same notice.
	Told map[string]Told
}

// Told is a notice that was counted.
type Told struct {
	Pool
	At time.Time
}

// at is the history as it looks at a later time.
func (h History) at(now time.Time) History {
	share := 1.0
	if passed := now.Sub(h.At); passed > 0 && !h.At.IsZero() {
		share = math.Exp2(-float64(passed) / float64(HalfLife))
	}
	later := History{At: now, Pools: make(map[Pool]Tally, len(h.Pools)), Told: map[string]Told{}}
	for pool, t := range h.Pools {
		if t = (Tally{t.Reclaims * share, t.Hours * share}); t.Reclaims >= forgotten || t.Hours >= forgotten {
			later.Pools[pool] = t
		}
	}
	for id, told := range h.Told {
		if now.Sub(told.At) < toldTime {
			later.Told[id] = told
		}
	}
	return later
}

// Watched adds the time that has passed since the last look, of so many instances.
func (h History) Watched(running map[Pool]int, now time.Time) History {
	passed := now.Sub(h.At)
	h = h.at(now)
	if passed <= 0 || passed > watchGap {
		return h
	}
	for pool, n := range running {
		t := h.Pools[pool]
		t.Hours += float64(n) * passed.Hours()
		h.Pools[pool] = t
	}
	return h
}

// Noticed counts instances that the cloud has announced to take back, each once.
func (h History) Noticed(instances map[string]Pool, now time.Time) History {
	h = h.at(now)
	for id, pool := range instances {
		if _, told := h.Told[id]; told {
			continue
		}
		t := h.Pools[pool]
		t.Reclaims++
		h.Pools[pool], h.Told[id] = t, Told{pool, now}
	}
	return h
}

// Merged adds what another history knows. A notice that both have counted is one.
func (h History) Merged(other History, now time.Time) History {
	h, other = h.at(now), other.at(now)
	for pool, t := range other.Pools {
		sum := h.Pools[pool]
		h.Pools[pool] = Tally{sum.Reclaims + t.Reclaims, sum.Hours + t.Hours}
	}
	for id, told := range other.Told {
		if _, twice := h.Told[id]; twice {
			sum := h.Pools[told.Pool]
			h.Pools[told.Pool] = Tally{max(0, sum.Reclaims-1), sum.Hours}
		}
		h.Told[id] = told
	}
	return h
}

// Of adds up what is known of these types in these zones, and names the pools of which
// something is.
func (h History) Of(types, zones []string, now time.Time) (sum Tally, pools []Pool) {
	h = h.at(now)
	for pool, t := range h.Pools {
		if slices.Contains(types, pool.InstanceType) && slices.Contains(zones, pool.Zone) {
			sum.Reclaims, sum.Hours, pools = sum.Reclaims+t.Reclaims, sum.Hours+t.Hours, append(pools, pool)
		}
	}
	slices.SortFunc(pools, comparePools)
	return sum, pools
}

// written is a history as it is kept.
type written struct {
	At    time.Time     `json:"at"`
	Pools []writtenPool `json:"pools"`
	Told  []writtenTold `json:"told"`
}

type writtenTold struct {
	Instance     string    `json:"instance"`
	InstanceType string    `json:"instanceType"`
	Zone         string    `json:"zone"`
	At           time.Time `json:"at"`
}

type writtenPool struct {
	InstanceType string  `json:"instanceType"`
	Zone         string  `json:"zone"`
	Reclaims     float64 `json:"reclaims"`
	Hours        float64 `json:"hours"`
}

// Encode writes the history as text; the same history is always the same text.
func (h History) Encode() (string, error) {
	w := written{At: h.At.UTC(), Pools: []writtenPool{}, Told: []writtenTold{}}
	for _, pool := range slices.SortedFunc(maps.Keys(h.Pools), comparePools) {
		t := h.Pools[pool]
		w.Pools = append(w.Pools, writtenPool{pool.InstanceType, pool.Zone, t.Reclaims, t.Hours})
	}
	for _, id := range slices.Sorted(maps.Keys(h.Told)) {
		told := h.Told[id]
		w.Told = append(w.Told, writtenTold{id, told.InstanceType, told.Zone, told.At.UTC()})
	}
	text, err := json.MarshalIndent(w, "", " ")
	if err != nil {
		return "", fmt.Errorf("encode the history of reclaims: %w", err)
	}
	return string(text), nil
}

// DecodeHistory reads what Encode wrote. Negative numbers and a time that is missing are
// errors: somebody else has written there.
func DecodeHistory(text string) (History, error) {
	var w written
	if err := json.Unmarshal([]byte(text), &w); err != nil {
		return History{}, fmt.Errorf("decode the history of reclaims: %w", err)
	}
	if w.At.IsZero() {
		return History{}, fmt.Errorf("decode the history of reclaims: it says nothing of when it was written (at)")
	}
	h := History{At: w.At, Pools: make(map[Pool]Tally, len(w.Pools)), Told: make(map[string]Told, len(w.Told))}
	for _, t := range w.Told {
		h.Told[t.Instance] = Told{Pool{t.InstanceType, t.Zone}, t.At}
	}
	for _, p := range w.Pools {
		if p.Reclaims < 0 || p.Hours < 0 {
			return History{}, fmt.Errorf("decode the history of reclaims: %s in %s has %v reclaims in %v hours", p.InstanceType, p.Zone, p.Reclaims, p.Hours)
		}
		h.Pools[Pool{p.InstanceType, p.Zone}] = Tally{p.Reclaims, p.Hours}
	}
	return h, nil
}
