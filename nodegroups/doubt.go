package nodegroups

import (
	"slices"
	"time"

	"github.com/buildpool/buildpool/cloudprovider"
)

// doubt is a write that got no answer: it may have happened or not. The activities
// tell, and it is never repeated before they do.
type doubt struct {
	// token is that of a write of the number, delta what it would add to the target, change
	// what it would add to the number the cloud holds: less than nothing for a debt that
	// lowers it.
	token         string
	delta, change int
	// ids are the instances of a removal.
	ids []string
	// asked is when the write began, at is when it was given up.
	asked, at time.Time
}

// unanswered records a write that may or may not have happened.
func (s groupState) unanswered(d doubt) groupState {
	s.doubts = append(slices.Clip(s.doubts), d)
	return s
}

// settleDoubts looks for the activities of the writes in doubt. One that is not found
// in settleTime did not happen.
func (s groupState) settleDoubts(o observation) groupState {
	if len(s.doubts) == 0 || o.activities == nil {
		return s
	}
	var left []doubt
	var removed []string
	for _, d := range s.doubts {
		a, found := s.activityOf(d, o)
		switch {
		case !found && o.began.Sub(d.at) < settleTime:
			left = append(left, d)
		case !found:
		case d.token != "":
			s.target += d.delta
			s = s.moved(s.held+d.change, d.at).square().replacedToo(d.change)
			if d.delta > 0 || d.change > 0 {
				s = s.expecting(a.ID, d.delta, d.at)
				s.raised, s.grew = d.at, d.at
			}
		default:
			s = s.removed(d.ids, d.at).removing(a.ID).replacedToo(-len(d.ids))
			removed = append(removed, d.ids...)
		}
	}
	s.doubts = withoutRemovals(left, removed)
	return s
}

// withoutRemovals leaves out the doubts whether these instances were removed: one of the
// removals was the one that did it.
func withoutRemovals(doubts []doubt, ids []string) []doubt {
	return slices.DeleteFunc(slices.Clone(doubts), func(d doubt) bool {
		return d.token == "" && !slices.ContainsFunc(d.ids, func(id string) bool { return !slices.Contains(ids, id) })
	})
}

// replacedToo adds what the numbers that our writes of late have replaced were if a write
// in doubt came before them.
func (s groupState) replacedToo(change int) groupState {
	replaced := slices.Clip(s.replaced)
	for _, n := range s.replaced {
		if with := n + change; with >= 0 && with != s.held && !slices.Contains(replaced, with) {
			replaced = append(replaced, with)
		}
	}
	s.replaced = replaced
	return s
}

// activityOf finds the activity of a write in doubt. A removal carries no mark, but
// its activity names what it removed, once it has ended. Until then the instances tell,
// or that more are being removed than the list shows.
func (s groupState) activityOf(d doubt, o observation) (cloudprovider.Activity, bool) {
	_, leaving := s.unlisted(o)
	staying := 0
	for _, i := range o.instances {
		if live(i) && slices.Contains(d.ids, i.ID) {
			staying++
		}
	}
	for _, a := range o.activities {
		switch {
		case a.Status == cloudprovider.ActivityRejected, !a.Asked, slices.Contains(s.ours, a.ID):
		case d.token != "":
			if signed, ok := signatureOf(a); ok && signed.Token == d.token {
				return a, true
			}
		case !slices.ContainsFunc(d.ids, func(id string) bool { return !slices.Contains(a.Removed, id) }):
			return a, true
		case a.Status == cloudprovider.ActivityInProgress && a.Requested == -len(d.ids) &&
			a.Started.Add(activityTimeStep).After(d.asked) && (staying == 0 || leaving >= len(d.ids)):
			return a, true
		}
	}
	return cloudprovider.Activity{}, false
}
