package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/buildpool/buildpool/nodegroups"
	"github.com/buildpool/buildpool/nodegroups/usage"
)

const costKind = "Cost"

// costReport is what cost prints. Costs that are not known are nil.
type costReport struct {
	APIVersion string      `json:"apiVersion"`
	Kind       string      `json:"kind"`
	Since      time.Time   `json:"since"`
	Until      time.Time   `json:"until"`
	TimeZone   string      `json:"timeZone"`
	Label      string      `json:"label"`
	Days       []costDay   `json:"days"`
	Groups     []costGroup `json:"groups"`
	Totals     []costTotal `json:"totals"`
}

// costDay is a group on a day.
type costDay struct {
	Day           string   `json:"day"`
	Group         string   `json:"group"`
	Class         string   `json:"class"`
	Label         string   `json:"label"`
	InstanceHours float64  `json:"instanceHours"`
	Instances     int      `json:"instances"`
	Cost          *float64 `json:"cost"`

	price *priceReport // the group's
}

// costGroup is a group over the whole period.
type costGroup struct {
	Group         string       `json:"group"`
	Class         string       `json:"class"`
	Label         string       `json:"label"`
	InstanceHours float64      `json:"instanceHours"`
	Cost          *float64     `json:"cost"`
	Price         *priceReport `json:"price"`
	// Problem says why there is no price, or no history, or what is missing in it.
	Problem string `json:"problem"`
}

// costTotal is all groups of a label's value, in one currency.
type costTotal struct {
	Label         string  `json:"label"`
	InstanceHours float64 `json:"instanceHours"`
	Cost          float64 `json:"cost"`
	Currency      string  `json:"currency"`
	// Incomplete: there are hours whose price is not known.
	Incomplete bool `json:"incomplete"`
}

func newCostReport(period costTime, label string) costReport {
	return costReport{
		APIVersion: statusVersion, Kind: costKind, Since: period.since.UTC(), Until: period.until.UTC(),
		TimeZone: period.location.String(), Label: label,
		Days: []costDay{}, Groups: []costGroup{}, Totals: []costTotal{},
	}
}

// add takes a group in: what it came to on each day, and the instances whose end is not
// known.
func (r *costReport) add(status nodegroups.GroupStatus, label string, days []usage.Day, lost []string) {
	g := costGroup{Group: status.ID, Class: string(status.Class), Label: label, Price: priceOf(status.Price, status.PriceProblem)}
	switch {
	case status.Problem != "":
		g.Problem = "it could not be read: " + status.Problem
	case status.PriceProblem != "":
		g.Problem = "no price: " + status.PriceProblem
	case len(lost) > 0:
		g.Problem = fmt.Sprintf("no activity tells when these left, so they hardly count: %s", strings.Join(lost, ", "))
	}
	for _, d := range days {
		hours := d.Time.Hours()
		g.InstanceHours += hours
		r.Days = append(r.Days, costDay{
			Day: d.Begins.Format(time.DateOnly), Group: g.Group, Class: g.Class, Label: label,
			InstanceHours: hours, Instances: d.Instances, Cost: costAt(g.Price, hours), price: g.Price,
		})
	}
	g.Cost = costAt(g.Price, g.InstanceHours)
	r.Groups = append(r.Groups, g)
	r.total(g)
}

func costAt(price *priceReport, hours float64) *float64 {
	if price == nil {
		return nil
	}
	cost := price.PerHour * hours
	return &cost
}

// total adds the group to the total of its label and currency. Hours without a price
// belong to the label's total of whatever currency there is.
func (r *costReport) total(g costGroup) {
	for n := range r.Totals {
		t := &r.Totals[n]
		if t.Label != g.Label || g.Price != nil && t.Currency != "" && t.Currency != g.Price.Currency {
			continue
		}
		t.take(g)
		return
	}
	t := costTotal{Label: g.Label}
	t.take(g)
	r.Totals = append(r.Totals, t)
}

func (t *costTotal) take(g costGroup) {
	t.InstanceHours += g.InstanceHours
	if g.Price == nil {
		t.Incomplete = t.Incomplete || g.InstanceHours > 0
		return
	}
	t.Currency = g.Price.Currency
	t.Cost += *g.Cost
}
