package usage

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/buildpool/buildpool/cloudprovider"
)

// at is a time of the day of the tests.
func at(clock string) time.Time {
	t, err := time.Parse(time.DateTime, "2026-11-24 "+clock)
	if err != nil {
		panic(err)
	}
	return t
}

func added(from, to string, ids ...string) cloudprovider.Activity {
	return cloudprovider.Activity{Started: at(from), Ended: at(to), Created: ids, Status: cloudprovider.ActivitySuccessful}
}

func removed(from, to string, ids ...string) cloudprovider.Activity {
	return cloudprovider.Activity{Started: at(from), Ended: at(to), Removed: ids, Status: cloudprovider.ActivitySuccessful}
}

// detached tells how many, and not which.
func detached(from, to string, n int) cloudprovider.Activity {
	return cloudprovider.Activity{ID: "asa-" + from, Started: at(from), Ended: at(to), Requested: -n, Detaches: true, Status: cloudprovider.ActivitySuccessful}
}

func instance(id, created string) cloudprovider.Instance {
	return cloudprovider.Instance{ID: id, Lifecycle: cloudprovider.InService, Created: at(created), AutoCreated: true, Type: "ecs.c7.2xlarge"}
}

func TestLives(t *testing.T) {
	since, until := at("08:00:00"), at("18:00:00")
	life := func(id, from, to string) Life { return Life{InstanceID: id, From: at(from), Until: at(to)} }
	still := func(l Life) Life { l.Type = "ecs.c7.2xlarge"; return l }
	stopped := instance("a", "07:00:00")
	stopped.Lifecycle = cloudprovider.Stopped
	attached := instance("x", "01:00:00")
	attached.AutoCreated = false
	for name, c := range map[string]struct {
		activities []cloudprovider.Activity // newest first
		instances  []cloudprovider.Instance
		want       []Life
		lost       []string
	}{
		"came and went": {
			activities: []cloudprovider.Activity{removed("12:00:00", "12:02:00", "a"), added("09:00:00", "09:01:00", "a")},
			want:       []Life{life("a", "09:00:00", "12:02:00")}},
		"is still there, by its own time": {
			activities: []cloudprovider.Activity{added("09:00:00", "09:01:00", "a")},
			instances:  []cloudprovider.Instance{instance("a", "09:00:20")},
			want:       []Life{still(life("a", "09:00:20", "18:00:00"))}},
		"was there all along": {
			instances: []cloudprovider.Instance{instance("a", "03:00:00")},
			want:      []Life{still(life("a", "08:00:00", "18:00:00"))}},
		"was there before and went": {
			activities: []cloudprovider.Activity{removed("12:00:00", "12:02:00", "a")},
			want:       []Life{life("a", "08:00:00", "12:02:00")}},
		"went after the period": {
			activities: []cloudprovider.Activity{removed("19:00:00", "19:02:00", "a"), added("17:00:00", "17:01:00", "a")},
			want:       []Life{life("a", "17:00:00", "18:00:00")}},
		"came after the period": {
			activities: []cloudprovider.Activity{added("18:30:00", "18:31:00", "a")},
			instances:  []cloudprovider.Instance{instance("a", "18:30:20")}},
		"is being created": {
			activities: []cloudprovider.Activity{{Started: at("17:59:00"), Status: cloudprovider.ActivityInProgress}},
			instances:  []cloudprovider.Instance{instance("a", "17:59:30")},
			want:       []Life{still(life("a", "17:59:30", "18:00:00"))}},
		"is being removed": {
			activities: []cloudprovider.Activity{{Started: at("17:59:00"), Removed: []string{"a"}, Status: cloudprovider.ActivityInProgress}, added("17:00:00", "17:01:00", "a")},
			instances:  []cloudprovider.Instance{instance("a", "17:00:10")},
			want:       []Life{still(life("a", "17:00:10", "18:00:00"))}},
		"has gone, and the list lags": {
			activities: []cloudprovider.Activity{removed("17:58:00", "17:59:00", "a"), added("17:00:00", "17:01:00", "a")},
			instances:  []cloudprovider.Instance{instance("a", "17:00:10")},
			want:       []Life{life("a", "17:00:00", "17:59:00")}},
		"stopped, started and stopped again": {
			activities: []cloudprovider.Activity{removed("15:00:00", "15:01:00", "a"), added("13:00:00", "13:01:00", "a"), removed("10:00:00", "10:01:00", "a")},
			instances:  []cloudprovider.Instance{stopped},
			want:       []Life{life("a", "08:00:00", "10:01:00"), life("a", "13:00:00", "15:01:00")}},
		"stopped and started": {
			activities: []cloudprovider.Activity{added("13:00:00", "13:01:00", "a"), removed("10:00:00", "10:01:00", "a")},
			instances:  []cloudprovider.Instance{instance("a", "07:00:00")},
			want:       []Life{life("a", "08:00:00", "10:01:00"), still(life("a", "13:00:00", "18:00:00"))}},
		"attached by hand": {instances: []cloudprovider.Instance{attached}},
		"detached, because the cloud takes it back": {
			activities: []cloudprovider.Activity{detached("12:00:00", "12:00:00", 1), added("09:00:00", "09:01:00", "a")},
			want:       []Life{life("a", "09:00:00", "12:05:00")}},
		"detached, and another came in its place": {
			activities: []cloudprovider.Activity{added("12:00:00", "12:01:00", "b"), detached("12:00:00", "12:00:00", 1), added("09:00:00", "09:01:00", "a")},
			instances:  []cloudprovider.Instance{instance("b", "12:00:30")},
			want:       []Life{life("a", "09:00:00", "12:05:00"), still(life("b", "12:00:30", "18:00:00"))}},
		"detached before others were": {
			activities: []cloudprovider.Activity{
				detached("15:00:00", "15:00:00", 1), removed("14:00:00", "14:01:00", "c"), detached("12:00:00", "12:00:00", 1),
				added("11:00:00", "11:01:00", "b"), added("09:00:00", "09:01:00", "a", "c"),
			},
			want: []Life{life("a", "09:00:00", "12:05:00"), life("c", "09:00:00", "14:01:00"), life("b", "11:00:00", "15:05:00")}},
		"there before, and detached": {
			activities: []cloudprovider.Activity{detached("12:00:00", "12:00:00", 2), added("09:00:00", "09:01:00", "a")},
			want:       []Life{life("asa-12:00:00/1", "08:00:00", "12:05:00"), life("a", "09:00:00", "12:05:00")}},
		"detached, and gone after the period": {
			activities: []cloudprovider.Activity{detached("17:58:00", "17:58:00", 1), added("17:00:00", "17:01:00", "a")},
			want:       []Life{life("a", "17:00:00", "18:00:00")}},
		"gone, and nobody says when": {
			activities: []cloudprovider.Activity{added("09:00:00", "09:01:00", "a")},
			want:       []Life{life("a", "09:00:00", "09:01:00")}, lost: []string{"a"}},
	} {
		t.Run(name, func(t *testing.T) {
			lives, lost := History{Activities: c.activities, Instances: c.instances}.Lives(since, until)
			assert.Equal(t, c.want, lives)
			assert.Equal(t, c.lost, lost)
		})
	}
}

