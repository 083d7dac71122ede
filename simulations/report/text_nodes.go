package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/buildpool/buildpool/simulations/baseline"
)

func (p *page) nodes(r Report) {
	p.title(fmt.Sprintf("%-18s %5s %7s %7s %7s %7s %7s %6s %6s", "Nodes", "peak", "hours", "busy", "idle", "boot", "ending", "added", "CPU"))
	row := func(name string, c Capacity) {
		h := c.NodeHours
		p.line("%s %5d %7s %7s %7s %7s %7s %6d %6s", left(shown(name, 18), 18), c.PeakNodes, figureText(h.Billed),
			hoursText(h.Busy), hoursText(h.Idle), hoursText(h.Boot), hoursText(h.Ending), c.NodesAdded, percentText(c.Utilisation.CPU))
	}
	for _, g := range r.Groups {
		row(g.Name, g.Capacity)
	}
	c := r.Capacity
	if len(r.Groups) != 1 {
		row("all", c)
	}
	p.line("%d scale-ups, %d scale-downs, %d failed, %d reclaimed; mean life %s",
		c.ScaleUps, c.ScaleDowns, c.Failed, c.Reclaimed, waitText(c.Churn.LifeMinutes*60))
}

// virtual tells of the virtual node, if there is one.
func (p *page) virtual(r Report) {
	v := r.Virtual
	if v == nil {
		return
	}
	p.title(fmt.Sprintf("%-18s %7s %7s %9s %6s", "Virtual node", "builds", "hours", "cost", "peak"))
	for _, c := range v.Classes {
		var reasons []string
		for _, m := range c.Reasons {
			reasons = append(reasons, fmt.Sprintf("%d %s", m.Builds, string(m.Reason)))
		}
		p.line("%s %7d %7s %9s %6d", left(string(c.Class), 18), c.Builds, hoursText(c.PodHours), figureText(c.Cost), c.PeakPods)
		if len(reasons) > 0 {
			p.line("%s", p.in(faint, shown("  moved: "+strings.Join(reasons, ", "), textWidth)))
		}
	}
	p.line("%s of all builds moved; they waited p50 %s, p95 %s", percentText(v.Share), waitText(v.Waits.P50), waitText(v.Waits.P95))
}

// hoursText is short: parts of hours only where there are few.
func hoursText(h float64) string {
	if h < 1000 {
		return fmt.Sprintf("%.1f", h)
	}
	return fmt.Sprintf("%.0f", h)
}

func (p *page) costs(r Report) {
	currency := r.Currency
	if currency == "" {
		currency = "(no currency)"
	}
	c := r.Capacity.Cost
	p.title(fmt.Sprintf("Cost: %s %s, %s a build, %s of it waste", figureText(c.Total), currency, figureText(c.PerBuild), percentText(c.Waste)))
	if c.Total == 0 {
		return
	}
	for _, part := range []struct {
		name string
		cost float64
		in   string
	}{{"busy", c.Busy, green}, {"idle", c.Idle, yellow}, {"boot", c.Boot, blue}, {"ending", c.Ending, faint}, {"virtual node", c.Virtual, bold}} {
		if part.name == "virtual node" && r.Virtual == nil {
			continue
		}
		p.line("%s %s %6s %10s", left("  "+part.name, 18), p.drawn(part.in, bar(part.cost/c.Total, 40)), percentText(part.cost/c.Total), figureText(part.cost))
	}
	if len(r.Groups) < 2 && r.Virtual == nil {
		return
	}
	for _, g := range r.Groups {
		p.line("%s %s %6s %10s", left(shown(g.Name, 18), 18), bar(g.Cost.Total/c.Total, 40), percentText(g.Cost.Total/c.Total), figureText(g.Cost.Total))
	}
}

var baselineTexts = map[string]string{
	baseline.StaticPeak:     "static pool, nobody waits",
	baseline.StaticEqualP95: "static pool, equal p95",
	baseline.Clairvoyant:    "clairvoyant, nobody waits",
	baseline.LowerBound:     "lower bound",
}

func (p *page) baselines(r Report) {
	if len(r.Baselines) == 0 {
		return
	}
	most := r.Capacity.Cost.Total
	for _, b := range r.Baselines {
		most = max(most, b.Cost)
	}
	p.title(fmt.Sprintf("%-26s %5s %9s %6s", "Against other pools", "peak", "cost", "p95"))
	row := func(name string, peak int, cost, p95 float64) {
		p.line("%s %5d %9s %6s %s", left(name, 26), peak, figureText(cost), waitText(p95), bar(cost/max(most, 1e-9), 28))
	}
	row("this run", r.Capacity.PeakNodes, r.Capacity.Cost.Total, r.Waits.P95)
	for _, b := range r.Baselines {
		row(baselineText(b.Name), b.PeakNodes, b.Cost, b.P95Seconds)
	}
}

func baselineText(name string) string {
	if text, ok := baselineTexts[name]; ok {
		return text
	}
	return name
}

func (p *page) timeline(r Report) {
	if r.Timeline == nil {
		return
	}
	for _, c := range []struct {
		title  string
		values []int32
	}{{"Nodes billed", r.Timeline.Nodes.High}, {"Builds pending", r.Timeline.Pending.High}} {
		p.title(c.title)
		const height = 5
		label := len(fmt.Sprint(max(slices.Max(c.values), 1)))
		width := textWidth - label - 2
		for _, line := range columns(c.values, width, height) {
			p.line("%s", line)
		}
		p.line("%s", p.in(faint, strings.Repeat(" ", label+2)+clockLine(r.Start, r.span(), width)))
	}
}

// week is drawn of runs that show more than one day.
func (p *page) week(r Report) {
	days := 0
	for day := range 7 {
		if slices.Max(r.Week.Hours[day*24:day*24+24]) > 0 {
			days++
		}
	}
	if days < 2 {
		return
	}
	arrivals, waits := slices.Max(r.Week.Arrivals), slices.Max(r.Week.WaitP95)
	p.title(fmt.Sprintf("%-4s%-36s%s", "", fmt.Sprintf("Arrivals, most %s an hour", figureText(arrivals)), "Wait p95, most "+waitText(waits)))
	for day, name := range []string{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"} {
		var a, b strings.Builder
		for hour := day * 24; hour < day*24+24; hour++ {
			a.WriteRune(shade(r.Week.Arrivals[hour], arrivals))
			b.WriteRune(shade(r.Week.WaitP95[hour], waits))
		}
		p.line("%s ▕%s▏%s▕%s▏", name, a.String(), strings.Repeat(" ", 10), b.String())
	}
	hours := "0     6     12    18    "
	p.line("%s", p.in(faint, "     "+hours+strings.Repeat(" ", 12)+hours))
}
