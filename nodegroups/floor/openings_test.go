package floor

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/nodegroups/config"
)

func TestOpenings(t *testing.T) {
	lead := config.Duration(0)
	policy, err := New(config.Group{Name: "g", Schedules: []config.Window{
		{Cron: "0 15 * * *", Duration: config.Duration(2 * time.Hour), Min: 6, TimeZone: "Asia/Shanghai", Lead: &lead},
		{Cron: "0 22 * * *", Duration: config.Duration(12 * time.Hour), Share: 0.1, TimeZone: "UTC"},
		{Cron: "* * * * *", Duration: config.Duration(time.Second), Min: 1, TimeZone: "UTC", Lead: &lead},
	}})
	require.NoError(t, err)
	at := func(s string) time.Time {
		instant, err := time.Parse(time.RFC3339, s)
		require.NoError(t, err)
		return instant
	}
	var said []string
	every := 0
	for _, o := range policy.Openings(at("2026-11-24T06:00:00Z"), at("2026-11-25T06:00:00Z"), Facts{Max: 25, Boot: time.Minute}) {
		if o.Cron == "* * * * *" {
			every++
			continue
		}
		said = append(said, o.From.UTC().Format("02 15:04")+" "+o.Until.UTC().Format("02 15:04"))
		assert.Equal(t, map[string]int{"0 15 * * *": 6, "0 22 * * *": 3}[o.Cron], o.Least)
	}
	assert.Equal(t, []string{
		"23 21:59 24 10:00", // open already, a minute early
		"24 07:00 24 09:00",
		"24 21:59 25 10:00",
	}, said)
	assert.Equal(t, maxOpenings, every)
	assert.Empty(t, Policy{}.Openings(at("2026-11-24T06:00:00Z"), at("2026-11-25T06:00:00Z"), Facts{}))
}
