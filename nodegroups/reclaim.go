package nodegroups

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/nodegroups/config"
	"github.com/buildpool/buildpool/nodegroups/spot"
)

const (
	// noticeEvery is how often notices are asked for: of five minutes, a node needs most
	// of one to be made. noticeTime bounds the question.
	noticeEvery = 20 * time.Second
	noticeTime  = 4 * time.Second

	// refusedEvery is how long to wait after the account has refused to tell of notices:
	// a right that is lacking does not come by itself.
	refusedEvery = 10 * time.Minute

	// noticesKnown is how long the last answer holds for instances that have no notice.
	noticesKnown = 2 * time.Minute

	// partingTime is how long after its notice an instance that was let go must be gone.
	partingTime = 2 * spot.Notice
)

// notice is that of an instance that the cloud is about to take back.
type notice struct {
	since time.Time
	// settled: whether it is replaced ahead is decided, and need not be looked at again.
	settled bool
	// unneeded: it was said that nothing needs a replacement; that may change.
	unneeded bool
}

// followReclaims asks for the notices of the spot instances, and lets those go whose
// place is needed: the cloud then makes others, while they run on for as long as they may.
// What nodes say of themselves counts as well, and needs no right on the account.
func (p *Provider) followReclaims(ctx context.Context) {
	ids, asks := p.spotInstances()
	if len(ids) == 0 {
		return
	}
	answered := asks && p.askForNotices(ctx, ids)
	if expiring := p.expiring(ids); !answered && len(expiring) > 0 {
		p.recordNotices(slices.Concat(p.noticed(), expiring))
		answered = true
	}
	if !answered {
		return
	}
	for _, m := range p.withNotices() {
		p.replaceAhead(ctx, m)
	}
}

// askForNotices asks the account, and reports whether it answered.
func (p *Provider) askForNotices(ctx context.Context, ids []string) bool {
	asking, cancel := context.WithTimeout(ctx, noticeTime)
	defer cancel()
	told, err := p.Cloud.ReclaimNotices(asking, ids)
	if err != nil {
		p.noticesFailed(err)
		return false
	}
	p.mu.Lock()
	p.notices.read, p.notices.problem = p.Clock.Now(), ""
	p.mu.Unlock()
	p.recordNotices(slices.Concat(told, p.expiring(ids)))
	return true
}

// spotInstances returns those whose notices count, and whether it is time to ask the
// account about them.
func (p *Provider) spotInstances() (ids []string, asks bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.Clock.Now()
	for _, g := range p.cfg.Groups {
		m := p.members[g.Name]
		if m.problem != "" || g.Spot.OnReclaimNotice == config.ReclaimIgnored {
			continue
		}
		for _, i := range m.seen.instances {
			if i.Spot && live(i) && m.parted[i.ID].IsZero() {
				ids = append(ids, i.ID)
			}
		}
	}
	if now.Before(p.notices.next) {
		return ids, false
	}
	p.notices.next = now.Add(noticeEvery)
	if len(ids) == 0 {
		p.notices.read = now // there are none
	}
	return ids, true
}

// expiring are those of the instances whose nodes say that they are about to be taken
// back, if the cluster is seen.
func (p *Provider) expiring(ids []string) []string {
	if p.Cluster == nil || p.Cluster.Current() != nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool {
		return !slices.ContainsFunc(p.Cluster.NodesOf(id), func(n *cloudprovider.ClusterNode) bool { return n.Expiring })
	})
}

// noticed are the instances that have a notice.
func (p *Provider) noticed() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var ids []string
	for _, m := range p.members {
		ids = slices.AppendSeq(ids, maps.Keys(m.notices))
	}
	return ids
}

// noticeReads is how the asking for notices goes; Provider.mu owns it.
type noticeReads struct {
	// next is when to ask again, read when an answer last came.
	next, read time.Time
	// problem is why none came, empty if one did.
	problem string
}

func (p *Provider) noticesFailed(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if errors.Is(err, cloudprovider.ErrForbidden) {
		p.notices.next = p.Clock.Now().Add(refusedEvery)
		err = fmt.Errorf("%w; allow ecs:DescribeInstances, or set spot.onReclaimNotice to %s", err, config.ReclaimIgnored)
	}
	if p.notices.problem == "" {
		p.Log.Warn("reclaim notices are not seen: spot instances are replaced only after they are gone", "error", err)
	}
	p.notices.problem = err.Error()
}

