package floor

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/buildpool/buildpool/nodegroups/config"
)

func long(d time.Duration) *config.Duration {
	v := config.Duration(d)
	return &v
}

// afternoon keeps six nodes from 15:00 to 17:00 in Shanghai, and nothing after New
// Year's Day, with a window of half the max inside it.
func afternoon() config.Group {
	return config.Group{
		Name: "builds",
		Cooldown: config.Cooldown{
			AfterScaleUp: long(5 * time.Minute), AfterScaleDown: long(time.Minute),
			AfterFailure: long(2 * time.Minute), AfterReclaim: long(10 * time.Minute),
		},
		Schedules: []config.Window{
			{Cron: "0 15 * * *", Duration: config.Duration(2 * time.Hour), Min: 6, TimeZone: "Asia/Shanghai"},
			{Cron: "30 15 * * *", Duration: config.Duration(30 * time.Minute), Share: 0.5, Lead: long(0), TimeZone: "Asia/Shanghai"},
		},
	}
}

func at(t require.TestingT, clock string) time.Time {
	parsed, err := time.Parse(time.RFC3339, "2026-11-24T"+clock+"+08:00")
	require.NoError(t, err)
	return parsed
}

func policy(t require.TestingT, g config.Group) Policy {
	p, err := New(g)
	require.NoError(t, err)
	return p
}

func TestFloorToTheSecond(t *testing.T) {
	p := policy(t, afternoon())
	noon := at(t, "12:00:00")
	for _, c := range []struct {
		name   string
		now    string
		facts  Facts
		least  int
		reason Reason
		until  string
	}{
		{"nothing but min", "12:00:00", Facts{Min: 1, Max: 20}, 1, Configured, ""},
		{"a second before the lead", "14:56:59", Facts{Min: 1, Max: 20}, 1, Configured, ""},
		{"the lead that is assumed", "14:57:00", Facts{Min: 1, Max: 20}, 6, Schedule, "17:00:00"},
		{"a second before the measured lead", "14:58:29", Facts{Max: 20, Boot: 90 * time.Second}, 0, Configured, ""},
		{"the measured lead", "14:58:30", Facts{Max: 20, Boot: 90 * time.Second}, 6, Schedule, "17:00:00"},
		{"a second before the higher window", "15:29:59", Facts{Max: 20}, 6, Schedule, "17:00:00"},
		{"the higher window, without lead", "15:30:00", Facts{Max: 20}, 10, Schedule, "16:00:00"},
		{"a share is rounded up", "15:30:00", Facts{Max: 19}, 10, Schedule, "16:00:00"},
		{"the last second of the higher one", "15:59:59", Facts{Max: 20}, 10, Schedule, "16:00:00"},
		{"the lower one goes on", "16:00:00", Facts{Max: 20}, 6, Schedule, "17:00:00"},
		{"a second before the end", "16:59:59", Facts{Max: 20}, 6, Schedule, "17:00:00"},
		{"the end", "17:00:00", Facts{Max: 20}, 0, Configured, ""},
		{"a window above max", "15:10:00", Facts{Max: 4}, 4, Schedule, "17:00:00"},
		{"min above max", "12:00:00", Facts{Min: 5, Max: 4}, 4, Max, ""},
		{"a scale-up holds the size", "12:04:59", Facts{Max: 20, Target: 9, ScaledUp: noon}, 9, Cooldown, "12:05:00"},
		{"until its time is over", "12:05:00", Facts{Max: 20, Target: 9, ScaledUp: noon}, 0, Configured, ""},
		{"a scale-down holds what is left", "12:00:59", Facts{Max: 20, Target: 9, ScaledDown: noon}, 9, Cooldown, "12:01:00"},
		{"until its time is over, too", "12:01:00", Facts{Max: 20, Target: 9, ScaledDown: noon}, 0, Configured, ""},
		{"a failure", "12:01:59", Facts{Max: 20, Target: 9, Failed: noon}, 9, Cooldown, "12:02:00"},
		{"no more", "12:02:00", Facts{Max: 20, Target: 9, Failed: noon}, 0, Configured, ""},
		{"a reclaim", "12:09:59", Facts{Max: 20, Target: 9, Reclaimed: noon}, 9, Cooldown, "12:10:00"},
		{"over", "12:10:00", Facts{Max: 20, Target: 9, Reclaimed: noon}, 0, Configured, ""},
		{"the longest of several timers", "12:00:30", Facts{Max: 20, Target: 9, ScaledUp: noon, ScaledDown: noon}, 9, Cooldown, "12:05:00"},
		{"what never joined is not held", "12:01:00", Facts{Max: 20, Target: 9, Missing: 2, ScaledUp: noon}, 7, Cooldown, "12:05:00"},
		{"min wins over a small group", "12:01:00", Facts{Min: 8, Max: 20, Target: 9, Missing: 2, ScaledUp: noon}, 8, Configured, ""},
		{"a window wins over a smaller group", "15:01:00", Facts{Max: 20, Target: 3, ScaledUp: at(t, "15:00:00")}, 6, Schedule, "17:00:00"},
		{"a larger group wins over a window", "15:01:00", Facts{Max: 20, Target: 8, ScaledUp: at(t, "15:00:00")}, 8, Cooldown, "15:05:00"},
		{"a target above max", "12:01:00", Facts{Max: 5, Target: 9, ScaledUp: noon}, 5, Max, ""},
		{"a clock that went back", "11:59:00", Facts{Max: 20, Target: 9, ScaledUp: noon}, 9, Cooldown, "12:05:00"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := p.At(at(t, c.now), c.facts)
			assert.Equal(t, c.least, f.Min)
			assert.Equal(t, c.reason, f.Reason)
			if c.until == "" {
				assert.Zero(t, f.Until)
				return
			}
			assert.True(t, f.Until.Equal(at(t, c.until)), f.Until)
		})
	}
}

