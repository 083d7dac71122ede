package nodegroups_test

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/ess/esssim"
	"github.com/buildpool/buildpool/ess/esssim/account"
)

// happen is what befalls the account.
func (p *player) happen(l *ledger, s step) string {
	switch s.act {
	case actWait:
		p.pause(s.wait)
	case actStock:
		p.stock([]int{0, 0, 1, 2, 5, -1}[s.pick%6])
		return fmt.Sprint([]int{0, 0, 1, 2, 5, -1}[s.pick%6])
	case actFault:
		p.inject(s.fault)
	case actRepair:
		p.account.ClearFaults()
	case actReclaim:
		return p.reclaim(l, s)
	case actSetByHand:
		return p.setByHand(l, s.pick%(l.spec.max+1))
	case actRemove:
		return p.removeByHand(l, s)
	case actPause:
		lifecycle := account.Inactive
		if l.before.lifecycle == account.Inactive {
			lifecycle = account.Active
		}
		p.edit(l, account.GroupChange{Lifecycle: &lifecycle})
		return string(lifecycle)
	}
	return ""
}

func (p *player) inject(f esssim.Fault) {
	require.NoError(p.t, p.account.InjectFault(f))
}

func (p *player) edit(l *ledger, c account.GroupChange) {
	require.NoError(p.t, p.account.Account().EditGroup(l.cloudID(), c))
}

// stock bounds what runs of both kinds at once; what runs already stays.
func (p *player) stock(n int) {
	for _, charge := range []string{"spot", "onDemand"} {
		require.NoError(p.t, setStock(p.account, charge, n))
	}
}

// reclaim lets the spot market take an instance back. In expected-number mode the
// cloud replaces it; without, our next absolute write does, if we have not heard of it.
func (p *player) reclaim(l *ledger, s step) string {
	if l.spec.class != "spot" || len(l.before.live) == 0 {
		return "none"
	}
	id := picked(sortedKeys(l.before.live), s.pick, 1)[0]
	if l.excused[id] {
		return "already"
	}
	notice := []time.Duration{0, 30 * time.Second, account.ReclaimNotice}[s.n%3]
	require.NoError(p.t, p.account.Reclaim(id, notice))
	l.excused[id] = true
	l.allowed++
	return fmt.Sprintf("%s in %s", id, notice)
}

// setByHand sets the desired number in the console. Lowered, the cloud chooses who
// goes; raised, it creates.
func (p *player) setByHand(l *ledger, n int) string {
	if l.spec.classic {
		return "no desired number"
	}
	p.edit(l, account.GroupChange{Desired: &n})
	l.step.byHand, l.handled = true, p.now()
	// A look that lags lets us take the change back once.
	l.allowed += max(n-l.before.desired, l.before.desired-n)
	l.victims += max(0, len(l.before.live)-n)
	return fmt.Sprintf("%d, was %d", n, l.before.desired)
}

// removeByHand removes an instance in the console: for good, or to be replaced.
func (p *player) removeByHand(l *ledger, s step) string {
	if len(l.before.live) == 0 {
		return "none"
	}
	id := picked(sortedKeys(l.before.live), s.pick, 1)[0]
	keep := s.n%2 == 0
	_, err := p.account.Account().RemoveInstances(account.Removal{GroupID: l.cloudID(), InstanceIDs: []string{id}, KeepDesired: keep})
	var refused *account.Error
	if errors.As(err, &refused) {
		return said(err)
	}
	require.NoError(p.t, err)
	l.step.byHand, l.handled = true, p.now()
	if l.named[id] {
		// A removal of ours got no answer, and what the hand did may be taken for it: the
		// activity does not tell whose it is.
		p.doubtful(l, 0, 1)
	}
	l.excused[id] = true
	l.allowed++
	return fmt.Sprintf("%s, to be replaced %t", id, keep)
}

