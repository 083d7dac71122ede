package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// statusText is the report as a person reads it: how the server is, a table of the
// groups, and below it what needs a look.
func statusText(r statusReport) string {
	var out strings.Builder
	fmt.Fprintf(&out, "buildpool %s: %s\n", shown(r.Version), readyText(r))
	fmt.Fprintf(&out, "snapshot: %s   autoscaler: %s   provider IDs: %s (%s)\n",
		snapshotText(r.Snapshot), autoscalerText(r.Client), shown(r.ProviderID.Form), shown(r.ProviderID.Origin))
	if r.DryRun {
		out.WriteString("DRY RUN: no write is sent to the account\n")
	}
	if r.LastError != "" {
		fmt.Fprintf(&out, "last refresh failed: %s\n", shown(r.LastError))
	}
	out.WriteString("\n")
	if len(r.Groups) == 0 {
		out.WriteString("no node groups\n")
		return out.String()
	}
	out.WriteString(groupTable(r.Groups))
	if notes := statusNotes(r); len(notes) > 0 {
		out.WriteString("\n" + strings.Join(notes, "\n") + "\n")
	}
	return out.String()
}

func readyText(r statusReport) string {
	if r.Ready {
		return "ready"
	}
	return "NOT READY: " + shown(r.NotReady)
}

func snapshotText(s *snapshotReport) string {
	if s == nil {
		return "none yet"
	}
	return ageText(time.Duration(s.AgeSeconds*float64(time.Second))) + " old"
}

func autoscalerText(c clientReport) string {
	if c.Dialect == "" || c.Dialect == "unknown" {
		return "release not known yet"
	}
	return shown(c.Dialect)
}

// groupTable has one line per group.
func groupTable(groups []groupReport) string {
	var t table
	t.add("GROUP", "CLASS", "MIN", "", "MAX", "", "TARGET", "RUNNING", "CREATING", "DELETING", "FAILED", "PRICE/H", "COOLDOWN", "SCHEDULE", "SERVED")
	t.right = []bool{2: true, 4: true, 6: true, 7: true, 8: true, 9: true, 10: true, 11: true, 14: false}
	for _, g := range groups {
		t.add(shown(g.Name), shown(g.Class),
			strconv.Itoa(g.Min), shown(g.MinReason), strconv.Itoa(g.Max), shown(g.MaxReason), strconv.Itoa(g.Target),
			strconv.Itoa(g.Instances.Running), strconv.Itoa(g.Instances.Creating), strconv.Itoa(g.Instances.Deleting), strconv.Itoa(g.Instances.Failed),
			priceText(g.Price), orDash(g.Cooldown), orDash(g.Schedule), servedText(g))
	}
	return t.String()
}

func priceText(p *priceReport) string {
	if p == nil {
		return "?"
	}
	mark := ""
	if p.Assumed {
		mark = "~"
	}
	return fmt.Sprintf("%s%.4g %s", mark, p.PerHour, shown(p.Currency))
}

func servedText(g groupReport) string {
	if g.Served {
		return "yes"
	}
	return "NO"
}

// statusNotes are the lines below the table.
func statusNotes(r statusReport) []string {
	var notes []string
	if r.NoticesProblem != "" {
		notes = append(notes, "reclaim notices of spot instances are not seen: "+shown(r.NoticesProblem))
	}
	for _, g := range r.Groups {
		if g.Problem != "" {
			notes = append(notes, fmt.Sprintf("%s is not served: %s", shown(g.Name), shown(g.Problem)))
		}
		if text := stoppedText(g); text != "" {
			notes = append(notes, shown(g.Name)+": "+text)
		}
		for _, text := range []string{noticesText(g), reclaimsText(g.Reclaims)} {
			if text != "" {
				notes = append(notes, shown(g.Name)+": "+text)
			}
		}
		if g.LastError != nil {
			notes = append(notes, fmt.Sprintf("%s, %s ago: %s", shown(g.Name), ageText(r.Now.Sub(g.LastError.At)), shown(g.LastError.Message)))
		}
		if g.PriceProblem != "" && g.Problem == "" {
			notes = append(notes, fmt.Sprintf("%s has no price: %s", shown(g.Name), shown(g.PriceProblem)))
		}
	}
	return notes
}

// stoppedText says how many instances a recycling group keeps stopped, and what that is
// worth; empty for another group.
func stoppedText(g groupReport) string {
	if !g.Recycles {
		return ""
	}
	text := plural(g.Instances.Stopped, "instance") + " stopped, to be started first"
	if g.BootStartedSeconds > 0 {
		text += fmt.Sprintf("; such a node took %s to join", ageText(seconds(g.BootStartedSeconds)))
		if g.BootSeconds > 0 {
			text += fmt.Sprintf(", a new one %s", ageText(seconds(g.BootSeconds)))
		}
	}
	return text
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// ageText is a duration with one unit, or two while that says more.
func ageText(d time.Duration) string {
	switch d = max(d, 0); {
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < 10*time.Minute:
		return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
	case d < time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	}
	return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return shown(s)
}

// shown is a text that may stand in a line of a terminal: a message of the cloud's
// must not move the cursor.
func shown(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, s))
}

// shortened keeps a text that was not expected from filling the screen.
func shortened(s string) string {
	const most = 60
	runes := []rune(shown(s))
	if len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return string(runes)
}

// table aligns columns by their widest cell. Numbers stand to the right.
type table struct {
	rows  [][]string
	right []bool
}

func (t *table) add(cells ...string) { t.rows = append(t.rows, cells) }

func (t *table) String() string {
	var widths []int
	for _, row := range t.rows {
		for n, cell := range row {
			if n == len(widths) {
				widths = append(widths, 0)
			}
			widths[n] = max(widths[n], utf8.RuneCountInString(cell))
		}
	}
	var out strings.Builder
	for _, row := range t.rows {
		var line strings.Builder
		for n, cell := range row {
			pad := strings.Repeat(" ", widths[n]-utf8.RuneCountInString(cell))
			if n < len(t.right) && t.right[n] {
				cell = pad + cell
			} else {
				cell += pad
			}
			if n > 0 {
				line.WriteString("  ")
			}
			line.WriteString(cell)
		}
		out.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	return out.String()
}
