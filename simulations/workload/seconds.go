package workload

import (
	"math"
	"strconv"
	"time"
)

// parseSeconds reads a decimal number of seconds, exactly to the nanosecond; digits
// beyond are cut off. An exponent is understood too, as floating point.
func parseSeconds(s string) (time.Duration, bool) {
	digits, negative := s, false
	if len(digits) > 0 && (digits[0] == '-' || digits[0] == '+') {
		negative, digits = digits[0] == '-', digits[1:]
	}
	var whole, fraction int64
	unit := int64(time.Second)
	seen, point := false, false
	for i := range len(digits) {
		c := digits[i]
		switch {
		case c >= '0' && c <= '9':
			seen = true
			d := int64(c - '0')
			if !point {
				if whole = whole*10 + d; whole > maxSeconds {
					return 0, false
				}
			} else if unit /= 10; unit > 0 {
				fraction += d * unit
			}
		case c == '.' && !point:
			point = true
		case c == 'e' || c == 'E':
			return parseExponent(s)
		default:
			return 0, false
		}
	}
	if !seen {
		return 0, false
	}
	d := time.Duration(whole*int64(time.Second) + fraction)
	if negative {
		d = -d
	}
	return d, true
}

// maxSeconds is what a Duration holds, less one so that a fraction fits too.
const maxSeconds = math.MaxInt64/int64(time.Second) - 1

func parseExponent(s string) (time.Duration, bool) {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(f) || math.Abs(f) > float64(maxSeconds) {
		return 0, false
	}
	return time.Duration(math.Round(f * float64(time.Second))), true
}

// appendSeconds appends d in seconds with as many decimals as it takes.
func appendSeconds(to []byte, d time.Duration) []byte {
	if d < 0 {
		to = append(to, '-')
		d = -d
	}
	to = strconv.AppendInt(to, int64(d/time.Second), 10)
	fraction := int64(d % time.Second)
	if fraction == 0 {
		return to
	}
	to = append(to, '.')
	for unit := int64(time.Second) / 10; fraction > 0; unit /= 10 {
		to = append(to, byte('0'+fraction/unit))
		fraction %= unit
	}
	return to
}
