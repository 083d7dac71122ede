package recommend

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/buildpool/buildpool/simulations/report"
	"github.com/buildpool/buildpool/simulations/workload"
)

// ErrSLO is returned for a text that is no service level.
var ErrSLO = errors.New("no service level")

// SLO is a service level: a figure of the waits and its limit, such as p95<60s.
type SLO struct {
	// Class whose builds count; empty: all builds.
	Class string
	// Measure is p with a percentile, mean, or max.
	Measure string
	// Limit of the measure; OrEqual: the limit itself is good enough.
	Limit   time.Duration
	OrEqual bool
}

var sloForm = regexp.MustCompile(`^(?:([a-z][a-z0-9-]*):)?(p[0-9]+(?:\.[0-9]{1,3})?|mean|max)(<=?)([0-9].*)$`)

// ParseSLO reads a service level: [CLASS:]MEASURE<LIMIT, with the measures p50, p99.9
// and so on, mean and max, and a limit in Go's durations. It returns ErrSLO if the text
// is none.
func ParseSLO(text string) (SLO, error) {
	m := sloForm.FindStringSubmatch(strings.ReplaceAll(text, " ", ""))
	if m == nil {
		return SLO{}, fmt.Errorf("%q: write one such as p95<60s or gpu:p99<=5m: %w", text, ErrSLO)
	}
	limit, err := time.ParseDuration(m[4])
	if err != nil || limit <= 0 {
		return SLO{}, fmt.Errorf("%q: %q is no duration above 0, such as 60s: %w", text, m[4], ErrSLO)
	}
	s := SLO{Class: m[1], Measure: m[2], Limit: limit, OrEqual: m[3] == "<="}
	if p := s.percentile(); s.Measure[0] == 'p' && (p <= 0 || p > 100) {
		return SLO{}, fmt.Errorf("%q: %s is no percentile: %w", text, s.Measure, ErrSLO)
	}
	return s, nil
}

func (s SLO) String() string {
	sign := "<"
	if s.OrEqual {
		sign = "<="
	}
	return s.Figure() + sign + durationText(s.Limit)
}

// Figure is the service level without its limit, such as gpu:p95.
func (s SLO) Figure() string {
	if s.Class == "" {
		return s.Measure
	}
	return s.Class + ":" + s.Measure
}

// MarshalText writes it as ParseSLO reads it.
func (s SLO) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText is ParseSLO.
func (s *SLO) UnmarshalText(text []byte) error {
	parsed, err := ParseSLO(string(text))
	*s = parsed
	return err
}

// Met reports whether a value of the figure is good enough.
func (s SLO) Met(value time.Duration) bool {
	return value < s.Limit || s.OrEqual && value == s.Limit
}

func (s SLO) percentile() float64 {
	p, _ := strconv.ParseFloat(s.Measure[1:], 64) // mean and max have none
	return p
}

// countsIn complains of a class that no build of the trace has, which any setting would
// serve well.
func (s SLO) countsIn(trace workload.Trace) error {
	var known []string
	for _, b := range trace.Builds {
		for _, class := range trace.Shapes[b.Shape].Classes {
			if class == s.Class {
				return nil
			}
			if !slices.Contains(known, class) {
				known = append(known, class)
			}
		}
	}
	if s.Class == "" {
		return nil
	}
	slices.Sort(known)
	return fmt.Errorf("%s: the trace has no build of class %q; its classes are %s: %w", s, s.Class, strings.Join(known, ", "), ErrSLO)
}

// value is the figure of waits, which are by build of the trace.
func (s SLO) value(trace workload.Trace, waits []time.Duration) time.Duration {
	counted := make([]time.Duration, 0, len(waits))
	for n, wait := range waits {
		if s.Class == "" || slices.Contains(trace.Shapes[trace.Builds[n].Shape].Classes, s.Class) {
			counted = append(counted, wait)
		}
	}
	slices.Sort(counted)
	return s.of(counted)
}

// of takes waits in ascending order.
func (s SLO) of(sorted []time.Duration) time.Duration {
	switch s.Measure {
	case "mean":
		return mean(sorted)
	case "max":
		return report.Percentile(sorted, 100)
	}
	return report.Percentile(sorted, s.percentile())
}

func mean(waits []time.Duration) time.Duration {
	if len(waits) == 0 {
		return 0
	}
	var sum time.Duration
	for _, w := range waits {
		sum += w
	}
	return sum / time.Duration(len(waits))
}

// durationText is a duration without the zeroes that Go writes behind whole minutes.
func durationText(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
