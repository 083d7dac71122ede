package report

import (
	"fmt"
	"io"
	"math"
	"strings"
	"unicode/utf8"
)

// WriteComparisonText writes a comparison for a terminal: a line per figure, the runs
// side by side, each but the first with what it is more or less. It is as wide as the
// runs need.
func WriteComparisonText(w io.Writer, c Comparison, options TextOptions) error {
	p := &page{colour: options.Colour}
	p.comparison(c)
	if _, err := io.WriteString(w, p.out.String()); err != nil {
		return fmt.Errorf("write comparison: %w", err)
	}
	return nil
}

const figureColumn = 30

func (p *page) comparison(c Comparison) {
	if len(c.Runs) == 0 {
		return
	}
	names := make([]string, len(c.Runs))
	widths := make([]int, len(c.Runs))
	for n, r := range c.Runs {
		names[n] = shown(r.Name, 28)
		if names[n] == "" {
			names[n] = fmt.Sprintf("run %d", n+1)
		}
		widths[n] = max(utf8.RuneCountInString(names[n]), 10)
	}
	var rows []Figure
	cells := map[string][]string{}
	for _, f := range c.Figures {
		if !anyBut0(f.Values) {
			continue
		}
		rows = append(rows, f)
		for n := range f.Values {
			cell := f.cell(n)
			cells[f.Name] = append(cells[f.Name], cell)
			widths[n] = max(widths[n], utf8.RuneCountInString(cell))
		}
	}
	var head strings.Builder
	head.WriteString(left("", figureColumn))
	for n, name := range names {
		head.WriteString("  " + right(name, widths[n]))
	}
	p.line("%s", p.in(bold, head.String()))
	for _, f := range rows {
		var line strings.Builder
		line.WriteString(left(f.label(), figureColumn))
		for n, cell := range cells[f.Name] {
			line.WriteString("  " + right("", widths[n]-utf8.RuneCountInString(cell)) + p.in(f.mark(n), cell))
		}
		p.line("%s", line.String())
	}
	p.differences(c, names)
}

func anyBut0(values []float64) bool {
	for _, v := range values {
		if v != 0 {
			return true
		}
	}
	return false
}

func (f Figure) label() string {
	switch f.Unit {
	case unitSeconds, unitShare, unitCount:
		return f.Name
	}
	if strings.HasPrefix(f.Name, f.Unit) || strings.Contains(f.Name, f.Unit) {
		return f.Name
	}
	return shown(f.Name+", "+f.Unit, figureColumn)
}

// cell is a value, and behind those of all runs but the first what it is more or less.
func (f Figure) cell(n int) string {
	text := f.text(f.Values[n])
	switch {
	case n == 0:
		return text
	case f.Deltas[n] == 0:
		return text + " (same)"
	}
	sign := "+"
	if f.Deltas[n] < 0 {
		sign = "-"
	}
	delta := sign + f.text(math.Abs(f.Deltas[n]))
	switch percent := f.Percents[n]; {
	case f.Unit == unitShare:
		points, digits := 100*math.Abs(f.Deltas[n]), 1
		if points < 0.05 {
			digits = 3
		}
		delta = fmt.Sprintf("%s%.*f points", sign, digits, points)
	case percent != nil:
		delta += fmt.Sprintf(", %+.1f%%", *percent)
	}
	return text + " (" + delta + ")"
}

func (f Figure) text(v float64) string {
	switch f.Unit {
	case unitSeconds:
		return waitText(v)
	case unitShare:
		return percentText(v)
	}
	return figureText(v)
}

// mark colours what is better or worse than in the first run.
func (f Figure) mark(n int) string {
	if n == 0 || f.Deltas[n] == 0 {
		return ""
	}
	less := f.Deltas[n] < 0
	switch f.Name {
	case "peak", "scale-ups", "scale-downs":
		return ""
	case "CPU utilisation":
		less = !less
	}
	if less {
		return green
	}
	return red
}

// differences lists the settings that are not the same in all runs.
func (p *page) differences(c Comparison, names []string) {
	rows := Differences(c.Runs...)
	if len(rows) == 0 {
		if len(c.Runs) > 1 {
			p.line("\nThe runs were made with the same settings.")
		}
		return
	}
	p.title("Settings that differ")
	for _, d := range rows {
		p.line("%s", shown(d.Name, textWidth))
		for n, value := range d.Values {
			p.line("  %s  %s", left(names[n], 28), shown(value, 120))
		}
	}
}
