package nodegroups_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/ess/esssim"
	"github.com/buildpool/buildpool/ess/esssim/account"
)

// do makes a step happen and says how it went.
func (p *player) do(s step) string {
	l := p.group(s)
	switch s.act {
	case actLoop:
		return p.loop()
	case actRefresh:
		var both sync.WaitGroup
		both.Go(func() { _ = p.call(time.Minute, p.Refresh) })
		err := p.call(time.Minute, p.Refresh)
		both.Wait()
		if err != nil && p.ready {
			p.violate("reads never fail after the first snapshot", "Refresh: %v", err)
		}
		p.ready = p.ready || err == nil
		p.looked()
		return said(err)
	case actIncrease, actImpatient:
		room := l.spec.max - l.target
		if room < 1 {
			return "no room"
		}
		within := rpcTime
		if s.act == actImpatient {
			within = 100 * time.Millisecond
		}
		return p.increase(l, 1+(s.n-1)%room, within)
	case actExceed:
		return p.increase(l, []int{0, -1, l.spec.max + 1}[s.pick%3], rpcTime)
	case actDecrease:
		return p.decrease(l, s.n)
	case actStorm:
		return p.storm(l, s)
	case actDelete, actDeletes, actBatch, actTwice, actGone, actForeign, actFake, actGiveUp:
		return p.remove(l, s)
	case actCrash:
		return p.crash(l, s)
	case actRestart:
		p.Close()
		p.start()
		return ""
	case actCalm:
		return p.calm(s)
	}
	return p.happen(l, s)
}

func said(err error) string {
	if err == nil {
		return "ok"
	}
	return err.Error()
}

// loop is what CA does every ten seconds.
func (p *player) loop() string {
	if err := p.refresh(); err != nil {
		return said(err)
	}
	p.readAll()
	p.loops++
	dropped := 0
	for _, l := range p.ledger {
		dropped += p.giveUp(l, p.failures(l))
	}
	return fmt.Sprintf("gave up %d", dropped)
}

func (p *player) increase(l *ledger, delta int, within time.Duration) string {
	err := p.call(within, func(ctx context.Context) error { return p.IncreaseSize(ctx, l.spec.name, delta) })
	p.increased(l, delta, err)
	return fmt.Sprintf("+%d %s", delta, said(err))
}

// increased books an IncreaseSize.
func (p *player) increased(l *ledger, delta int, err error) {
	p.secretless("IncreaseSize", err)
	switch {
	case err == nil:
		l.step.accepted += delta
		if delta < 1 {
			p.violate("nonsense is refused", "IncreaseSize %d of %s", delta, l.spec.name)
		}
	case unsure(err):
		p.doubtful(l, max(0, delta), 0)
		l.step.uncertain += max(0, delta)
	default:
		return
	}
	l.allowed += max(0, delta)
}

func (p *player) decrease(l *ledger, n int) string {
	err := p.call(rpcTime, func(ctx context.Context) error { return p.DecreaseTargetSize(ctx, l.spec.name, -n) })
	p.secretless("DecreaseTargetSize", err)
	if err != nil && l.served && !unsure(err) {
		p.violate("DecreaseTargetSize is not refused", "-%d of %s: %v", n, l.spec.name, err)
	}
	l.step.decreased += n
	return fmt.Sprintf("-%d %s", n, said(err))
}

// storm is increases and deletes at once.
func (p *player) storm(l *ledger, s step) string {
	nodes := picked(p.candidates(l), s.pick, s.n)
	errs := make([]error, len(nodes))
	raised := make([]error, 2)
	var all sync.WaitGroup
	for n := range raised {
		all.Go(func() {
			raised[n] = p.call(rpcTime, func(ctx context.Context) error { return p.IncreaseSize(ctx, l.spec.name, 1) })
		})
	}
	for n, id := range nodes {
		all.Go(func() { errs[n] = p.delete(l, node(id)) })
	}
	all.Wait()
	for _, err := range raised {
		p.increased(l, 1, err)
	}
	for n, id := range nodes {
		p.deleted(l, []string{id}, errs[n])
	}
	return fmt.Sprintf("+1 +1 %s; delete %d %s", said(errors.Join(raised...)), len(nodes), said(errors.Join(errs...)))
}

func (p *player) delete(l *ledger, nodes ...cloudprovider.Node) error {
	return p.call(rpcTime, func(ctx context.Context) error { return p.DeleteNodes(ctx, l.spec.name, nodes) })
}

// deleted books a DeleteNodes of instances.
func (p *player) deleted(l *ledger, ids []string, err error) {
	p.secretless("DeleteNodes", err)
	if err != nil && !unsure(err) && len(ids) == 1 {
		l.step.refusals++
		return // and if it leaves all the same, the audit sees it leave unnamed
	}
	if err != nil {
		l.step.refusals++
	}
	if unsure(err) {
		p.doubtful(l, 0, len(ids))
	}
	for _, id := range ids {
		l.named[instanceID(id)] = true
		if err == nil {
			l.step.leaves = append(l.step.leaves, instanceID(id))
		}
	}
}

