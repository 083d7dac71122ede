package main

import (
	"bytes"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/nodegroups"
	"github.com/buildpool/buildpool/nodegroups/config"
	"github.com/buildpool/buildpool/nodegroups/floor"
	"github.com/buildpool/buildpool/nodegroups/schedule"
)

// aFullPage is an afternoon with windows, cooldowns, costs and decisions.
func aFullPage() statusReport {
	status := anAfternoon()
	status.TimeZone = "Asia/Shanghai"
	opening := func(from, lasts time.Duration) schedule.Opening {
		return schedule.Opening{From: threePM.Add(from), Until: threePM.Add(from + lasts)}
	}
	normal, spotty := &status.Groups[0], &status.Groups[1]
	normal.Min, normal.MinReason, normal.Target, normal.Running, normal.Creating = 6, nodegroups.BoundSchedule, 8, 6, 2
	normal.Windows = []floor.OpenWindow{
		{Cron: "0 23 * * *", Least: 6, Opening: opening(-3*time.Minute, 2*time.Hour+3*time.Minute)},
		{Cron: "0 9 * * 1-5", Least: 2, Opening: opening(10*time.Hour, 9*time.Hour)},
	}
	normal.Floor = floor.Floor{Min: 6, Reason: floor.Schedule, Window: &normal.Windows[0], Cooldowns: []floor.Timer{{Kind: floor.AfterScaleUp, Until: threePM.Add(4 * time.Minute)}}}
	normal.Cost = cloudprovider.Price{PerHour: 9.784776, Currency: "CNY", Source: "ECS DescribePrice"}
	spotty.Floor = floor.Floor{Cooldowns: []floor.Timer{{Kind: floor.AfterReclaim, Until: threePM.Add(48 * time.Minute)}}}
	spotty.Cost = cloudprovider.Price{PerHour: 3.91, Currency: "CNY", Source: "assumption", Assumed: true}
	status.Groups[2].CostProblem, status.Groups[3].CostProblem = "the group has not been read yet", "no price known"
	r := reportOn(status, threePM, "", "1.35+")
	r.Version = "v0.1.0"
	r.Waits = &waitsReport{Hours: 3, Builds: 87, P50Seconds: 12, P95Seconds: 161, SLOSeconds: 300, TooLong: 2}
	r.Decisions = decisionsOf([]nodegroups.Decision{
		{At: threePM.Add(-20 * time.Second), Group: "builds-normal", Text: "asked for 2 more instances: target 8, it was 6", Times: 1},
		{At: threePM.Add(-150 * time.Second), Group: "builds-spot", Text: "2 instances could not be created: OperationDenied.NoStock", Times: 1},
		{At: threePM.Add(-3 * time.Minute), Group: "builds-normal", Text: "the min is 6, it was 0: a warm window is open", Times: 1},
		{At: threePM.Add(-time.Hour), Group: "builds-spot", Text: `not done: increase group "builds-spot" by 40 to 52: above the group's max 40`, Times: 12},
		{At: threePM.Add(-26 * time.Hour), Group: "a-group-with-a-rather-long-name-for-large-images", Text: "removed 1 instance: target 2, it was 3", Times: 1},
	})
	return r
}

func TestPageTellsWhatHolds(t *testing.T) {
	var page bytes.Buffer
	require.NoError(t, writePage(&page, aFullPage()))
	html := page.String()
	for _, says := range []string{
		"The account as it was 7s ago. cluster-autoscaler 1.35&#43;.",
		"At least 6: a warm window is open until 01:00.",
		"Cooldown after scale-up: 4m00s left.",
		"Next warm window: 2 from 09:00 to 18:00.",
		"May go down to nothing.",
		"The cloud takes back 2 spot instances (i-sim000000001, i-sim000000002), 1 replaced ahead.",
		"lost builds would cost more than spot saves, and the expander prefers other groups.",
		"asked for 2 more instances: target 8, it was 6.",
		"12 times",
		"Not served: no scaling group carries its tags",
		"Price not known: no price known.",
		"9.785 CNY an hour now; 1.631 CNY a node and hour, ECS DescribePrice.",
		"~13.69",
		"half of 87; 95%: 2m41s; 2 above 5m00s",
		"Times of Asia/Shanghai, as of 23:00:00 on 23 November 2026.",
	} {
		assert.Contains(t, html, says)
	}
	assert.NotContains(t, html, "ZgotmplZ", "a value that the template refuses")
	assert.NotContains(t, html, "<script")
	assert.NotContains(t, html, "http://")
	assert.NotContains(t, html, "https://")
}

// What comes from the cloud is text, whatever it looks like.
func TestPageEscapes(t *testing.T) {
	r := reportOn(nodegroups.Status{Groups: []nodegroups.GroupStatus{{
		ID: "a", Class: config.ClassNormal, Max: 1, LastError: nodegroups.GroupError{Message: "<script>alert(1)</script>", At: threePM},
	}}}, threePM, "not yet", "unknown")
	var page bytes.Buffer
	require.NoError(t, writePage(&page, r))
	assert.NotContains(t, page.String(), "<script>")
	assert.Contains(t, page.String(), "&lt;script&gt;alert(1)")
	assert.Contains(t, page.String(), "not ready")
	assert.Contains(t, page.String(), "Nothing yet.")
}

func TestPageWithoutGroups(t *testing.T) {
	var page bytes.Buffer
	require.NoError(t, writePage(&page, reportOn(nodegroups.Status{}, threePM, "not yet", "unknown")))
	assert.Contains(t, page.String(), "No node groups are configured.")
}

func TestServeAnswersWithThePage(t *testing.T) {
	s := start(t, nil, "--simulate")
	s.awaitReady(t)
	code, body := s.get(t, "/")
	assert.Equal(t, http.StatusOK, code)
	assert.Contains(t, body, "<h3>builds-spot<span")
	code, _ = s.get(t, "/another")
	assert.Equal(t, http.StatusNotFound, code)
	_, body = s.get(t, "/metrics")
	assert.Contains(t, body, "buildpool_ready 1")
}