// recordNotices takes an answer over: what is new is said, and what is not in it any
// more has been taken back.
func (p *Provider) recordNotices(noticed []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.Clock.Now()
	told := make(map[string]bool, len(noticed))
	for _, id := range noticed {
		told[id] = true
	}
	changed := false
	news := map[string][]string{}
	for name, m := range p.members {
		p.forgetParted(m, now)
		kept := map[string]notice{}
		var fresh []string
		for _, i := range m.seen.instances {
			before, known := m.notices[i.ID]
			switch {
			case !m.parted[i.ID].IsZero():
			case told[i.ID] && known:
				kept[i.ID] = before
			case told[i.ID]:
				kept[i.ID] = notice{since: now}
				fresh = append(fresh, i.ID)
			case known && live(i):
				p.Log.Info("the cloud has taken its notice back", "group", m.config.Name, "instance", i.ID)
				p.decided(m.config.Name, "the cloud keeps spot instance %s after all", i.ID)
			}
		}
		m.notices = kept
		if news[name] = fresh; len(fresh) > 0 {
			p.Log.Info("the cloud takes spot instances back", "group", m.config.Name, "instances", fresh, "within", spot.Notice)
			p.decided(m.config.Name, "the cloud takes %s back within %d minutes", named(fresh), int(spot.Notice.Minutes()))
			// That they vanish is no second reclaim.
			m.state = m.state.asking(fresh, now)
			m.state.health.Reclaimed.At, m.view, changed = now, nil, true
		}
	}
	p.tallyReclaims(news, now)
	if changed {
		p.publish()
	}
}

// named names spot instances for people: the first few by their IDs.
func named(ids []string) string {
	const few = 3
	switch n := len(ids); {
	case n == 1:
		return "spot instance " + ids[0]
	case n <= few:
		return "spot instances " + strings.Join(ids, ", ")
	default:
		return fmt.Sprintf("spot instances %s and %d more", strings.Join(ids[:few], ", "), n-few)
	}
}

// forgetParted forgets instances that were let go long enough ago to be gone. One whose
// node is alive all the same belongs to nobody any more. The caller holds mu.
func (p *Provider) forgetParted(m *member, now time.Time) {
	for id, since := range m.parted {
		if now.Sub(since) < partingTime {
			continue
		}
		delete(m.parted, id)
		if p.Cluster == nil || p.Cluster.Current() != nil {
			continue
		}
		for _, n := range p.Cluster.NodesOf(id) {
			if n.Ready == "True" {
				p.Log.Error("an instance that the cloud had announced to take back runs on, and no scaling group owns it any more: release it in the console",
					"group", m.config.Name, "instance", id, "node", n.Name)
				p.decided(m.config.Name, "instance %s was not taken back although that was announced, and no scaling group owns it any more: release it in the console", id)
			}
		}
	}
}

// withNotices returns the members that have instances to be replaced ahead.
func (p *Provider) withNotices() []*member {
	p.mu.Lock()
	defer p.mu.Unlock()
	var found []*member
	for _, g := range p.cfg.Groups {
		if m := p.members[g.Name]; len(m.notices) > 0 && m.problem == "" && g.Spot.OnReclaimNotice == config.ReclaimReplaced {
			found = append(found, m)
		}
	}
	return found
}

// demandFor tells who may need an instance in the place of this one. The caller holds mu.
func (p *Provider) demandFor(m *member, instanceID string) spot.Demand {
	d := spot.Demand{Target: m.state.target, Floor: p.floorOf(m, p.Clock.Now()).Min}
	if p.Cluster == nil || p.Cluster.Current() != nil {
		d.Unknown = true
		return d
	}
	builds, err := newBuilds(p.cfg.LastLook)
	if err != nil {
		d.Unknown = true
		return d
	}
	for _, n := range p.Cluster.NodesOf(instanceID) {
		for _, pod := range p.Cluster.PodsOn(n.Name) {
			if builds.counts(pod) {
				d.Running++
			}
		}
	}
	for _, pod := range p.Cluster.PodsOn("") {
		if builds.counts(pod) && mayTake(m.config, pod) {
			d.Waiting++
		}
	}
	return d
}

// mayTake reports whether nothing that the pod asks of labels speaks against the group.
func mayTake(g config.Group, pod *cloudprovider.Pod) bool {
	for key, want := range pod.NodeSelector {
		if has, ok := g.Labels[key]; ok && has != want {
			return false
		}
	}
	return true
}
