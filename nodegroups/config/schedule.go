package config

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/buildpool/buildpool/nodegroups/schedule"
)

// Schedule is what holds for the warm windows of every group.
type Schedule struct {
	// Mode says who brings nodes up to a window's min. Default: cluster-autoscaler.
	Mode ScheduleMode `json:"mode,omitempty"`
	// TimeZone of the windows that name none, such as Asia/Shanghai.
	TimeZone string `json:"timeZone,omitempty"`
	// Holidays are days on which no window opens, such as 2026-10-01.
	Holidays []string `json:"holidays,omitempty"`
}

// ScheduleMode says who brings a group up to its min.
type ScheduleMode string

// The values of schedule.mode.
const (
	// ScheduleByAutoscaler: cluster-autoscaler does, started with
	// --enforce-node-group-min-size.
	ScheduleByAutoscaler ScheduleMode = "cluster-autoscaler"
	// ScheduleByProvider: we raise the target by ourselves.
	ScheduleByProvider ScheduleMode = "enforce-by-provider"
)

// Window is a recurring time during which a group keeps more nodes. Of windows that
// overlap the highest holds.
type Window struct {
	// Cron says when it opens: minute, hour, day of month, month, day of week.
	Cron string `json:"cron"`
	// Duration is how long it stays open, in time that passes: over a change to or from
	// daylight saving it ends an hour later or earlier by the clock.
	Duration Duration `json:"duration"`
	// Min is the least number of nodes while it is open.
	Min int `json:"min,omitempty"`
	// Share is the same as a share of the group's max, rounded up.
	Share float64 `json:"share,omitempty"`
	// Lead is how much earlier it opens, so that nodes are Ready at the hour. Default:
	// the group's boot time as measured, 3 minutes before there is a measure.
	Lead *Duration `json:"lead,omitempty"`
	// TimeZone of the cron expression. Default: schedule.timeZone.
	TimeZone string `json:"timeZone,omitempty"`
	// Holidays beside those of schedule.holidays.
	Holidays []string `json:"holidays,omitempty"`
}

// minShare is the smallest share a window may keep: less would round to one node.
const minShare = 0.01

// Least is how many nodes the window keeps in a group of that max.
func (w Window) Least(highest int) int {
	if w.Share > 0 {
		return min(highest, int(math.Ceil(w.Share*float64(highest)-1e-9)))
	}
	return min(highest, w.Min)
}

// Times compiles the window's cron expression, time zone, duration and holidays.
func (w Window) Times() (schedule.Window, error) {
	location, err := time.LoadLocation(w.TimeZone)
	if err != nil {
		return schedule.Window{}, fmt.Errorf("time zone %q: %w", w.TimeZone, err)
	}
	return schedule.New(w.Cron, location, time.Duration(w.Duration), w.Holidays)
}

// windowsWithDefaults gives every window the file's time zone and holidays.
func windowsWithDefaults(windows []Window, s Schedule) []Window {
	var out []Window
	for _, w := range windows {
		if w.TimeZone == "" {
			w.TimeZone = s.TimeZone
		}
		w.Holidays = slices.Concat(s.Holidays, w.Holidays)
		slices.Sort(w.Holidays)
		w.Holidays = slices.Compact(w.Holidays)
		out = append(out, w)
	}
	return out
}

func (d *decoder) checkSchedule(s Schedule) {
	d.checkTimeZone("schedule.timeZone", s.TimeZone)
	d.checkHolidays("schedule.holidays", s.Holidays)
}

func (d *decoder) checkWindows(path string, g Group) {
	for i, w := range g.Schedules {
		d.checkTimes(itemPath(path, i), w)
		d.checkLeast(itemPath(path, i), w, g)
	}
}

// checkTimes looks at when a window is open.
func (d *decoder) checkTimes(path string, w Window) {
	if at := path + ".cron"; d.sound(at) {
		if _, err := schedule.ParseCron(w.Cron); err != nil {
			d.complain(at, err.Error(), `write minute, hour, day of month, month and day of week, such as "0 15 * * 1-5"`)
		}
	}
	if at := path + ".duration"; d.sound(at) && w.Duration == 0 {
		d.complain(at, "a window of no length is never open", `write how long it stays open, such as "2h"`)
	}
	d.checkTimeZone(path+".timeZone", w.TimeZone)
	d.checkHolidays(path+".holidays", w.Holidays)
	if !d.known(path+".timeZone") && !d.known("schedule.timeZone") && d.sound(path) {
		d.complain(path, "says nothing of the time zone", `write "timeZone: Asia/Shanghai" here, or under schedule for all windows`)
	}
}

// checkLeast looks at what the window keeps: a number or a share, and no more than the
// group may have.
func (d *decoder) checkLeast(path string, w Window, g Group) {
	minAt, shareAt := path+".min", path+".share"
	switch {
	case d.known(minAt) && d.known(shareAt):
		d.complain(path, "has both min and share", "keep one of them")
	case !d.known(minAt) && !d.known(shareAt) && d.sound(path):
		d.complain(path, "keeps nothing", "write min, a number of nodes, or share, a part of the group's max")
	}
	if d.sound(minAt) && w.Min < 0 {
		d.complain(minAt, fmt.Sprintf("min %d is negative", w.Min), "write 0 or more")
	}
	if d.sound(minAt) && w.Min > g.Max && g.Max >= 0 {
		d.complain(minAt, fmt.Sprintf("min %d is more than the group's max %d", w.Min, g.Max), "lower it or raise max")
	}
	if d.sound(shareAt) && (w.Share < minShare || w.Share > 1) {
		d.complain(shareAt, fmt.Sprintf("%v is no share of max", w.Share), "write a number from 0.01 to 1, such as 0.5")
	}
}

func (d *decoder) checkTimeZone(path, name string) {
	if !d.sound(path) {
		return
	}
	// Local is the machine's, which nobody who reads the file knows.
	if _, err := time.LoadLocation(name); err != nil || name == "" || name == "Local" {
		d.complain(path, fmt.Sprintf("%s is no time zone", quoted(name)), "write a name of the IANA database such as Asia/Shanghai, or UTC")
	}
}

func (d *decoder) checkHolidays(path string, days []string) {
	for i, day := range days {
		at := itemPath(path, i)
		if _, err := time.Parse(schedule.DayForm, day); d.sound(at) && err != nil {
			d.complain(at, fmt.Sprintf("%s is no day", quoted(day)), `write a day in quotes, such as "2026-10-01"`)
		}
	}
}