func TestDays(t *testing.T) {
	shanghai, err := time.LoadLocation("Asia/Shanghai")
	require.NoError(t, err)
	days := Days([]Life{
		{InstanceID: "a", From: at("15:00:00"), Until: at("17:30:00")}, // 23:00 to 01:30 in Shanghai
		{InstanceID: "b", From: at("01:00:00"), Until: at("01:30:00")},
		{InstanceID: "b", From: at("02:00:00"), Until: at("02:30:00")},
	}, shanghai)
	require.Len(t, days, 2)
	assert.Equal(t, "2026-11-24", days[0].Begins.Format(time.DateOnly))
	assert.Equal(t, Day{Begins: days[0].Begins, Instances: 2, Time: 2 * time.Hour}, days[0])
	assert.Equal(t, Day{Begins: days[1].Begins, Instances: 1, Time: 90 * time.Minute}, days[1])
	assert.Empty(t, Days(nil, time.UTC))
}

// However time zones cut the days, no minute is lost or counted twice: also where
// midnight does not exist.
func TestDaysAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		location, err := time.LoadLocation(rapid.SampledFrom([]string{"UTC", "Asia/Shanghai", "Europe/Berlin", "Africa/Cairo", "America/Sao_Paulo", "Australia/Lord_Howe"}).Draw(t, "zone"))
		require.NoError(t, err)
		begins := rapid.SampledFrom([]time.Time{at("00:00:00"), time.Date(2026, 4, 22, 0, 0, 0, 0, time.UTC), time.Date(2018, 11, 2, 0, 0, 0, 0, time.UTC), time.Date(2026, 10, 24, 0, 0, 0, 0, time.UTC)}).Draw(t, "begins")
		var lives []Life
		var whole time.Duration
		for range rapid.IntRange(0, 5).Draw(t, "lives") {
			from := begins.Add(time.Duration(rapid.IntRange(0, 4000).Draw(t, "from")) * time.Minute)
			l := Life{InstanceID: "a", From: from, Until: from.Add(time.Duration(rapid.IntRange(1, 5000).Draw(t, "lasts")) * time.Minute)}
			whole += l.Duration()
			lives = append(lives, l)
		}
		var sum time.Duration
		for _, d := range Days(lives, location) {
			require.LessOrEqual(t, d.Time, 25*time.Hour*time.Duration(len(lives)))
			sum += d.Time
		}
		require.Equal(t, whole, sum)
	})
}
