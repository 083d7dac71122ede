package main

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/buildpool/buildpool/nodegroups"
)

// pageGroup is a group's card. Positions are in percent of the width.
type pageGroup struct {
	Name, Class        string
	Running, Max       int
	Problem, Trouble   string
	BarText, StripText string
	Segments           []pageSegment
	Legend             []pageCount
	ShowFloor          bool
	FloorAt, TargetAt  percent
	Facts, Asides      []string
	NowAt              percent
	ShowStrip          bool
	Hours              []pageHour
	Windows, Cooldowns []pageSpan
}

// percent is a position that SVG can be given.
type percent float64

func (p percent) String() string { return fmt.Sprintf("%.3g", float64(p)) }

type pageSegment struct {
	Kind     string
	X, Width percent
}

type pageCount struct {
	Mark, Name string
	Count      int
}

type pageHour struct {
	X             percent
	Label, Anchor string
}

// pageSpan is a stretch of the strip. The label stands at its beginning, or at its end
// where the strip ends.
type pageSpan struct {
	X, Width      percent
	Label, Anchor string
	LabelAt       percent
	Dx            int
}

func newPageGroup(g groupReport, now time.Time, location *time.Location) pageGroup {
	p := pageGroup{Name: g.Name, Class: g.Class, Running: g.Instances.Running, Max: g.Max, Problem: g.Problem}
	p.drawBar(g)
	p.tell(g, now, location)
	if p.ShowStrip = len(g.Windows)+len(g.Cooldowns) > 0; p.ShowStrip {
		p.drawStrip(g, now, location)
	}
	if g.LastError != nil {
		p.Trouble = fmt.Sprintf("%s ago: %s", ageText(now.Sub(g.LastError.At)), shown(g.LastError.Message))
	}
	return p
}

// drawBar draws the group's nodes by state on a bar as long as its max.
func (p *pageGroup) drawBar(g groupReport) {
	i := g.Instances
	whole := max(1, g.Max, g.Target, i.Running+i.Creating+i.Failed+i.Deleting)
	at := func(n int) percent { return percent(100 * float64(n) / float64(whole)) }
	x := 0
	for _, s := range []struct {
		kind, name string
		count      int
	}{
		{"running", "running", i.Running}, {"creating", "creating", i.Creating},
		{"failed", "could not be created", i.Failed}, {"deleting", "leaving", i.Deleting},
	} {
		if s.count > 0 {
			p.Segments = append(p.Segments, pageSegment{Kind: s.kind, X: at(x), Width: at(s.count)})
		}
		if s.count > 0 || s.kind == "running" {
			p.Legend = append(p.Legend, pageCount{"i-" + s.kind, s.name, s.count})
		}
		x += s.count
	}
	p.TargetAt, p.FloorAt, p.ShowFloor = at(g.Target), at(g.Min), g.Min > 0 && g.Min != g.Target
	p.Legend = append(p.Legend, pageCount{"l i-target", "target", g.Target})
	if p.ShowFloor {
		p.Legend = append(p.Legend, pageCount{"l i-floor", "min", g.Min})
	}
	p.BarText = fmt.Sprintf("%d running, %d creating, %d could not be created, %d leaving; target %d, min %d, max %d",
		i.Running, i.Creating, i.Failed, i.Deleting, g.Target, g.Min, g.Max)
}

// tell says in sentences what holds for the group.
func (p *pageGroup) tell(g groupReport, now time.Time, location *time.Location) {
	if g.Problem != "" {
		return
	}
	p.Facts = append(p.Facts, floorText(g, now, location))
	if g.MaxReason == string(nodegroups.BoundScalingGroup) {
		p.Asides = append(p.Asides, fmt.Sprintf("At most %d: the scaling group's own max.", g.Max))
	}
	if text := stoppedText(g); text != "" {
		p.Asides = append(p.Asides, text+".")
	}
	if text := noticesText(g); text != "" {
		p.Facts = append(p.Facts, sentence(text))
	}
	if text := reclaimsText(g.Reclaims); text != "" {
		p.Asides = append(p.Asides, sentence(text))
	}
	for _, c := range g.Cooldowns {
		p.Asides = append(p.Asides, fmt.Sprintf("Cooldown %s: %s left.", c.Kind, ageText(c.Until.Sub(now))))
	}
	for _, w := range g.Windows {
		if w.From.After(now) {
			p.Asides = append(p.Asides, fmt.Sprintf("Next warm window: %d from %s to %s.", w.Min, w.From.In(location).Format("15:04"), w.Until.In(location).Format("15:04")))
			break
		}
	}
	if g.Price == nil {
		p.Asides = append(p.Asides, "Price not known: "+g.PriceProblem+".")
		return
	}
	price := fmt.Sprintf("%s a node and hour, %s.", priceText(g.Price), g.Price.Source)
	if g.Cost != nil && g.Cost.PerHour > 0 {
		price = fmt.Sprintf("%s an hour now; %s", priceText(g.Cost), price)
	}
	p.Asides = append(p.Asides, price)
}

