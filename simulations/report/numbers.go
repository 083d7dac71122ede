package report

import (
	"math"
	"time"
)

// Figures are rounded where they enter the report, far below what anybody acts on, so
// that they read well and equal runs have equal bytes.

func seconds(d time.Duration) float64 { return rounded(d.Seconds(), 1000) }

func hours(d time.Duration) float64 { return rounded(d.Hours(), 10000) }

func money(m float64) float64 { return rounded(m, 1e6) }

// share is part of whole, 0 where there is no whole.
func share(part, whole float64) float64 {
	if whole == 0 {
		return 0
	}
	return rounded(part/whole, 1e6)
}

// rounded keeps as many steps per unit.
func rounded(x, steps float64) float64 { return math.Round(x*steps) / steps }
