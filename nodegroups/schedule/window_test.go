package schedule

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func zone(t require.TestingT, name string) *time.Location {
	l, err := time.LoadLocation(name)
	require.NoError(t, err)
	return l
}

func window(t require.TestingT, expression, place string, lasts time.Duration, holidays ...string) Window {
	w, err := New(expression, zone(t, place), lasts, holidays)
	require.NoError(t, err)
	return w
}

func instant(t require.TestingT, s string) time.Time {
	at, err := time.Parse(time.RFC3339, s)
	require.NoError(t, err)
	return at
}

// Each edge to the second: the last closed and the first open, the last open and the
// first closed.
func TestOpenToTheSecond(t *testing.T) {
	for name, c := range map[string]struct {
		w     Window
		lead  time.Duration
		from  string
		until string
	}{
		"an afternoon in Shanghai": {window(t, "0 15 * * 1-5", "Asia/Shanghai", 2*time.Hour), 0,
			"2026-11-24T15:00:00+08:00", "2026-11-24T17:00:00+08:00"},
		"early by its lead": {window(t, "0 15 * * 1-5", "Asia/Shanghai", 2*time.Hour), 3 * time.Minute,
			"2026-11-24T14:57:00+08:00", "2026-11-24T17:00:00+08:00"},
		"a lead into the day before": {window(t, "0 0 * * *", "Asia/Shanghai", time.Hour), 10 * time.Minute,
			"2026-11-23T23:50:00+08:00", "2026-11-24T01:00:00+08:00"},
		"over midnight": {window(t, "0 22 * * 1", "Asia/Shanghai", 6*time.Hour), 0,
			"2026-11-23T22:00:00+08:00", "2026-11-24T04:00:00+08:00"},
		"on the day clocks go forward": {window(t, "0 9 * * *", "Europe/Berlin", time.Hour), 0,
			"2026-03-29T09:00:00+02:00", "2026-03-29T10:00:00+02:00"},
		"in the hour that is skipped": {window(t, "30 2 29 3 *", "Europe/Berlin", time.Hour), 0,
			"2026-03-29T03:00:00+02:00", "2026-03-29T04:00:00+02:00"},
		"in the hour that comes twice, the first time": {window(t, "30 2 25 10 *", "Europe/Berlin", 30*time.Minute), 0,
			"2026-10-25T02:30:00+02:00", "2026-10-25T02:00:00+01:00"},
		"over the hour that comes twice": {window(t, "0 22 24 10 *", "Europe/Berlin", 8*time.Hour), 0,
			"2026-10-24T22:00:00+02:00", "2026-10-25T05:00:00+01:00"},
		"a skipped midnight": {window(t, "0 0 * * *", "Africa/Cairo", time.Hour), 0,
			"2026-04-24T01:00:00+03:00", "2026-04-24T02:00:00+03:00"},
		"a zone of half hours": {window(t, "0 2 * * *", "Australia/Lord_Howe", time.Hour), 0,
			"2026-10-04T02:30:00+11:00", "2026-10-04T03:30:00+11:00"},
	} {
		t.Run(name, func(t *testing.T) {
			from, until := instant(t, c.from), instant(t, c.until)
			_, early := c.w.Open(from.Add(-time.Second), c.lead)
			assert.False(t, early, "a second before it opens")
			for _, at := range []time.Time{from, from.Add(time.Second), until.Add(-time.Second)} {
				o, open := c.w.Open(at, c.lead)
				require.True(t, open, at)
				assert.True(t, o.From.Equal(from), o.From)
				assert.True(t, o.Until.Equal(until), o.Until)
			}
			_, late := c.w.Open(until, c.lead)
			assert.False(t, late, "when it closes")
			next, ok := c.w.Next(from.Add(-time.Second), c.lead)
			require.True(t, ok)
			assert.True(t, next.From.Equal(from), next.From)
		})
	}
}

func TestHolidaysStayClosed(t *testing.T) {
	w := window(t, "0 15 * * *", "Asia/Shanghai", 2*time.Hour, "2026-10-01")
	_, open := w.Open(instant(t, "2026-10-01T16:00:00+08:00"), 0)
	assert.False(t, open)
	_, open = w.Open(instant(t, "2026-10-02T16:00:00+08:00"), 0)
	assert.True(t, open)
	next, ok := w.Next(instant(t, "2026-09-30T15:00:00+08:00"), 0)
	require.True(t, ok)
	assert.True(t, next.From.Equal(instant(t, "2026-10-02T15:00:00+08:00")), next.From)
}