// remove is the ways of deleting nodes.
func (p *player) remove(l *ledger, s step) string {
	nodes := picked(p.candidates(l), s.pick, s.n)
	switch s.act {
	case actGiveUp:
		return fmt.Sprintf("gave up %d", p.giveUp(l, picked(p.failures(l), s.pick, s.n)))
	case actForeign:
		return p.foreign(l, s)
	case actGone:
		nodes = picked(l.left, s.pick, 1)
	case actDelete, actFake, actTwice:
		nodes = nodes[:min(1, len(nodes))]
	}
	if len(nodes) == 0 {
		return "none"
	}
	switch s.act {
	case actBatch:
		batch := make([]cloudprovider.Node, len(nodes))
		for n, id := range nodes {
			batch[n] = node(id)
		}
		err := p.delete(l, batch...)
		p.deleted(l, nodes, err)
		return fmt.Sprintf("%v %s", nodes, said(err))
	case actFake:
		return p.unregistered(l, nodes[0])
	case actTwice:
		nodes = append(nodes, nodes[0])
	}
	errs := make([]error, len(nodes))
	var all sync.WaitGroup
	for n, id := range nodes {
		all.Go(func() { errs[n] = p.delete(l, node(id)) })
	}
	all.Wait()
	for n, id := range nodes {
		p.deleted(l, []string{id}, errs[n])
	}
	return fmt.Sprintf("%v %s", nodes, said(errors.Join(errs...)))
}

// unregistered deletes an instance as one whose node never came.
func (p *player) unregistered(l *ledger, id string) string {
	seen, shown := p.shown[instanceID(id)]
	inUse := shown && p.now().Sub(seen) <= 2*time.Minute
	err := p.delete(l, fakeNode(id, "unregistered"))
	p.deleted(l, []string{id}, err)
	if inUse && err == nil && l.before.live[instanceID(id)] {
		p.violate("an instance whose node lives is not removed as unregistered", "%s of %s", id, l.spec.name)
	}
	if p.loops == 0 && p.now().Sub(p.started) < 2*time.Minute && err == nil && l.before.live[instanceID(id)] {
		p.violate("no instance is removed as unregistered before the nodes were shown", "%s of %s", id, l.spec.name)
	}
	return fmt.Sprintf("%s %s", id, said(err))
}

// foreign deletes what the group does not own.
func (p *player) foreign(l *ledger, s step) string {
	id := "cn-hangzhou.i-foreign"
	if len(p.ledger) > 1 && s.pick%2 == 0 {
		other := p.ledger[(s.group+1)%len(p.ledger)]
		if theirs := picked(p.candidates(other), s.pick, 1); len(theirs) > 0 {
			id = theirs[0]
		}
	}
	err := p.delete(l, node(id))
	if err == nil && !slices.Contains(l.left, id) {
		p.violate("what a group does not own is not removed", "%s from %s", id, l.spec.name)
	}
	return fmt.Sprintf("%s %s", id, said(err))
}

// giveUp deletes placeholders and returns how many.
func (p *player) giveUp(l *ledger, ids []string) int {
	if len(ids) == 0 {
		return 0
	}
	nodes := make([]cloudprovider.Node, len(ids))
	for n, id := range ids {
		nodes[n] = fakeNode(id, "create-error")
	}
	err := p.delete(l, nodes...)
	p.secretless("DeleteNodes", err)
	if err != nil && !unsure(err) {
		p.violate("a failed instance can be given up", "%v of %s: %v", ids, l.spec.name, err)
	}
	if err != nil {
		return 0
	}
	l.step.dropped += len(ids)
	for _, id := range ids {
		l.givenUp[id], l.forgotten[id] = true, true
	}
	return len(ids)
}

// crash ends the provider in the middle of a write.
func (p *player) crash(l *ledger, s step) string {
	api := []string{"ScaleWithAdjustment", "RemoveInstances"}[s.pick%2]
	nodes := picked(p.candidates(l), s.pick, 1)
	p.inject(esssim.Fault{API: api, Kind: esssim.FaultSlow, Count: 1, Delay: account.Duration(s.wait), AfterEffect: s.n%2 == 0})
	ctx, cancel := context.WithCancel(p.t.Context())
	var writes sync.WaitGroup
	if api == "RemoveInstances" && len(nodes) == 1 {
		l.named[instanceID(nodes[0])] = true
		writes.Go(func() { _ = p.DeleteNodes(ctx, l.spec.name, []cloudprovider.Node{node(nodes[0])}) })
	} else if room := l.spec.max - l.target; room > 0 {
		delta := 1 + (s.n-1)%room
		l.step.uncertain += delta
		l.allowed += delta
		writes.Go(func() { _ = p.IncreaseSize(ctx, l.spec.name, delta) })
	}
	p.pause(500 * time.Millisecond)
	cancel()
	writes.Wait()
	p.Close()
	p.start()
	return api
}
