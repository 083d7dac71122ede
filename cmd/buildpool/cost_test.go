package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/utils/clock"
	testingclock "k8s.io/utils/clock/testing"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/ess/esssim"
	"github.com/buildpool/buildpool/nodegroups"
	"github.com/buildpool/buildpool/nodegroups/config"
	"github.com/buildpool/buildpool/nodegroups/usage"
)

// aPastOf makes an account in which n instances of the spot group lived for an hour
// each, one after the other, and two of the normal group live since 90 minutes, until
// now.
func aPastOf(t *testing.T, n int, now time.Time) (endpoint string) {
	t.Helper()
	past := testingclock.NewFakePassiveClock(now.Add(-time.Duration(n+2) * time.Hour))
	simulator, err := esssim.New(esssim.Options{Config: fastAccount(t), Clock: past, AuthClock: clock.RealClock{}, Seed: 1})
	require.NoError(t, err)
	server := httptest.NewServer(simulator)
	t.Cleanup(server.Close)
	w := world{variables: simulatedKey()}
	file, err := readNodeGroups("")
	require.NoError(t, err)
	cloud, err := openCloud(w.environment(), file.config, server.URL, prometheus.NewRegistry(), slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	capacity := func(group string, total int, token string) {
		t.Helper()
		_, err := cloud.SetCapacity(t.Context(), cloudprovider.SetCapacity{GroupID: group, Total: total, Token: token})
		require.NoError(t, err)
	}
	pass := func(d time.Duration) { past.SetTime(past.Now().Add(d)) }
	for k := range n {
		capacity("asg-spot", 1, fmt.Sprint("up", k))
		pass(time.Hour)
		capacity("asg-spot", 0, fmt.Sprint("down", k))
		pass(time.Second)
	}
	past.SetTime(now.Add(-90 * time.Minute))
	capacity("asg-normal", 2, "stay")
	past.SetTime(now)
	return server.URL
}

func costOf(t *testing.T, endpoint string, arguments ...string) string {
	t.Helper()
	w := world{variables: simulatedKey()}
	arguments = append([]string{"cost", "--config", nodeGroups(t, string(embeddedNodeGroups)), "--ess-endpoint", endpoint}, arguments...)
	require.Zero(t, w.run(t.Context(), arguments...), w.stderr.String())
	return w.stdout.String()
}

// An instance that was let go before the cloud took it back counts until then: what ESS
// tells of it is that one was detached.
func TestCostOfADetachedInstance(t *testing.T) {
	now := clock.RealClock{}.Now()
	past := testingclock.NewFakePassiveClock(now.Add(-5 * time.Hour))
	simulator, err := esssim.New(esssim.Options{Config: fastAccount(t), Clock: past, AuthClock: clock.RealClock{}, Seed: 1})
	require.NoError(t, err)
	server := httptest.NewServer(simulator)
	t.Cleanup(server.Close)
	w := world{variables: simulatedKey()}
	file, err := readNodeGroups("")
	require.NoError(t, err)
	cloud, err := openCloud(w.environment(), file.config, server.URL, prometheus.NewRegistry(), slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	_, err = cloud.SetCapacity(t.Context(), cloudprovider.SetCapacity{GroupID: "asg-spot", Total: 1, Token: "up"})
	require.NoError(t, err)
	past.SetTime(now.Add(-2 * time.Hour))
	instances, err := cloud.Instances(t.Context(), "asg-spot")
	require.NoError(t, err)
	require.Len(t, instances, 1)
	_, err = cloud.DetachInstances(t.Context(), cloudprovider.DetachInstances{GroupID: "asg-spot", InstanceIDs: []string{instances[0].ID}, Token: "go"})
	require.NoError(t, err)
	past.SetTime(now)
	var report costReport
	require.NoError(t, json.Unmarshal([]byte(costOf(t, server.URL, "-o", "json")), &report))
	assert.InDelta(t, 3+5./60+2, report.Groups[2].InstanceHours, 4./60, "three hours and what the notice left it, and two of the one in its place")
	assert.Empty(t, report.Groups[2].Problem)
}

// Thirty lives are sixty activities: more than one page.
func TestCost(t *testing.T) {
	const lives = 30
	endpoint := aPastOf(t, lives, clock.RealClock{}.Now())

	var report costReport
	require.NoError(t, json.Unmarshal([]byte(costOf(t, endpoint, "-o", "json", "--label", "workload_type")), &report))
	assert.Equal(t, costKind, report.Kind)
	require.Len(t, report.Groups, 3)
	normal, gpu, spotty := report.Groups[0], report.Groups[1], report.Groups[2]
	assert.InDelta(t, 3, normal.InstanceHours, 0.05)
	assert.InDelta(t, 3*1.630796, *normal.Cost, 0.05)
	assert.Equal(t, "ECS DescribePrice", normal.Price.Source)
	assert.Zero(t, *gpu.Cost)
	assert.InDelta(t, lives, spotty.InstanceHours, lives*2.0/60, "to the minute at both ends")
	assert.InDelta(t, lives*0.2, *spotty.Cost, 0.3)
	assert.Equal(t, "spot", spotty.Label)
	require.Len(t, report.Totals, 3, "one for each value of the label")

	var days, instances float64
	for _, d := range report.Days {
		days += d.InstanceHours
		instances += float64(d.Instances)
	}
	assert.InDelta(t, normal.InstanceHours+spotty.InstanceHours, days, 1e-6)
	assert.GreaterOrEqual(t, instances, lives+2.0, "one that lives over midnight counts on both days")

	lines, err := csv.NewReader(strings.NewReader(costOf(t, endpoint, "-o", "csv"))).ReadAll()
	require.NoError(t, err)
	assert.Equal(t, costColumns, lines[0])
	assert.Len(t, lines, 1+len(report.Days))

	text := costOf(t, endpoint, "--since", "3h")
	assert.Contains(t, text, "builds-normal  normal")
	assert.Regexp(t, `(?m)^total +\d+\.\d\d +\d+\.\d\d CNY$`, text)

	require.NoError(t, json.Unmarshal([]byte(costOf(t, endpoint, "-o", "json", "--since", "12h", "--until", "6h")), &report))
	assert.Zero(t, report.Groups[0].InstanceHours, "it began after the period")
	assert.InDelta(t, 6, report.Groups[2].InstanceHours, 0.3)
}

func TestCostWithoutAPrice(t *testing.T) {
	r := newCostReport(costTime{since: threePM.Add(-time.Hour), until: threePM, location: time.UTC}, "team")
	hour := func(hours float64) []usage.Day {
		return []usage.Day{{Begins: threePM.Truncate(24 * time.Hour), Instances: 1, Time: time.Duration(hours * float64(time.Hour))}}
	}
	group := func(name, currency, problem string) nodegroups.GroupStatus {
		return nodegroups.GroupStatus{ID: name, Class: config.ClassNormal, Price: cloudprovider.Price{PerHour: 2, Currency: currency, Source: "s", Assumed: name == "b"}, PriceProblem: problem}
	}
	r.add(group("a", "CNY", ""), "web", hour(1), nil)
	r.add(group("b", "CNY", ""), "web", hour(2), []string{"i-1"})
	r.add(group("c", "", "no price known"), "web", hour(4), nil)
	r.add(group("d", "USD", ""), "ops", hour(1), nil)
	r.add(nodegroups.GroupStatus{ID: "e", Problem: "gone", PriceProblem: "not read"}, "ops", nil, nil)
	text, err := costText(r)
	require.NoError(t, err)
	assert.Equal(t, `2026-11-23 14:00 to 2026-11-23 15:00, days of UTC

DAY         GROUP  CLASS   INSTANCES  HOURS       COST
2026-11-23  a      normal          1   1.00   2.00 CNY
            b      normal          1   2.00  ~4.00 CNY
            c      normal          1   4.00          ?
            d      normal          1   1.00   2.00 USD

GROUP  CLASS   TEAM  HOURS  PRICE/H         COST
a      normal  web    1.00    2 CNY     2.00 CNY
b      normal  web    2.00   ~2 CNY    ~4.00 CNY
c      normal  web    4.00        ?            ?
d      normal  ops    1.00    2 USD     2.00 USD
e              ops    0.00        ?            ?
total          web    7.00           >= 6.00 CNY
total          ops    1.00              2.00 USD

b: no activity tells when these left, so they hardly count: i-1
c: no price: no price known
e: it could not be read: gone
`, string(text))
	out, err := costCSV(r)
	require.NoError(t, err)
	assert.Contains(t, string(out), "2026-11-23,c,normal,web,4.0000,1,,,,,\n", "unknown is empty, not 0")
}

func TestCostRefuses(t *testing.T) {
	file := nodeGroups(t, string(embeddedNodeGroups))
	for name, c := range map[string]struct {
		arguments []string
		says      string
	}{
		"no file":        {nil, "--config FILE is required"},
		"another form":   {[]string{"--config", file, "-o", "xml"}, `--output is "xml"`},
		"no moment":      {[]string{"--config", file, "--since", "last week"}, `--since is "last week", but must be a day (2026-11-01)`},
		"no age":         {[]string{"--config", file, "--until", "-3h"}, `--until is "-3h"`},
		"an empty time":  {[]string{"--config", file, "--since", "1h", "--until", "2h"}, "the period is empty"},
		"too long ago":   {[]string{"--config", file, "--since", "31d"}, "remembers scaling activities for 30 days only"},
		"no such place":  {[]string{"--config", file, "--time-zone", "Mars"}, `--time-zone is "Mars"`},
		"a missing file": {[]string{"--config", "/nowhere.yaml"}, "/nowhere.yaml"},
	} {
		t.Run(name, func(t *testing.T) {
			var w world
			assert.Equal(t, 1, w.run(t.Context(), append([]string{"cost"}, c.arguments...)...))
			assert.Contains(t, w.stderr.String(), c.says)
		})
	}
}
