package headroom_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/buildpool/buildpool/nodegroups/config"
	"github.com/buildpool/buildpool/nodegroups/headroom"
)

func policy(t require.TestingT, h *config.Headroom) headroom.Policy {
	p, err := headroom.New(config.Group{Name: "a", Headroom: h})
	require.NoError(t, err)
	return p
}

func TestSlotsToTheSecond(t *testing.T) {
	workday := []config.Hours{{Cron: "0 9 * * 1-5", Duration: config.Duration(9 * time.Hour), TimeZone: "Asia/Shanghai", Holidays: []string{"2026-10-01"}}}
	twice := append(workday, config.Hours{Cron: "0 17 * * *", Duration: config.Duration(2 * time.Hour), TimeZone: "Asia/Shanghai"})
	at := func(text string) time.Time {
		parsed, err := time.Parse(time.DateTime+" -0700", text+" +0800")
		require.NoError(t, err)
		return parsed
	}
	for name, c := range map[string]struct {
		headroom *config.Headroom
		at       string
		lead     time.Duration
		running  int
		want     int
	}{
		"none is configured":              {nil, "2026-11-24 12:00:00", 0, 50, 0},
		"always":                          {&config.Headroom{Slots: 2}, "2026-11-22 03:00:00", 0, 0, 2},
		"a share of none":                 {&config.Headroom{Share: 0.2}, "2026-11-22 03:00:00", 0, 0, 0},
		"a share is rounded up":           {&config.Headroom{Share: 0.2}, "2026-11-22 03:00:00", 0, 11, 3},
		"a share that is whole stays":     {&config.Headroom{Share: 0.1}, "2026-11-22 03:00:00", 0, 30, 3},
		"a second before the hours":       {&config.Headroom{Slots: 2, Hours: workday}, "2026-11-24 08:59:59", 0, 0, 0},
		"at the hour":                     {&config.Headroom{Slots: 2, Hours: workday}, "2026-11-24 09:00:00", 0, 0, 2},
		"a boot before the hours":         {&config.Headroom{Slots: 2, Hours: workday}, "2026-11-24 08:57:00", 3 * time.Minute, 0, 2},
		"more than a boot before":         {&config.Headroom{Slots: 2, Hours: workday}, "2026-11-24 08:56:59", 3 * time.Minute, 0, 0},
		"the last second":                 {&config.Headroom{Slots: 2, Hours: workday}, "2026-11-24 17:59:59", 0, 0, 2},
		"the end":                         {&config.Headroom{Slots: 2, Hours: workday}, "2026-11-24 18:00:00", 0, 0, 0},
		"the end does not come earlier":   {&config.Headroom{Slots: 2, Hours: workday}, "2026-11-24 17:59:00", 3 * time.Minute, 0, 2},
		"a Sunday":                        {&config.Headroom{Slots: 2, Hours: workday}, "2026-11-22 12:00:00", 0, 0, 0},
		"a holiday":                       {&config.Headroom{Slots: 2, Hours: workday}, "2026-10-01 12:00:00", 0, 0, 0},
		"hours that overlap do not add":   {&config.Headroom{Slots: 2, Hours: twice}, "2026-11-24 17:30:00", 0, 0, 2},
		"the second of two hours is open": {&config.Headroom{Slots: 2, Hours: twice}, "2026-11-22 18:30:00", 0, 0, 2},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, c.want, policy(t, c.headroom).Slots(at(c.at), c.lead, c.running))
		})
	}
}

func TestSlotsGrowWithTheBuilds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := policy(t, &config.Headroom{Share: rapid.Float64Range(0.01, 1).Draw(t, "share")})
		running := rapid.IntRange(0, 10_000).Draw(t, "running")
		slots := p.Slots(time.Time{}, 0, running)
		assert.LessOrEqual(t, slots, running, "never more than the builds that run")
		assert.LessOrEqual(t, slots, p.Slots(time.Time{}, 0, running+1))
		if running > 0 {
			assert.Positive(t, slots)
		}
	})
}

func TestHoursThatCannotBeRead(t *testing.T) {
	_, err := headroom.New(config.Group{Name: "a", Headroom: &config.Headroom{Hours: []config.Hours{{Cron: "at nine", TimeZone: "UTC"}}}})
	assert.ErrorContains(t, err, `headroom hours 0 of group "a"`)
}
