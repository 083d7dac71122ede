package workload

import (
	"math"
	"time"
)

// arrivals measures when builds come.
func (d *Description) arrivals(t Trace) {
	last := t.Builds[len(t.Builds)-1].Arrival
	d.Hours = int(last/time.Hour) + 1
	a := &d.Arrivals
	a.PerHour = float64(len(t.Builds)) / float64(d.Hours)
	a.InterarrivalCV = interarrivalCV(t.Builds)

	var counts [7][24]int
	weekend := 0
	hour, minute := run{}, run{}
	for _, b := range t.Builds {
		at := t.Start.Add(b.Arrival)
		day := weekday(at)
		counts[day][at.Hour()]++
		if day >= 5 {
			weekend++
		}
		if hour.count(beginning(at, time.Hour)); hour.n > a.Peak {
			a.Peak, a.PeakAt = hour.n, hour.of
		}
		minute.count(beginning(at, time.Minute))
		a.PeakMinute = max(a.PeakMinute, minute.n)
	}
	a.PeakToMean = float64(a.Peak) / a.PerHour
	a.WeekendShare = float64(weekend) / float64(len(t.Builds))
	d.week(t, counts, len(t.Builds)-weekend)
}

// week makes means of the counts: divided by how often the trace meets the hour.
func (d *Description) week(t Trace, counts [7][24]int, onWeekdays int) {
	var met [7][24]int
	weekdayHours := 0
	for h := range d.Hours {
		at := t.Start.Add(time.Duration(h) * time.Hour)
		day := weekday(at)
		met[day][at.Hour()]++
		if day < 5 {
			weekdayHours++
		}
	}
	if weekdayHours > 0 {
		d.Arrivals.PerWeekday = float64(onWeekdays) / float64(weekdayHours) * 24
	}
	for day := range counts {
		for h, n := range counts[day] {
			d.HourOfWeek[day][h] = float64(n) / float64(max(met[day][h], 1))
		}
	}
}

// weekday counts from Monday.
func weekday(t time.Time) int { return (int(t.Weekday()) + 6) % 7 }

// beginning is when the hour or minute of the location's clock began.
func beginning(t time.Time, of time.Duration) time.Time {
	past := time.Duration(t.Second())*time.Second + time.Duration(t.Nanosecond())
	if of == time.Hour {
		past += time.Duration(t.Minute()) * time.Minute
	}
	return t.Add(-past)
}

// run counts how often the same instant comes in succession.
type run struct {
	of time.Time
	n  int
}

func (r *run) count(at time.Time) {
	if !r.of.Equal(at) {
		*r = run{of: at}
	}
	r.n++
}

// interarrivalCV is 0 for fewer than two gaps or if all builds come at once.
func interarrivalCV(builds []Build) float64 {
	n := float64(len(builds) - 1)
	if n < 2 {
		return 0
	}
	mean := (builds[len(builds)-1].Arrival - builds[0].Arrival).Seconds() / n
	if mean == 0 {
		return 0
	}
	sum := 0.0
	for i := 1; i < len(builds); i++ {
		gap := (builds[i].Arrival - builds[i-1].Arrival).Seconds() - mean
		sum += gap * gap
	}
	return math.Sqrt(sum/n) / mean
}
