package main

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"strings"
	"time"
)

//go:embed page
var pageFiles embed.FS

var (
	pageTemplate = template.Must(template.ParseFS(pageFiles, "page/status.html"))
	pageStyle    = mustReadPage("page/status.css")
)

func mustReadPage(name string) template.CSS {
	content, err := pageFiles.ReadFile(name)
	if err != nil {
		panic(err)
	}
	return template.CSS(content) // #nosec G203 -- a file of ours, in the binary
}

// withPage answers / with a page for people beside what next answers. It only reads, and
// the page asks nothing of any network.
func withPage(next http.Handler, report func() statusReport) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", next)
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		var page bytes.Buffer
		if err := writePage(&page, report()); err != nil {
			http.Error(w, "the page cannot be made: "+err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		_, _ = page.WriteTo(w) // a reader that has gone misses nothing
	})
	return mux
}

func writePage(to *bytes.Buffer, r statusReport) error {
	return pageTemplate.Execute(to, newPageView(r))
}

// pageView is what the page shows, in the words in which it shows it.
type pageView struct {
	CSS                               template.CSS
	Title, Version, NotReady          string
	Ready, DryRun                     bool
	Snapshot, Autoscaler, ProviderIDs string
	LastError, TimeZone, Now          string
	NoticesProblem                    string
	Tiles                             []pageTile
	Groups                            []pageGroup
	Decisions                         []pageDecision
}

type pageTile struct{ Name, Value, More string }

type pageDecision struct{ Stamp, Time, Group, Text, Times string }

func newPageView(r statusReport) pageView {
	location, err := time.LoadLocation(r.TimeZone)
	if err != nil {
		location = time.UTC
	}
	v := pageView{
		CSS: pageStyle, Title: "ready", Version: r.Version, NotReady: r.NotReady, Ready: r.Ready, DryRun: r.DryRun, LastError: r.LastError,
		NoticesProblem: r.NoticesProblem,
		Snapshot:       "The account has not been read yet.", Autoscaler: "No autoscaler has called yet.",
		TimeZone: location.String(), Now: r.Now.In(location).Format("15:04:05 on 2 January 2006"),
	}
	if !r.Ready {
		v.Title = "not ready"
	}
	if r.Snapshot != nil {
		v.Snapshot = "The account as it was " + ageText(time.Duration(r.Snapshot.AgeSeconds*float64(time.Second))) + " ago."
	}
	if r.Client.Dialect != "" && r.Client.Dialect != "unknown" {
		v.Autoscaler = "cluster-autoscaler " + r.Client.Dialect + "."
	}
	v.ProviderIDs = fmt.Sprintf("Provider IDs are spelt %s (%s).", r.ProviderID.Form, r.ProviderID.Origin)
	v.Tiles = append(pageTiles(r.Groups), waitTiles(r.Waits)...)
	for _, g := range r.Groups {
		v.Groups = append(v.Groups, newPageGroup(g, r.Now, location))
	}
	for _, d := range r.Decisions {
		v.Decisions = append(v.Decisions, newPageDecision(d, r.Now, location))
	}
	return v
}

func newPageDecision(d decisionReport, now time.Time, location *time.Location) pageDecision {
	at, form := d.At.In(location), "15:04:05"
	if now.Sub(d.At) > 20*time.Hour {
		form = "2 Jan 15:04"
	}
	p := pageDecision{Stamp: d.At.Format(time.RFC3339), Time: at.Format(form), Group: d.Group, Text: strings.TrimSuffix(shown(d.Text), ".") + "."}
	if d.Times > 1 {
		p.Times = fmt.Sprintf("%d times", d.Times)
	}
	return p
}

// pageTiles add the groups up.
func pageTiles(groups []groupReport) []pageTile {
	running, coming, failed, target, served := 0, 0, 0, 0, 0
	for _, g := range groups {
		running, coming, failed, target = running+g.Instances.Running, coming+g.Instances.Creating, failed+g.Instances.Failed, target+g.Target
		if g.Served {
			served++
		}
	}
	tiles := []pageTile{
		{"Nodes that run", fmt.Sprint(running), fmt.Sprintf("of %d wanted", target)},
		{"On their way", fmt.Sprint(coming), ""},
		{"Could not be created", fmt.Sprint(failed), ""},
		{"Groups served", fmt.Sprint(served), fmt.Sprintf("of %d", len(groups))},
	}
	return append(tiles, costTiles(groups)...)
}

// costTiles add up what is known of the costs, in one tile per currency.
func costTiles(groups []groupReport) []pageTile {
	var tiles []pageTile
	sums, unknown, assumed := map[string]float64{}, 0, map[string]bool{}
	var currencies []string
	for _, g := range groups {
		if g.Cost == nil {
			if g.Instances.Running > 0 {
				unknown++
			}
			continue
		}
		if _, seen := sums[g.Cost.Currency]; !seen {
			currencies = append(currencies, g.Cost.Currency)
		}
		sums[g.Cost.Currency] += g.Cost.PerHour
		assumed[g.Cost.Currency] = assumed[g.Cost.Currency] || g.Cost.Assumed && g.Cost.PerHour > 0
	}
	for _, currency := range currencies {
		t := pageTile{Name: "Cost per hour", Value: fmt.Sprintf("%.2f", sums[currency]), More: currency}
		if assumed[currency] {
			t.Value = "~" + t.Value
		}
		if unknown > 0 {
			t.Value, t.More = "≥ "+t.Value, currency+", some unknown"
		}
		tiles = append(tiles, t)
	}
	return tiles
}

// waitTiles tell how long builds waited of late.
func waitTiles(w *waitsReport) []pageTile {
	if w == nil {
		return nil
	}
	name := fmt.Sprintf("Waits of the last %.3g hours", w.Hours)
	if w.Builds == 0 {
		return []pageTile{{name, "–", "no build began"}}
	}
	seconds := func(s float64) string { return ageText(time.Duration(s * float64(time.Second))) }
	t := pageTile{name, seconds(w.P50Seconds), fmt.Sprintf("half of %d; 95%%: %s", w.Builds, seconds(w.P95Seconds))}
	if w.TooLong > 0 {
		t.More += fmt.Sprintf("; %d above %s", w.TooLong, seconds(w.SLOSeconds))
	}
	return []pageTile{t}
}
