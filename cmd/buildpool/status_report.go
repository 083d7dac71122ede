package main

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/nodegroups"
	"github.com/buildpool/buildpool/nodegroups/floor"
)

// The version and kind of what GET /status answers. Fields are added to it, but none
// is renamed or removed within the version.
const (
	statusVersion = "buildpool/v1alpha1"
	statusKind    = "Status"
)

// statusReport is what a running server says of itself at GET /status. Every field is
// always there; what is not known is null or empty. Times are RFC 3339, in UTC.
type statusReport struct {
	APIVersion string           `json:"apiVersion"`
	Kind       string           `json:"kind"`
	Now        time.Time        `json:"now"`
	Version    string           `json:"version"`
	Ready      bool             `json:"ready"`
	NotReady   string           `json:"notReady"`
	DryRun     bool             `json:"dryRun"`
	Snapshot   *snapshotReport  `json:"snapshot"`
	LastError  string           `json:"lastError"`
	Client     clientReport     `json:"client"`
	ProviderID providerIDReport `json:"providerID"`
	// NoticesProblem says why the notices of spot instances are not seen; empty: they are.
	NoticesProblem string `json:"noticesProblem"`
	// TimeZone is whose clock the windows go by, for people.
	TimeZone string        `json:"timeZone"`
	Groups   []groupReport `json:"groups"`
	// Waits are null where the cluster is not watched.
	Waits *waitsReport `json:"waits"`
	// Overflow is null where the server moves no builds to a virtual node.
	Overflow *overflowReport `json:"overflow"`
	// Decisions are what was done and refused of late, newest first.
	Decisions []decisionReport `json:"decisions"`
}

// snapshotReport is how old the answers are.
type snapshotReport struct {
	Taken      time.Time `json:"taken"`
	AgeSeconds float64   `json:"ageSeconds"`
}

// clientReport is what is known of the autoscaler.
type clientReport struct {
	// Dialect is the releases that speak as the client does; "unknown" until it did.
	Dialect string `json:"dialect"`
}

type providerIDReport struct {
	Form   string `json:"form"`
	Origin string `json:"origin"`
}

type groupReport struct {
	Name         string          `json:"name"`
	Class        string          `json:"class"`
	ScalingGroup string          `json:"scalingGroup"`
	Served       bool            `json:"served"`
	Problem      string          `json:"problem"`
	Min          int             `json:"min"`
	MinReason    string          `json:"minReason"`
	Max          int             `json:"max"`
	MaxReason    string          `json:"maxReason"`
	Target       int             `json:"target"`
	Instances    instancesReport `json:"instances"`
	// Cooldown and Schedule are those in force; empty: none.
	Cooldown     string           `json:"cooldown"`
	Schedule     string           `json:"schedule"`
	Cooldowns    []cooldownReport `json:"cooldowns"`
	Windows      []windowReport   `json:"windows"`
	Price        *priceReport     `json:"price"`
	PriceProblem string           `json:"priceProblem"`
	// Cost is that of all running instances together, per hour.
	Cost        *priceReport `json:"cost"`
	CostProblem string       `json:"costProblem"`
	LastError   *errorReport `json:"lastError"`
	// Template is what a new node would be; null for the reason in TemplateProblem.
	Template        *templateReport `json:"template"`
	TemplateProblem string          `json:"templateProblem"`
	// Inactive says why the scaling group would not grow; empty: it would.
	Inactive string          `json:"inactive"`
	Troubles []troubleReport `json:"troubles"`
	// BootSeconds is how long new nodes take to join, as measured, and BootStartedSeconds
	// those whose instance was stopped before; 0: not known.
	BootSeconds        float64 `json:"bootSeconds"`
	BootStartedSeconds float64 `json:"bootStartedSeconds"`
	// Recycles: removed instances are stopped and kept.
	Recycles bool `json:"recycles"`
	// Coming are the nodes that are wanted and not Ready yet; every instance is among
	// them where the cluster is not watched.
	Coming []comingReport `json:"coming"`
	// Notices are the spot instances that are being taken back, and Reclaims how often that
	// happens; null: nothing is known.
	Notices  []noticeReport  `json:"notices"`
	Reclaims *reclaimsReport `json:"reclaims"`
}

// windowReport is one time that a warm window is open, now or in the hours around it.
type windowReport struct {
	Cron  string    `json:"cron"`
	Min   int       `json:"min"`
	From  time.Time `json:"from"`
	Until time.Time `json:"until"`
}

// cooldownReport is a timer that runs.
type cooldownReport struct {
	Kind  string    `json:"kind"`
	Until time.Time `json:"until"`
}

// decisionReport is a sentence about a group, and how often it came in a row.
type decisionReport struct {
	At    time.Time `json:"at"`
	Group string    `json:"group"`
	Text  string    `json:"text"`
	Times int       `json:"times"`
}

// instancesReport counts a group's instances; failed ones could not be created, and
// wait for the autoscaler to give them up.
type instancesReport struct {
	Running  int `json:"running"`
	Creating int `json:"creating"`
	Deleting int `json:"deleting"`
	Failed   int `json:"failed"`
	// Stopped ones are kept, are no capacity, and are started first.
	Stopped int `json:"stopped"`
}

