package baseline

import (
	"math"

	"github.com/buildpool/buildpool/simulations/engine"
)

// lowerBound is what the builds cost if every node were cut to measure in the resource
// that is dearest in all. Whatever runs a build has to pay for its CPU, and for its
// memory, and for its GPUs, at the best price that any group has which takes it.
//
// Groups that share no build, even by way of others, are bounded each for themselves:
// one may be short of memory and another of GPUs.
func lowerBound(settings engine.Settings) float64 {
	together := groupsTogether(settings)
	sums := make([][3]float64, len(settings.Groups))
	best := make([][3]float64, len(settings.Trace.Shapes)) // cost of an hour
	home := make([]int, len(settings.Trace.Shapes))
	for n, s := range settings.Trace.Shapes {
		home[n] = -1
		best[n] = [3]float64{math.Inf(1), math.Inf(1), math.Inf(1)}
		for m, g := range settings.Groups {
			if !takes(g, s) {
				continue
			}
			home[n] = together[m]
			for r, of := range resources {
				price := 0.0
				if asked := of(buildSize(s)); asked > 0 {
					price = float64(asked) / float64(of(nodeSize(g))) * g.PricePerHour
				}
				best[n][r] = min(best[n][r], price)
			}
		}
	}
	for _, b := range settings.Trace.Builds {
		if home[b.Shape] < 0 {
			continue
		}
		for r := range resources {
			sums[home[b.Shape]][r] += b.Duration.Hours() * best[b.Shape][r]
		}
	}
	total := 0.0
	for _, s := range sums {
		total += max(s[0], s[1], s[2])
	}
	return total
}

// groupsTogether gives groups that share builds, even by way of others, one number.
func groupsTogether(settings engine.Settings) []int {
	number := make([]int, len(settings.Groups))
	for n := range number {
		number[n] = n
	}
	for _, s := range settings.Trace.Shapes {
		first := -1
		for n, g := range settings.Groups {
			switch {
			case !takes(g, s):
			case first < 0:
				first = n
			default:
				from, to := number[n], number[first]
				for m := range number {
					if number[m] == from {
						number[m] = to
					}
				}
			}
		}
	}
	return number
}
