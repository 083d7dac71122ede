package nodegroups

import (
	"slices"
	"time"
)

const (
	// strangerResync is how often at most a node that we cannot place causes full
	// looks: a cluster may have other autoscaled nodes than ours.
	strangerResync = 30 * time.Second

	// fullLooksPerRefresh bounds how many groups are looked at in full at once, though
	// nothing moved. CA waits for a refresh, and the account has a rate limit: 200
	// groups take ten refreshes.
	fullLooksPerRefresh = 20
)

// fullLooksDue picks the groups whose instances are to be read although no counter
// moved: every ResyncEvery, and when CA showed us a node we cannot place; those that
// have waited longest first. Without a snapshot it is all of them.
func (p *Provider) fullLooksDue(members []*member, now time.Time) map[*member]bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.nodes.met.Load() && now.Sub(p.wanted) >= strangerResync {
		p.nodes.met.Store(false)
		p.wanted = now
	}
	var due []*member
	for _, m := range members {
		if m.looked.IsZero() || m.looked.Before(p.wanted) || now.Sub(m.looked) >= p.ResyncEvery {
			due = append(due, m)
		}
	}
	if p.current.Load() != nil && len(due) > fullLooksPerRefresh {
		slices.SortStableFunc(due, func(a, b *member) int { return a.looked.Compare(b.looked) })
		due = due[:fullLooksPerRefresh]
	}
	picked := make(map[*member]bool, len(due))
	for _, m := range due {
		picked[m] = true
	}
	return picked
}