type priceReport struct {
	PerHour  float64 `json:"perHour"`
	Currency string  `json:"currency"`
	Source   string  `json:"source"`
	// AsOf is null for a configured price.
	AsOf    *time.Time `json:"asOf"`
	Assumed bool       `json:"assumed"`
}

type errorReport struct {
	At      time.Time `json:"at"`
	Message string    `json:"message"`
}

// reportOn makes the report of the provider's status.
func reportOn(status nodegroups.Status, now time.Time, notReady, dialect string) statusReport {
	r := statusReport{
		APIVersion: statusVersion, Kind: statusKind, Now: now.UTC(), Version: thisBuild().Version,
		Ready: notReady == "", NotReady: notReady, DryRun: status.DryRun, LastError: status.LastError,
		Client:         clientReport{Dialect: dialect},
		ProviderID:     providerIDReport{Form: string(status.ProviderID.Form), Origin: string(status.ProviderID.Origin)},
		NoticesProblem: status.NoticesProblem,
		TimeZone:       cmp.Or(status.TimeZone, "UTC"),
		Groups:         make([]groupReport, 0, len(status.Groups)), Decisions: []decisionReport{},
	}
	if status.Ready {
		r.Snapshot = &snapshotReport{Taken: status.Taken.UTC(), AgeSeconds: now.Sub(status.Taken).Seconds()}
	}
	for _, g := range status.Groups {
		r.Groups = append(r.Groups, groupReport{
			Name: g.ID, Class: string(g.Class), ScalingGroup: g.ScalingGroupID,
			Served: status.Ready && g.Problem == "", Problem: g.Problem,
			Min: g.Min, MinReason: string(g.MinReason), Max: g.Max, MaxReason: string(g.MaxReason), Target: g.Target,
			Instances: instancesReport{Running: g.Running, Creating: g.Creating, Deleting: g.Deleting, Failed: g.Placeholders, Stopped: g.Stopped},
			Price:     priceOf(g.Price, g.PriceProblem), PriceProblem: g.PriceProblem,
			Cost: priceOf(g.Cost, g.CostProblem), CostProblem: g.CostProblem,
			LastError: errorOf(g.LastError), Cooldown: cooldownText(g.Floor, now), Schedule: scheduleText(g.Floor),
			Cooldowns: cooldownsOf(g.Floor), Windows: windowsOf(g.Windows),
			Template: templateOf(g), TemplateProblem: g.TemplateProblem, Inactive: g.Inactive,
			Troubles: troublesOf(g.Troubles), BootSeconds: g.Boot.Seconds(), BootStartedSeconds: g.BootStarted.Seconds(), Recycles: g.Recycles,
			Coming: comingOf(g.Coming), Notices: noticesOf(g.Notices), Reclaims: reclaimsOf(g),
		})
	}
	return r
}

func windowsOf(openings []floor.OpenWindow) []windowReport {
	out := make([]windowReport, 0, len(openings))
	for _, o := range openings {
		out = append(out, windowReport{Cron: o.Cron, Min: o.Least, From: o.From.UTC(), Until: o.Until.UTC()})
	}
	return out
}

func cooldownsOf(f floor.Floor) []cooldownReport {
	out := make([]cooldownReport, 0, len(f.Cooldowns))
	for _, t := range f.Cooldowns {
		out = append(out, cooldownReport{Kind: string(t.Kind), Until: t.Until.UTC()})
	}
	return out
}

// decisionsOf makes the report's list of the provider's decisions.
func decisionsOf(decisions []nodegroups.Decision) []decisionReport {
	out := make([]decisionReport, 0, len(decisions))
	for _, d := range decisions {
		out = append(out, decisionReport{At: d.At.UTC(), Group: d.Group, Text: d.Text, Times: d.Times})
	}
	return out
}

// cooldownText names the timer that runs longest.
func cooldownText(f floor.Floor, now time.Time) string {
	if len(f.Cooldowns) == 0 {
		return ""
	}
	last := slices.MaxFunc(f.Cooldowns, func(a, b floor.Timer) int { return a.Until.Compare(b.Until) })
	return fmt.Sprintf("%s, %s left", last.Kind, ageText(last.Until.Sub(now)))
}

// scheduleText names the window that is open, and when it closes on its own clock.
func scheduleText(f floor.Floor) string {
	if f.Window == nil {
		return ""
	}
	return fmt.Sprintf("min %d until %s", f.Window.Least, f.Window.Until.Format("15:04 MST"))
}

func priceOf(p cloudprovider.Price, problem string) *priceReport {
	if problem != "" {
		return nil
	}
	r := &priceReport{PerHour: p.PerHour, Currency: p.Currency, Source: p.Source, Assumed: p.Assumed}
	if !p.AsOf.IsZero() {
		asOf := p.AsOf.UTC()
		r.AsOf = &asOf
	}
	return r
}

func errorOf(e nodegroups.GroupError) *errorReport {
	if e.Message == "" {
		return nil
	}
	return &errorReport{At: e.At.UTC(), Message: e.Message}
}
