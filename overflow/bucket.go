package overflow

import "time"

// The rate at which Alibaba Cloud takes new container groups: so many at once, and so
// many a second after that (ECI, "CreateContainerGroup", limits).
const (
	Burst     = 100
	PerSecond = 20
)

// Bucket is a token bucket, as a value. The zero Bucket is full.
type Bucket struct {
	// spent is how many tokens were missing at the instant.
	spent float64
	at    time.Time
}

// Available is how many tokens there are now, in whole ones.
func (b Bucket) Available(now time.Time) int { return int(Burst - b.missing(now)) }

// Take returns the bucket with n tokens less, which must be available.
func (b Bucket) Take(now time.Time, n int) Bucket {
	return Bucket{spent: b.missing(now) + float64(n), at: now}
}

func (b Bucket) missing(now time.Time) float64 {
	if !now.After(b.at) { // also of a clock that was set back
		return b.spent
	}
	return max(0, b.spent-PerSecond*now.Sub(b.at).Seconds())
}
