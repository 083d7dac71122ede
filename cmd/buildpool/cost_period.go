package main

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/nodegroups/config"
)

// costPeriod reads the flags that say which period is meant.
func costPeriod(f costFlags, cfg config.Config, now time.Time) (costTime, error) {
	zone := cmp.Or(f.zone, cfg.Schedule.TimeZone, "UTC")
	location, err := time.LoadLocation(zone)
	if err != nil || zone == "Local" {
		return costTime{}, fmt.Errorf("--time-zone is %q, but must be a name such as Asia/Shanghai", zone)
	}
	p := costTime{until: now, location: location}
	if p.since, err = parseMoment("--since", f.since, now, location); err != nil {
		return costTime{}, err
	}
	if f.until != "" {
		if p.until, err = parseMoment("--until", f.until, now, location); err != nil {
			return costTime{}, err
		}
		if p.until.After(now) {
			p.until = now
		}
	}
	switch {
	case !p.since.Before(p.until):
		return costTime{}, fmt.Errorf("the period is empty: it begins at %s and ends at %s", stamp(p.since, location), stamp(p.until, location))
	case now.Sub(p.since) > cloudprovider.ActivitiesKept:
		return costTime{}, fmt.Errorf("--since is %s, but the cloud remembers scaling activities for %d days only",
			stamp(p.since, location), int(cloudprovider.ActivitiesKept.Hours()/24))
	}
	return p, nil
}

func stamp(t time.Time, location *time.Location) string { return t.In(location).Format(time.RFC3339) }

// parseMoment reads a day, a time, or an age in days or as a duration.
func parseMoment(flag, text string, now time.Time, location *time.Location) (time.Time, error) {
	if day, err := time.ParseInLocation(time.DateOnly, text, location); err == nil {
		return day, nil
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, nil
	}
	if number, isDays := strings.CutSuffix(text, "d"); isDays {
		if days, err := strconv.Atoi(number); err == nil && days > 0 {
			return now.Add(-time.Duration(days) * 24 * time.Hour), nil
		}
	}
	if age, err := time.ParseDuration(text); err == nil && age > 0 {
		return now.Add(-age), nil
	}
	return time.Time{}, fmt.Errorf("%s is %q, but must be a day (2026-11-01), a time (2026-11-01T09:00:00Z) or an age (7d, 36h)", flag, text)
}
