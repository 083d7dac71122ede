package spot_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/nodegroups/spot"
)

var (
	noon  = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	poolH = spot.Pool{InstanceType: "ecs.c7.2xlarge", Zone: "cn-hangzhou-h"}
	poolI = spot.Pool{InstanceType: "ecs.c7.2xlarge", Zone: "cn-hangzhou-i"}
)

// watched is a history of so many hours of a pool's instances, in steps of a minute.
func watched(pool spot.Pool, instances int, d time.Duration) spot.History {
	h := spot.History{}.Watched(nil, noon)
	for t := time.Minute; t <= d; t += time.Minute {
		h = h.Watched(map[spot.Pool]int{pool: instances}, noon.Add(t))
	}
	return h
}

func of(h spot.History, now time.Time, pools ...spot.Pool) spot.Tally {
	var types, zones []string
	for _, p := range pools {
		types, zones = append(types, p.InstanceType), append(zones, p.Zone)
	}
	sum, _ := h.Of(types, zones, now)
	return sum
}

func TestHoursAreThoseOfAllInstances(t *testing.T) {
	h := watched(poolH, 4, time.Hour)
	assert.InDelta(t, 4, of(h, h.At, poolH).Hours, 0.1, "an hour weighs a little less at its end")
	assert.Zero(t, of(h, h.At, poolI))
}

// What happened while nobody looked is not known: neither reclaims nor hours count.
func TestATimeWithoutALookIsNoTime(t *testing.T) {
	for gap, want := range map[time.Duration]float64{
		2 * time.Minute:                 1. / 30,
		2*time.Minute + time.Nanosecond: 0,
		0:                               0,
		-time.Minute:                    0,
		24 * time.Hour:                  0,
	} {
		h := spot.History{}.Watched(nil, noon).Watched(map[spot.Pool]int{poolH: 1}, noon.Add(gap))
		assert.InDelta(t, want, of(h, noon.Add(gap), poolH).Hours, 1e-9, gap)
	}
	first := spot.History{}.Watched(map[spot.Pool]int{poolH: 9}, noon)
	assert.Zero(t, of(first, noon, poolH), "since when they run is not known")
}

func TestRateOfAPool(t *testing.T) {
	for name, test := range map[string]struct {
		tally spot.Tally
		want  float64
	}{
		"nothing known":               {spot.Tally{}, 0},
		"never":                       {spot.Tally{Hours: 500}, 0},
		"one in its first hour":       {spot.Tally{Reclaims: 1, Hours: 1}, 1. / 11},
		"one in ten hours, for long":  {spot.Tally{Reclaims: 99, Hours: 980}, 0.1},
		"ten within two hours of ten": {spot.Tally{Reclaims: 10, Hours: 20}, 1. / 3},
	} {
		assert.InDelta(t, test.want, test.tally.PerHour(), 1e-9, name)
	}
}

func TestWhatWasSeenIsForgotten(t *testing.T) {
	h := watched(poolH, 10, 2*time.Hour).Noticed(map[string]spot.Pool{"i-1": poolH, "i-2": poolH}, noon.Add(2*time.Hour))
	then := of(h, h.At, poolH)
	assert.InDelta(t, 2, then.Reclaims, 1e-9)
	dayAfter := of(h, h.At.Add(spot.HalfLife), poolH)
	assert.InDelta(t, 1, dayAfter.Reclaims, 1e-9)
	assert.InDelta(t, then.Hours/2, dayAfter.Hours, 1e-9)
	assert.Less(t, dayAfter.PerHour(), then.PerHour(), "what is known for less sure weighs less")
	forgotten := h.Watched(nil, h.At.Add(20*spot.HalfLife))
	assert.Empty(t, forgotten.Pools)
}

// One notice is one reclaim, however often it is seen, and whoever saw it before.
func TestANoticeCountsOnce(t *testing.T) {
	one := map[string]spot.Pool{"i-1": poolH}
	h := spot.History{}.Noticed(one, noon).Noticed(one, noon.Add(time.Minute))
	assert.InDelta(t, 1, of(h, noon, poolH).Reclaims, 1e-3)
	text, err := h.Encode()
	require.NoError(t, err)
	restored, err := spot.DecodeHistory(text)
	require.NoError(t, err)
	again := spot.History{}.Merged(restored, noon.Add(2*time.Minute)).Noticed(one, noon.Add(2*time.Minute))
	assert.InDelta(t, 1, of(again, noon, poolH).Reclaims, 1e-2)
	later := h.Noticed(one, noon.Add(11*time.Minute))
	assert.InDelta(t, 2, of(later, noon, poolH).Reclaims, 1e-1, "ten minutes later it is another one")
}

func TestPoolsOfAGroupAreAddedUp(t *testing.T) {
	h := spot.History{At: noon, Pools: map[spot.Pool]spot.Tally{
		poolH: {Reclaims: 3, Hours: 5}, poolI: {Reclaims: 0, Hours: 35}, {InstanceType: "ecs.g7.xlarge", Zone: "cn-hangzhou-h"}: {Reclaims: 9, Hours: 9},
	}}
	sum, pools := h.Of([]string{"ecs.c7.2xlarge"}, []string{"cn-hangzhou-i", "cn-hangzhou-h", "cn-hangzhou-k"}, noon)
	assert.Equal(t, []spot.Pool{poolH, poolI}, pools)
	assert.InDelta(t, 3./50, sum.PerHour(), 1e-9)
}

func TestHistoriesAreMerged(t *testing.T) {
	a := spot.History{At: noon, Pools: map[spot.Pool]spot.Tally{poolH: {Reclaims: 1, Hours: 4}}}
	b := spot.History{At: noon.Add(-spot.HalfLife), Pools: map[spot.Pool]spot.Tally{poolH: {Reclaims: 2, Hours: 8}, poolI: {Reclaims: 2}}}
	m := a.Merged(b, noon)
	assert.Equal(t, map[spot.Pool]spot.Tally{poolH: {Reclaims: 2, Hours: 8}, poolI: {Reclaims: 1}}, m.Pools)
	assert.Equal(t, map[spot.Pool]spot.Tally{poolH: {Reclaims: 1, Hours: 4}}, a.Pools, "a value")
}

func TestANoticeThatTwoHaveCountedIsOne(t *testing.T) {
	one := map[string]spot.Pool{"i-1": poolH}
	a := spot.History{At: noon}.Noticed(one, noon)
	b := spot.History{At: noon}.Noticed(map[string]spot.Pool{"i-1": poolH, "i-2": poolH}, noon)
	m := a.Merged(b, noon)
	assert.Equal(t, map[spot.Pool]spot.Tally{poolH: {Reclaims: 2}}, m.Pools)
	assert.Len(t, m.Told, 2)
}

func TestHistoryAsText(t *testing.T) {
	h := watched(poolH, 3, time.Hour).Noticed(map[string]spot.Pool{"i-1": poolI}, noon.Add(time.Hour))
	text, err := h.Encode()
	require.NoError(t, err)
	back, err := spot.DecodeHistory(text)
	require.NoError(t, err)
	assert.Equal(t, h, back)
	for text, want := range map[string]string{
		"":                   "unexpected end of JSON input",
		"{}":                 "says nothing of when",
		`{"at":"yesterday"}`: "decode the history of reclaims",
		`{"at":"2026-03-02T12:00:00Z","pools":[{"instanceType":"t","zone":"z","reclaims":-1,"hours":2}]}`: "t in z has -1 reclaims in 2 hours",
	} {
		_, err := spot.DecodeHistory(text)
		assert.ErrorContains(t, err, want, text)
	}
}
