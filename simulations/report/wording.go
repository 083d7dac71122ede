package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// waitText is a wait of so many seconds in at most six characters.
func waitText(s float64) string {
	d := time.Duration(math.Round(s)) * time.Second
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
	case d < 100*time.Hour:
		return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%dd%02dh", int(d.Hours())/24, int(d.Hours())%24)
}

// percentText is a share with as many digits as tell it from 0 and 1.
func percentText(share float64) string {
	p := 100 * share
	switch {
	case p == 0:
		return "0%"
	case p < 0.05:
		return "<0.1%"
	case p < 9.95 || p > 99 && p < 100:
		return fmt.Sprintf("%.1f%%", p)
	}
	return fmt.Sprintf("%.0f%%", p)
}

// figureText is a number with three or four digits that count.
func figureText(x float64) string {
	switch a := math.Abs(x); {
	case x == math.Trunc(x) && a < 1e7:
		return strconv.FormatFloat(x, 'f', 0, 64)
	case a < 1:
		return strconv.FormatFloat(x, 'g', 3, 64)
	case a < 100:
		return strconv.FormatFloat(x, 'f', 2, 64)
	case a < 10000:
		return strconv.FormatFloat(x, 'f', 1, 64)
	}
	return strconv.FormatFloat(x, 'f', 0, 64)
}

// shown is a text that may stand in a line of a terminal: a job's name must not move
// the cursor. It is cut to so many characters.
func shown(s string, most int) string {
	s = strings.TrimSpace(strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, s))
	if runes := []rune(s); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return s
}

// left and right pad to a width in characters.
func left(s string, width int) string {
	return s + strings.Repeat(" ", max(width-utf8.RuneCountInString(s), 0))
}

func right(s string, width int) string {
	return strings.Repeat(" ", max(width-utf8.RuneCountInString(s), 0)) + s
}
