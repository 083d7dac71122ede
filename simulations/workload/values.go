package workload

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation"
)

// The most that one build may ask for: beyond is a slip of units, not a machine.
const (
	maxMilliCPU = 1_000_000 * 1000 // a million cores
	maxMemory   = 1 << 50          // 1Pi
	maxGPUs     = 100_000
)

// parseDuration reads seconds or a Go duration such as 1h30m. It may not be negative.
func parseDuration(field, s string) (time.Duration, *fault) {
	d, ok := parseSeconds(s)
	if !ok {
		var err error
		if d, err = time.ParseDuration(s); err != nil {
			return 0, &fault{field, "is no duration", s, "write seconds such as 90.5, or a Go duration such as 1m30s"}
		}
	}
	if d < 0 {
		return 0, &fault{field, "is negative", s, "write 0 or more"}
	}
	return d, nil
}

// instant is an arrival as it is written: after a start that stands elsewhere, or
// since 1970.
type instant struct {
	at       time.Duration
	absolute bool
	// offset is that of an RFC 3339 time in seconds; zoned tells that there is one.
	offset int
	zoned  bool
}

// unixFrom is where numbers stop being seconds after a start and are Unix times:
// 10^8 s are three years, longer than any trace, and in 1970 lie before 1974.
const unixFrom = 100_000_000 * time.Second

func parseInstant(field, s string) (instant, *fault) {
	if d, ok := parseSeconds(s); ok {
		if d < 0 {
			return instant{}, &fault{field, "is negative", s, "count seconds from the start, or write a Unix time or RFC 3339"}
		}
		return instant{at: d, absolute: d >= unixFrom}, nil
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return instant{}, &fault{field, "is no time", s, "write seconds such as 90.5, a Unix time in seconds, or RFC 3339 such as 2026-03-02T15:04:05Z"}
	}
	at, f := sinceEpoch(field, t)
	_, offset := t.Zone()
	return instant{at: at, absolute: true, offset: offset, zoned: true}, f
}

// sinceEpoch is t as a Duration since 1970, which reaches to 2262.
func sinceEpoch(field string, t time.Time) (time.Duration, *fault) {
	if y := t.UTC().Year(); y < 1970 || y > 2200 {
		return 0, &fault{field, "lies outside the years 1970 to 2200", t.Format(time.RFC3339), "check the source's clock and the unit (seconds or milliseconds)"}
	}
	return time.Duration(t.UnixNano()), nil
}

func parseCPU(field, s string) (int64, *fault) {
	q, f := parseQuantity(field, s)
	if f != nil {
		return 0, f
	}
	if q.CmpInt64(maxMilliCPU/1000) > 0 {
		return 0, &fault{field, "is more than a million cores", s, "write cores such as 2 or 500m"}
	}
	return q.MilliValue(), nil
}

func parseMemory(field, s string) (int64, *fault) {
	q, f := parseQuantity(field, s)
	if f != nil {
		return 0, f
	}
	if q.CmpInt64(maxMemory) > 0 {
		return 0, &fault{field, "is more than 1Pi", s, "write bytes with a unit, such as 4Gi"}
	}
	return q.Value(), nil
}

func parseGPUs(field, s string) (int64, *fault) {
	if s == "" {
		return 0, nil
	}
	q, f := parseQuantity(field, s)
	if f != nil {
		return 0, f
	}
	n, exact := q.AsInt64()
	if !exact || n > maxGPUs {
		return 0, &fault{field, "is no whole number of GPUs", s, "write a number such as 1, or nothing"}
	}
	return n, nil
}

func parseQuantity(field, s string) (resource.Quantity, *fault) {
	q, err := resource.ParseQuantity(s)
	if err != nil {
		return q, &fault{field, "is no Kubernetes quantity", s, "write one such as 500m, 2 or 4Gi"}
	}
	if q.Sign() < 0 {
		return q, &fault{field, "is negative", s, "write 0 or more"}
	}
	return q, nil
}

// parseClasses reads one class, or several that would do.
func parseClasses(field, s string) ([]string, *fault) {
	var classes []string
	for class := range strings.SplitSeq(s, "|") {
		class = strings.TrimSpace(class)
		if class == "" {
			return nil, &fault{field, "has an empty class", s, "write one class, or several as spot|normal"}
		}
		if f := checkText(field, class); f != nil {
			return nil, f
		}
		classes = append(classes, class)
	}
	return classes, nil
}

func parseLabels(field, s string) (map[string]string, *fault) {
	if strings.TrimSpace(s) == "" {
		return nil, nil
	}
	labels := map[string]string{}
	for pair := range strings.SplitSeq(s, ";") {
		key, value, ok := strings.Cut(pair, "=")
		if key = strings.TrimSpace(key); !ok {
			return nil, &fault{field, "is no list of labels", s, "write key=value, several as a=b;c=d"}
		}
		value = strings.TrimSpace(value)
		if f := checkLabel(field, key, value); f != nil {
			return nil, f
		}
		if _, twice := labels[key]; twice {
			return nil, &fault{field, "names a label twice", s, "a build needs one value of each label"}
		}
		labels[key] = value
	}
	return labels, nil
}

func checkLabel(field, key, value string) *fault {
	if len(validation.IsQualifiedName(key)) > 0 {
		return &fault{field, "is no label key", key, "write a Kubernetes label key such as example.com/disk"}
	}
	if len(validation.IsValidLabelValue(value)) > 0 {
		return &fault{field, "is no label value", value, "write at most 63 letters, digits, '-', '_' and '.'"}
	}
	return nil
}

// checkText refuses what would not survive being written and read again.
func checkText(field, s string) *fault {
	if !utf8.ValidString(s) {
		return &fault{field, "is not UTF-8", s, "convert the file to UTF-8"}
	}
	if strings.ContainsFunc(s, unicode.IsControl) {
		return &fault{field, "has a control character", s, "take it out"}
	}
	return nil
}
