package report

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// Charts of block characters, for terminals.

var eighths = []rune(" ▁▂▃▄▅▆▇█")

// bar is a part of so many characters, in eighths of one.
func bar(share float64, width int) string {
	parts := []rune(" ▏▎▍▌▋▊▉█")
	filled := int(math.Round(min(max(share, 0), 1) * float64(width*8)))
	out := strings.Repeat("█", filled/8)
	if filled%8 > 0 {
		out += string(parts[filled%8])
	}
	return left(out, width)
}

// columns draws a figure over time with its axis: so many rows, each eight steps high.
func columns(values []int32, width, height int) []string {
	values = widened(values, width)
	most := int32(1)
	for _, v := range values {
		most = max(most, v)
	}
	label := len(fmt.Sprint(most))
	var lines []string
	for row := height - 1; row >= 0; row-- {
		var line strings.Builder
		switch row {
		case height - 1:
			line.WriteString(right(fmt.Sprint(most), label) + " ┤")
		case 0:
			line.WriteString(right("0", label) + " ┤")
		default:
			line.WriteString(right("", label) + " │")
		}
		for _, v := range values {
			// What is there at all shows at least the least block.
			filled := int(math.Ceil(float64(v)/float64(most)*float64(height*8))) - row*8
			line.WriteRune(eighths[min(max(filled, 0), 8)])
		}
		lines = append(lines, strings.TrimRight(line.String(), " "))
	}
	return lines
}

// widened takes the most of each column's share of the values.
func widened(values []int32, width int) []int32 {
	out := make([]int32, width)
	for n := range out {
		from := n * len(values) / width
		until := max((n+1)*len(values)/width, from+1)
		for _, v := range values[from:min(until, len(values))] {
			out[n] = max(out[n], v)
		}
	}
	return out
}

// clockLine labels a time axis of so many columns at its quarters.
func clockLine(start time.Time, span time.Duration, width int) string {
	line := []rune(strings.Repeat(" ", width))
	form := "Mon 15:04"
	if span >= 14*24*time.Hour {
		form = "Jan 2"
	}
	for quarter := range 4 {
		at := start.Add(span * time.Duration(quarter) / 4)
		copy(line[quarter*width/4:], []rune("╵"+at.Format(form)))
	}
	return strings.TrimRight(string(line), " ")
}

// shades are the cells of a heat map.
var shades = []rune(" ░▒▓█")

// shade is a cell for a value between 0 and the most.
func shade(value, most float64) rune {
	if value <= 0 || most <= 0 {
		return shades[0]
	}
	step := 1 + int(value/most*float64(len(shades)-1)*0.9999)
	return shades[min(step, len(shades)-1)]
}
