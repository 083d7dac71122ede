package recommend

import (
	"fmt"
	"math"
	"time"

	"github.com/buildpool/buildpool/nodegroups/config"
)

// zoneOf is a time zone that a window can name and that tells the trace's hours.
func zoneOf(start time.Time) (name string, location *time.Location) {
	if name := start.Location().String(); name != "" && name != "Local" {
		if l, err := time.LoadLocation(name); err == nil {
			return name, l
		}
	}
	_, offset := start.Zone()
	if hours := offset / 3600; offset%3600 == 0 && hours != 0 && hours >= -12 && hours <= 14 {
		name := fmt.Sprintf("Etc/GMT%+d", -hours) // the sign of these names is the other way round
		if l, err := time.LoadLocation(name); err == nil {
			return name, l
		}
	}
	return "UTC", time.UTC
}

// The hours of a kind of day that need at least so much of the busiest hour get a
// window: a broad one, and a narrow one inside it that keeps more.
var warmThresholds = []float64{0.3, 0.65}

// dayKinds are the days that one window is for.
var dayKinds = []struct {
	cron        string
	first, last int // 0 is Monday
}{{"1-5", 0, 4}, {"0,6", 5, 6}}

// warmWindows are the times of a week in which a group keeps a share of its mean demand
// warm. lead is how long a node takes to be there.
func warmWindows(week [hoursOfWeek]float64, share float64, zone string, lead time.Duration) []config.Window {
	if share == 0 {
		return nil
	}
	profiles := make([][24]float64, len(dayKinds))
	busiest := 0.0
	for k, kind := range dayKinds {
		for h := range 24 {
			for day := kind.first; day <= kind.last; day++ {
				profiles[k][h] += week[day*24+h] / float64(kind.last-kind.first+1)
			}
			busiest = max(busiest, profiles[k][h])
		}
	}
	const tooLittle = 0.25 // of a node: not worth a window
	if busiest < tooLittle {
		return nil
	}
	before := config.Duration(lead.Round(time.Second))
	var out []config.Window
	for k, kind := range dayKinds {
		outer := [24]int{}
		for _, threshold := range warmThresholds {
			for _, run := range runsOf(profiles[k], threshold*busiest) {
				least := int(math.Ceil(share*run.mean - 1e-9))
				if least <= outer[run.from] {
					continue
				}
				for h := run.from; h < run.until; h++ {
					outer[h] = least
				}
				out = append(out, config.Window{
					Cron: fmt.Sprintf("0 %d * * %s", run.from, kind.cron), Duration: config.Duration(time.Duration(run.until-run.from) * time.Hour),
					Min: least, Lead: &before, TimeZone: zone,
				})
			}
		}
	}
	return out
}

// run is a stretch of a day's hours.
type run struct {
	from, until int
	mean        float64
}

// runsOf are the stretches of hours that need at least so much.
func runsOf(profile [24]float64, least float64) []run {
	var out []run
	for h := 0; h < 24; h++ {
		if profile[h] < least {
			continue
		}
		r := run{from: h}
		for ; h < 24 && profile[h] >= least; h++ {
			r.mean += profile[h]
		}
		r.until = h
		r.mean /= float64(r.until - r.from)
		out = append(out, r)
	}
	return out
}
