package nodegroups

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/buildpool/buildpool/cloudprovider"
)

const (
	// onDemandEvery is how often a pay-as-you-go price is read: it changes a few times
	// a year.
	onDemandEvery = time.Hour
	// spotEvery is how often the spot prices of a type are read. Also how soon a
	// reading that failed for a passing reason is tried again.
	spotEvery = 10 * time.Minute
	// priceKept is how long the last good price of the cloud outranks the table and
	// the assumption although it cannot be read again.
	priceKept = 24 * time.Hour
	// priceReads is how many prices are read after one refresh: few enough to be lost
	// among a refresh's own calls. More that are due wait for the refreshes to come.
	priceReads = 4
)

// AssumedSpotShare is what a spot instance is taken to cost where nothing is known of
// its price, as a share of the on-demand price. An assumption, on the safe side of
// what is usual: examples in Alibaba Cloud's documentation show 10 to 13 %.
const AssumedSpotShare = 0.3

// priceKey is what one reading of the cloud answers.
type priceKey struct {
	instanceType string
	spot         bool
}

func (k priceKey) compare(other priceKey) int {
	switch {
	case k.instanceType != other.instanceType:
		return cmp.Compare(k.instanceType, other.instanceType)
	case k.spot == other.spot:
		return 0
	case k.spot:
		return -1
	}
	return 1
}

// quote is what is known of a key.
type quote struct {
	// asked is when the cloud was asked last, whatever came of it.
	asked time.Time
	// err is what came of it; nil: the prices are of that time.
	err error
	// byZone are the last good prices; an on-demand price is that of the zone "".
	byZone map[string]cloudprovider.Price
	// read is when byZone was read.
	read time.Time
}

// good reports whether the quote still has prices to go by.
func (q quote) good(now time.Time) bool { return len(q.byZone) > 0 && now.Sub(q.read) < priceKept }

// due reports whether the key is to be asked (again). A failure is remembered like
// an answer: it must not cost a call per refresh.
func (q quote) due(key priceKey, now time.Time) bool {
	if q.asked.IsZero() {
		return true
	}
	every := spotEvery
	if !key.spot && (q.err == nil || errors.Is(q.err, cloudprovider.ErrNoPrice)) {
		every = onDemandEvery
	}
	return now.Sub(q.asked) >= every
}

// priceBook remembers what the cloud said of prices. It holds what was wanted last
// and nothing else, so that it cannot grow. Safe for concurrent use.
type priceBook struct {
	mu     sync.RWMutex
	quotes map[priceKey]quote
}

// due drops what is not wanted any more and returns what is to be asked now, what
// was asked longest ago first, at most priceReads.
func (b *priceBook) due(wanted map[priceKey]bool, now time.Time) []priceKey {
	b.mu.Lock()
	defer b.mu.Unlock()
	kept := make(map[priceKey]quote, len(wanted))
	var due []priceKey
	for key := range wanted {
		q := b.quotes[key]
		kept[key] = q
		if q.due(key, now) {
			due = append(due, key)
		}
	}
	b.quotes = kept
	slices.SortFunc(due, func(x, y priceKey) int {
		return cmp.Or(kept[x].asked.Compare(kept[y].asked), x.compare(y))
	})
	return due[:min(len(due), priceReads)]
}

// record takes the outcome of a reading that began at that time. It reports whether
// the key began to fail.
func (b *priceBook) record(key priceKey, began time.Time, byZone map[string]cloudprovider.Price, err error) (newlyFailed bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	q, wanted := b.quotes[key]
	if !wanted {
		return false
	}
	newlyFailed = err != nil && q.err == nil
	q.asked, q.err = began, err
	if err == nil {
		q.byZone, q.read = byZone, began
	}
	b.quotes[key] = q
	return newlyFailed
}

func (b *priceBook) quote(key priceKey) quote {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.quotes[key]
}

// merchandise is what a group buys.
type merchandise struct {
	region string
	// instanceType is that of the template; others are those it may also add.
	instanceType string
	others       []string
	// zones are in the order in which the group tries them.
	zones []string
	spot  bool
	// spotShare is the share of the on-demand price to assume for a spot instance.
	spotShare float64
}

// price finds what one instance costs: by what ECS said, else by the shipped table,
// and a spot instance without a price of its own by an assumption on either.
func (b *priceBook) price(m merchandise, now time.Time) (cloudprovider.Price, error) {
	spot := b.quote(priceKey{m.instanceType, true})
	if m.spot && spot.good(now) {
		for _, zone := range m.zones {
			if p, ok := spot.byZone[zone]; ok {
				p.Source += " in " + zone
				return p, nil
			}
		}
	}
	list, err := b.listPrice(m, now)
	if err != nil || !m.spot {
		return list, err
	}
	list.PerHour *= m.spotShare
	list.Source = fmt.Sprintf("assumption: %.3g%% of the on-demand price (%s)", 100*m.spotShare, list.Source)
	list.Assumed = true
	return list, nil
}

// listPrice is the on-demand price.
func (b *priceBook) listPrice(m merchandise, now time.Time) (cloudprovider.Price, error) {
	q := b.quote(priceKey{m.instanceType, false})
	if q.good(now) {
		return q.byZone[""], nil
	}
	table, err := shippedTable()
	if err != nil {
		return cloudprovider.Price{}, fmt.Errorf("%w: %w", cloudprovider.ErrNoPrice, err)
	}
	if p, listed := table.price(m.region, m.instanceType); listed {
		return p, nil
	}
	why := fmt.Errorf("%s in %s is not in the %s: %w", m.instanceType, m.region, table.source, cloudprovider.ErrNoPrice)
	if q.err != nil {
		why = fmt.Errorf("%w: %w", why, q.err)
	}
	return cloudprovider.Price{}, why
}
