package main

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

func costJSON(r costReport) ([]byte, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(r)
	return out.Bytes(), err
}

var costColumns = []string{"day", "group", "class", "label", "instance_hours", "instances", "cost", "currency", "price_per_hour", "price_source", "price_assumed"}

func costCSV(r costReport) ([]byte, error) {
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	lines := [][]string{costColumns}
	for _, d := range r.Days {
		line := []string{d.Day, d.Group, d.Class, d.Label, strconv.FormatFloat(d.InstanceHours, 'f', 4, 64), strconv.Itoa(d.Instances), "", "", "", "", ""}
		if p := d.price; p != nil {
			line = append(line[:6], strconv.FormatFloat(*d.Cost, 'f', 4, 64), p.Currency, strconv.FormatFloat(p.PerHour, 'g', -1, 64), p.Source, strconv.FormatBool(p.Assumed))
		}
		lines = append(lines, line)
	}
	err := w.WriteAll(lines)
	return out.Bytes(), err
}

// costText is the report as a person reads it: days, then groups, then totals.
func costText(r costReport) ([]byte, error) {
	var out strings.Builder
	location, err := time.LoadLocation(r.TimeZone)
	if err != nil {
		return nil, err
	}
	const form = "2006-01-02 15:04"
	fmt.Fprintf(&out, "%s to %s, days of %s\n\n", r.Since.In(location).Format(form), r.Until.In(location).Format(form), r.TimeZone)
	if len(r.Days) > 0 {
		out.WriteString(costDayTable(r.Days) + "\n")
	}
	out.WriteString(costGroupTable(r))
	for _, g := range r.Groups {
		if g.Problem != "" {
			fmt.Fprintf(&out, "\n%s: %s", shown(g.Group), shown(g.Problem))
		}
	}
	if r.problems() {
		out.WriteString("\n")
	}
	return []byte(out.String()), nil
}

func (r costReport) problems() bool {
	return slices.ContainsFunc(r.Groups, func(g costGroup) bool { return g.Problem != "" })
}

func costDayTable(days []costDay) string {
	days = slices.Clone(days)
	slices.SortStableFunc(days, func(a, b costDay) int { return cmp.Compare(a.Day, b.Day) })
	var t table
	t.right = []bool{3: true, 4: true, 5: true}
	t.add("DAY", "GROUP", "CLASS", "INSTANCES", "HOURS", "COST")
	last := ""
	for _, d := range days {
		day := d.Day
		if day == last {
			day = ""
		}
		last = d.Day
		t.add(day, shown(d.Group), d.Class, strconv.Itoa(d.Instances), instanceHoursText(d.InstanceHours), moneyText(d.Cost, d.price))
	}
	return t.String()
}

func costGroupTable(r costReport) string {
	var t table
	t.right = []bool{3: true, 4: true, 5: true}
	t.add("GROUP", "CLASS", labelTitle(r.Label), "HOURS", "PRICE/H", "COST")
	for _, g := range r.Groups {
		t.add(shown(g.Group), g.Class, shown(g.Label), instanceHoursText(g.InstanceHours), priceText(g.Price), moneyText(g.Cost, g.Price))
	}
	for _, total := range r.Totals {
		cost := "?"
		if total.Currency != "" {
			cost = fmt.Sprintf("%.2f %s", total.Cost, shown(total.Currency))
			if total.Incomplete {
				cost = ">= " + cost
			}
		}
		t.add("total", "", shown(total.Label), instanceHoursText(total.InstanceHours), "", cost)
	}
	return t.String()
}

func labelTitle(label string) string {
	if label == "" {
		return ""
	}
	return strings.ToUpper(shown(label))
}

func instanceHoursText(h float64) string { return strconv.FormatFloat(h, 'f', 2, 64) }

func moneyText(cost *float64, price *priceReport) string {
	if cost == nil {
		return "?"
	}
	mark := ""
	if price.Assumed {
		mark = "~"
	}
	return fmt.Sprintf("%s%.2f %s", mark, *cost, shown(price.Currency))
}