// A window that opened on the evening before a holiday stays open into it.
func TestAHolidayClosesWhatBeginsOnIt(t *testing.T) {
	w := window(t, "0 22 * * *", "Asia/Shanghai", 6*time.Hour, "2026-10-01")
	_, open := w.Open(instant(t, "2026-10-01T03:00:00+08:00"), 0)
	assert.True(t, open)
	_, open = w.Open(instant(t, "2026-10-02T03:00:00+08:00"), 0)
	assert.False(t, open)
}

func TestOfOverlappingOpeningsTheLaterEnds(t *testing.T) {
	w := window(t, "0 8-10 * * *", "UTC", 3*time.Hour)
	o, open := w.Open(instant(t, "2026-11-24T10:30:00Z"), 0)
	require.True(t, open)
	assert.True(t, o.Until.Equal(instant(t, "2026-11-24T13:00:00Z")))
}

func TestWhatIsNoWindow(t *testing.T) {
	for name, c := range map[string]struct {
		expression string
		lasts      time.Duration
		holidays   []string
		says       string
	}{
		"no cron":           {"at three", time.Hour, nil, `cron "at three"`},
		"six fields":        {"0 0 15 * * 1", time.Hour, nil, "expected exactly 5 fields"},
		"a zone of its own": {"CRON_TZ=UTC 0 15 * * *", time.Hour, nil, `cron "CRON_TZ=UTC 0 15 * * *": the time zone has a field`},
		"an interval":       {"@every 1h", time.Hour, nil, "an interval has no time of day"},
		"never open":        {"0 15 * * *", 0, nil, "never open"},
		"no day":            {"0 15 * * *", time.Hour, []string{"1 October"}, `holiday "1 October"`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := New(c.expression, time.UTC, c.lasts, c.holidays)
			assert.ErrorContains(t, err, c.says)
		})
	}
}

func TestADayThatNeverComes(t *testing.T) {
	w := window(t, "0 0 30 2 *", "UTC", time.Hour)
	_, open := w.Open(instant(t, "2026-11-24T00:00:00Z"), 0)
	assert.False(t, open)
	_, ok := w.Next(instant(t, "2026-11-24T00:00:00Z"), 0)
	assert.False(t, ok)
}

// Open and Next tell one story: what Next names is open from its first instant to its
// last, and nothing is open between now and then unless it is open now.
func TestOpenAgreesWithNext(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		place := rapid.SampledFrom([]string{"UTC", "Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo"}).Draw(t, "zone")
		expression := rapid.SampledFrom([]string{"0 15 * * 1-5", "30 2 * * *", "0 0 * * *", "*/20 1-3 * * *", "0 22 * * 0", "45 23 28-31 * *"}).Draw(t, "cron")
		lasts := time.Duration(rapid.IntRange(1, 3*24*60).Draw(t, "minutes")) * time.Minute
		lead := time.Duration(rapid.IntRange(0, 600).Draw(t, "lead")) * time.Second
		w := window(t, expression, place, lasts)
		at := time.Unix(int64(rapid.IntRange(1767225600, 1798761600).Draw(t, "at")), 0)
		next, ok := w.Next(at, lead)
		require.True(t, ok)
		require.True(t, next.From.After(at))
		for _, inside := range []time.Time{next.From, next.Until.Add(-time.Second)} {
			_, open := w.Open(inside, lead)
			require.True(t, open, inside)
		}
		if _, open := w.Open(at, lead); open {
			return
		}
		between := at.Add(time.Duration(rapid.Float64Range(0, 1).Draw(t, "part") * float64(next.From.Sub(at)-1)))
		_, open := w.Open(between, lead)
		require.False(t, open, "%v is before %v", between, next.From)
	})
}

func BenchmarkOpen(b *testing.B) {
	w := window(b, "0 15 * * 1-5", "Asia/Shanghai", 2*time.Hour)
	at := instant(b, "2026-11-24T16:00:00+08:00")
	for b.Loop() {
		w.Open(at, 3*time.Minute)
	}
}
