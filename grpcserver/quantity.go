package grpcserver

import (
	"math"
	"math/bits"
	"regexp"

	"k8s.io/apimachinery/pkg/api/resource"
)

// quantityForm is narrower than Kubernetes' own, which computes an exponent of any
// length digit by digit; whoever reaches the port may send one.
var quantityForm = regexp.MustCompile(`^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]{1,2})?$`)

const maxQuantityLength = 32

// parseQuantity reads a Kubernetes quantity, rounded up to units of which one whole
// has so many: 1000 for thousandths of a CPU. What does not fit is the largest that
// does, and less than nothing is nothing.
func parseQuantity(text []byte, units int64) (int64, error) {
	if n, ok := plainQuantity(text, units); ok {
		return n, nil
	}
	if len(text) > maxQuantityLength || !quantityForm.Match(text) {
		return 0, invalid("%.40q is no quantity", text)
	}
	q, err := resource.ParseQuantity(string(text))
	if err != nil {
		return 0, invalid("%q is no quantity", text)
	}
	if q.Sign() <= 0 {
		return 0, nil
	}
	if q.AsApproximateFloat64()*float64(units) >= math.MaxInt64/2 {
		return math.MaxInt64, nil
	}
	if units == 1000 {
		return q.MilliValue(), nil
	}
	return q.Value(), nil
}

// suffixes are how a quantity is mostly written, and how many whole ones each means.
var suffixes = map[string]uint64{
	"": 1, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30, "Ti": 1 << 40,
}

// plainQuantity reads the spellings that nearly every pod uses; ok is false for any
// other.
func plainQuantity(text []byte, units int64) (n int64, ok bool) {
	digits := 0
	value := uint64(0)
	for ; digits < len(text) && text[digits] >= '0' && text[digits] <= '9'; digits++ {
		value = value*10 + uint64(text[digits]-'0')
	}
	if digits == 0 || digits > 15 {
		return 0, false
	}
	if suffix := text[digits:]; string(suffix) == "m" && units == 1000 {
		return int64(value), true
	} else if scale, known := suffixes[string(suffix)]; known {
		high, low := bits.Mul64(value, scale*uint64(units))
		if high == 0 && low <= math.MaxInt64/2 {
			return int64(low), true
		}
	}
	return 0, false
}

// sum adds two numbers that are not negative; what does not fit is the largest that
// does.
func sum(a, b int64) int64 {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}