// floorText is the group's min and what it comes from.
func floorText(g groupReport, now time.Time, location *time.Location) string {
	if g.Min == 0 {
		return "May go down to nothing."
	}
	return fmt.Sprintf("At least %d: %s.", g.Min, floorReason(g, now, location))
}

// floorReason says what the group's min comes from.
func floorReason(g groupReport, now time.Time, location *time.Location) string {
	switch nodegroups.BoundReason(g.MinReason) {
	case nodegroups.BoundSchedule:
		for _, w := range g.Windows {
			if w.Min == g.Min && !w.From.After(now) && w.Until.After(now) {
				return fmt.Sprintf("a warm window is open until %s", w.Until.In(location).Format("15:04"))
			}
		}
		return "a warm window is open"
	case nodegroups.BoundCooldown:
		if len(g.Cooldowns) == 0 {
			return "a cooldown holds the group's size"
		}
		last := slices.MaxFunc(g.Cooldowns, func(a, b cooldownReport) int { return a.Until.Compare(b.Until) })
		return fmt.Sprintf("a cooldown %s holds the group's size until %s", last.Kind, last.Until.In(location).Format("15:04"))
	case nodegroups.BoundScalingGroup:
		return "the scaling group's own min"
	case nodegroups.BoundMax:
		return "more was asked for, and this is its max"
	}
	return "as configured"
}

// labelRoom is the share of the strip that a window's label takes on a phone.
const labelRoom = 14

// drawStrip draws the hours around now: windows as blocks, cooldowns as a line.
func (p *pageGroup) drawStrip(g groupReport, now time.Time, location *time.Location) {
	from, until := now.Add(-nodegroups.StripBefore), now.Add(nodegroups.StripAfter)
	at := func(t time.Time) percent {
		return percent(math.Max(0, math.Min(100, 100*float64(t.Sub(from))/float64(until.Sub(from)))))
	}
	p.NowAt = at(now)
	local := from.In(location)
	for hour := time.Date(local.Year(), local.Month(), local.Day(), local.Hour()+1, 0, 0, 0, location); hour.Before(until); hour = hour.Add(time.Hour) {
		h := pageHour{X: at(hour), Anchor: "middle"}
		if hour.In(location).Hour()%6 == 0 {
			h.Label = hour.In(location).Format("15:04")
			if h.X < 6 {
				h.Anchor = "start"
			} else if h.X > 94 {
				h.Anchor = "end"
			}
		}
		p.Hours = append(p.Hours, h)
	}
	var told []string
	labelled := percent(-labelRoom) // where the last label begins
	for _, w := range g.Windows {
		s := pageSpan{X: at(w.From), Width: at(w.Until) - at(w.From), Anchor: "start", Dx: 6}
		left := s.X
		s.LabelAt = left
		if left > 100-labelRoom {
			left, s.LabelAt, s.Anchor, s.Dx = 100-labelRoom, 100, "end", -4
		}
		if left-labelled >= labelRoom {
			s.Label, labelled = fmt.Sprintf("min %d", w.Min), left
		}
		p.Windows = append(p.Windows, s)
		told = append(told, fmt.Sprintf("min %d from %s to %s", w.Min, w.From.In(location).Format("15:04"), w.Until.In(location).Format("15:04")))
	}
	for _, c := range g.Cooldowns {
		p.Cooldowns = append(p.Cooldowns, pageSpan{X: p.NowAt, Width: max(at(c.Until)-p.NowAt, 0.6)})
		told = append(told, fmt.Sprintf("cooldown %s until %s", c.Kind, c.Until.In(location).Format("15:04")))
	}
	p.StripText = "From 6 hours ago to 18 hours from now: " + strings.Join(told, "; ")
}

// sentence is a note as one.
func sentence(text string) string { return strings.ToUpper(text[:1]) + text[1:] + "." }