// calmTime bounds, in virtual time, how long the numbers may take to agree once nothing
// goes wrong any more: the cloud repeats failed creations every 60 s, an instance takes
// 20 s to create and 10 s to remove, a list may lag for 30 s behind a write of ours.
const calmTime = 3 * time.Minute

// calm ends all trouble, and then the numbers have to agree. The stock comes back or
// does not: CA gives up what fails, and the numbers agree all the same.
func (p *player) calm(s step) string {
	p.account.ClearFaults()
	active := account.Active
	for _, l := range p.ledger {
		p.edit(l, account.GroupChange{Lifecycle: &active})
	}
	if !s.dryCalm() {
		p.stock(-1)
	}
	began := p.now()
	for {
		differs := ""
		for peer := range p.peers {
			p.turnTo(peer)
			p.loop()
		}
		for peer := range p.peers {
			p.turnTo(peer)
			differs += p.differs()
		}
		took := p.now().Sub(began)
		switch {
		case p.broken != nil:
			return ""
		case differs == "":
			p.slowest = max(p.slowest, took)
			for peer := range p.peers {
				p.turnTo(peer)
				for _, l := range p.ledger {
					p.settleBooks(l)
				}
			}
			return "after " + took.String()
		case took >= calmTime:
			p.violate("target, desired number and instances agree soon after the faults stop", "after %s: %s", took, differs)
			return ""
		}
		p.pause(10 * time.Second)
	}
}

// differs says what does not agree yet, empty if everything does.
func (p *player) differs() string {
	for _, l := range p.ledger {
		there := p.look(l)
		target, err := p.TargetSize(l.spec.name)
		if err != nil {
			return err.Error()
		}
		var listed []string
		for _, id := range p.candidates(l) {
			listed = append(listed, instanceID(id))
		}
		slices.Sort(listed)
		live := sortedKeys(there.live)
		switch {
		case target != len(live) || (!l.spec.classic && there.desired != target):
			return fmt.Sprintf("%s: target %d, desired %d, live %d", l.spec.name, target, there.desired, len(live))
		case len(p.failures(l)) > 0:
			return fmt.Sprintf("%s: placeholders %v", l.spec.name, p.failures(l))
		case !slices.Equal(listed, live):
			return fmt.Sprintf("%s: listed %v, live %v", l.spec.name, listed, live)
		}
	}
	return ""
}

// settleBooks closes the accounts: what was asked for is there, and nothing is owed.
func (p *player) settleBooks(l *ledger) {
	there := p.look(l)
	l.count(there)
	l.target, l.failed, l.served = len(there.live), 0, true
	l.allowed, l.victims = len(l.created)+l.awaited(p.now()), 0
	for id := range there.live {
		if l.excused[id] {
			l.allowed++ // it will be taken back, and replaced
		}
	}
}

// readAll is what CA reads in a loop.
func (p *player) readAll() {
	groups, err := p.NodeGroups()
	served := slices.DeleteFunc(slices.Clone(p.ledger), func(l *ledger) bool { return !l.served })
	if err != nil || len(groups) < len(served) {
		p.violate("reads never fail after the first snapshot", "NodeGroups: %d groups, %v", len(groups), err)
	}
	for _, l := range p.ledger {
		if _, err := p.TemplateNode(l.spec.name); err != nil && l.served && !errors.Is(err, cloudprovider.ErrNoTemplate) {
			p.violate("reads never fail after the first snapshot", "TemplateNode: %v", err)
		}
	}
	now := p.now()
	for _, i := range p.account.Account().Running() {
		if now.Sub(i.InService) < 20*time.Second {
			continue // its node has not joined
		}
		_, err := p.NodeGroupForNode(node("cn-hangzhou." + i.ID))
		switch {
		case err == nil:
			p.shown[i.ID] = now
		case !errors.Is(err, cloudprovider.ErrNotManaged):
			p.violate("reads never fail after the first snapshot", "NodeGroupForNode: %v", err)
		}
	}
}