// Twelve hours around the change to and from daylight saving, and a restart in the
// middle: a floor is worked out from facts alone, so another process sees the same.
func TestFloorOverTheChangeOfClocks(t *testing.T) {
	g := config.Group{Name: "night", Schedules: []config.Window{
		{Cron: "30 2 * * *", Duration: config.Duration(time.Hour), Min: 3, Lead: long(0), TimeZone: "Europe/Berlin"},
	}}
	for name, c := range map[string]struct{ from, until string }{
		"forward": {"2026-03-29T03:00:00+02:00", "2026-03-29T04:00:00+02:00"},
		"back":    {"2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00"},
	} {
		t.Run(name, func(t *testing.T) {
			from, err := time.Parse(time.RFC3339, c.from)
			require.NoError(t, err)
			until, err := time.Parse(time.RFC3339, c.until)
			require.NoError(t, err)
			for now := from.Add(-6 * time.Hour); now.Before(from.Add(6 * time.Hour)); now = now.Add(time.Minute) {
				want := 0
				if !now.Before(from) && now.Before(until) {
					want = 3
				}
				require.Equal(t, want, policy(t, g).At(now, Facts{Max: 10}).Min, now)
			}
		})
	}
}

func TestAWindowThatCannotBeRead(t *testing.T) {
	_, err := New(config.Group{Name: "builds", Schedules: []config.Window{{Cron: "0 15 * * *", Duration: 1, TimeZone: "Nowhere"}}})
	assert.ErrorContains(t, err, `schedule 0 of group "builds": time zone "Nowhere"`)
}

func drawFacts(t *rapid.T, now time.Time) Facts {
	past := func(name string) time.Time {
		ago := rapid.IntRange(-1, 900).Draw(t, name)
		if ago < 0 {
			return time.Time{}
		}
		return now.Add(-time.Duration(ago) * time.Second)
	}
	target := rapid.IntRange(0, 60).Draw(t, "target")
	return Facts{
		Min: rapid.IntRange(0, 50).Draw(t, "min"), Max: rapid.IntRange(0, 50).Draw(t, "max"),
		Target: target, Missing: rapid.IntRange(0, target).Draw(t, "missing"),
		ScaledUp: past("up"), ScaledDown: past("down"), Failed: past("failed"), Reclaimed: past("reclaimed"),
		Boot: time.Duration(rapid.IntRange(0, 600).Draw(t, "boot")) * time.Second,
	}
}

// The floor is never above max; without an open window no timer lifts it above what
// exists; between now and the next change nothing moves.
func TestFloorProperties(t *testing.T) {
	p := policy(t, afternoon())
	rapid.Check(t, func(t *rapid.T) {
		now := at(t, "00:00:00").Add(time.Duration(rapid.IntRange(0, 86400).Draw(t, "second")) * time.Second)
		facts := drawFacts(t, now)
		f := p.At(now, facts)
		require.LessOrEqual(t, f.Min, facts.Max)
		require.GreaterOrEqual(t, f.Min, 0)
		if f.Reason == Cooldown {
			require.LessOrEqual(t, f.Min, facts.Target-facts.Missing, "a cooldown never causes growth")
			require.NotEmpty(t, f.Cooldowns)
		}
		next, ok := p.Changes(now, facts)
		require.True(t, ok)
		require.True(t, next.After(now))
		between := now.Add(time.Duration(rapid.Float64Range(0, 1).Draw(t, "part") * float64(next.Sub(now)-1)))
		later := p.At(between, facts)
		require.Equal(t, f.Min, later.Min, "%v is before %v", between, next)
		require.Equal(t, f.Reason, later.Reason)
	})
}
