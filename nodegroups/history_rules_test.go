package nodegroups_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/buildpool/buildpool/ess/esssim/account"
)

// ledger is what CA and the console asked of a group, and what became of it.
type ledger struct {
	spec groupSpec
	// allowed is how many instances may have been created in all: asked for, or by hand,
	// or in place of one that was taken back.
	allowed int
	created map[string]bool
	// named are the instances that CA asked to remove, excused those that may leave for
	// another reason, left all that have left.
	named, excused map[string]bool
	left           []string
	// forgotten are the placeholders that were given up, whoever was asked.
	forgotten map[string]bool
	// victims is how many the cloud may choose because somebody lowered the number by hand.
	victims int
	// unborn are when instances were taken back before the activity that made them had
	// ended, and takenBack when others were.
	unborn, takenBack []time.Time
	// handled is when somebody last touched the group in the console.
	handled time.Time
	// before is how things stood at the end of the last step.
	before truth
	mind
	step deeds
}

// mind is what one provider knows of a group.
type mind struct {
	target, failed int
	// givenUp are the placeholders that its CA has deleted.
	givenUp map[string]bool
	// served: this provider has read the group. One that it cannot read at first it does
	// not serve; one that it has served it serves on.
	served bool
	// doubt: a write got no answer, and no refresh has looked since doubted. raises and
	// removals are how much such writes would raise the target, and lower it.
	doubt            bool
	doubted          time.Time
	raises, removals int
}

// deeds are what happened to a group in one step.
type deeds struct {
	// accepted and uncertain are the sums of increases; decreased is what was asked of
	// DecreaseTargetSize, dropped the placeholders given up.
	accepted, uncertain, decreased, dropped int
	// leaves are the instances whose removal was confirmed.
	leaves   []string
	refusals int
	byHand   bool
	// inDoubt: an earlier write may or may not have happened.
	inDoubt bool
}

// truth is a group as the account has it.
type truth struct {
	desired   int
	lifecycle account.GroupLifecycle
	live      map[string]bool
	// young is how many of them the account has begun so lately that no reading by which a
	// number was lowered can have shown them.
	young int
	// born are those of them that have come into service.
	born map[string]bool
}

func (l *ledger) cloudID() string { return "asg-" + l.spec.name }

func (p *player) look(l *ledger) truth {
	there := truth{live: map[string]bool{}, born: map[string]bool{}}
	for _, g := range p.account.State().Groups {
		if g.ID != l.cloudID() {
			continue
		}
		there.desired, there.lifecycle = g.Desired, g.Lifecycle
		for _, i := range g.Instances {
			switch i.State {
			case account.Removing, account.RemovingWait, account.Stopped:
			default:
				there.live[i.ID] = true
				if p.now().Sub(i.Created) <= blindTime {
					there.young++
				}
				there.born[i.ID] = i.State != account.Pending && i.State != account.PendingWait
			}
		}
	}
	return there
}

// blindTime is how long before the end of a step a creation may have begun that the
// lowering of a number in it could not know of: ESS has no write that depends on what it
// holds, so what it begins between the reading and the write is not seen. A reading may be
// a second old, the write takes two at most.
const blindTime = 3 * time.Second

// createTime is how long the account takes to create an instance.
const createTime = 20 * time.Second

// awaited counts the instances that were taken back while the activity that made them runs
// on, and those that a provider which was started since cannot know to have left. The
// activity names none before it ends, no list has to have shown them, a list that lags
// shows those that left, and a scale-up that cannot trust the number it reads may count
// them: one too many is the milder error.
func (l *ledger) awaited(now time.Time) int {
	n := 0
	for _, at := range l.unborn {
		if now.Sub(at) < createTime {
			n++
		}
	}
	return n
}

// count enters the instances that are new.
func (l *ledger) count(there truth) {
	for id := range there.live {
		l.created[id] = true
	}
}

// noteTakenBack notes the instances that the cloud took back or that were let go before
// it could.
func (l *ledger) noteTakenBack(before, there truth, now time.Time) {
	for id := range before.live {
		switch {
		case there.live[id] || !l.excused[id]:
		case before.born[id]:
			l.takenBack = append(l.takenBack, now)
		default:
			l.allowed++
			l.unborn = append(l.unborn, now)
		}
	}
}

// forgetTakenBack: a provider is started, and what left lately it cannot know.
func (l *ledger) forgetTakenBack(now time.Time) {
	for _, at := range l.takenBack {
		if now.Sub(at) < createTime {
			l.allowed++
			l.unborn = append(l.unborn, at)
		}
	}
	l.takenBack = nil
}

// open begins a step: things stand as they did at the end of the last.
func (p *player) open() {
	for _, l := range p.ledger {
		l.step = deeds{inDoubt: l.doubt}
	}
}

// audit judges a step.
func (p *player) audit(s step) {
	for _, l := range p.ledger {
		before, target := l.before, l.target
		there := p.look(l)
		l.noteTakenBack(before, there, p.now())
		if s.act != actCalm { // which has closed its books already
			p.judgeInstances(l, before, there)
		}
		p.judgeDesired(s, l, before, there)
		l.before = there
		p.judgeReads(s, l, target, before, there)
	}
	p.judgeLog()
}

// judgeInstances: only what was named, taken back or removed by hand may leave, and
// only what was asked for may come.
func (p *player) judgeInstances(l *ledger, before, there truth) {
	for id := range before.live {
		switch {
		case there.live[id]:
		case l.named[id], l.excused[id]:
			l.left = append(l.left, "cn-hangzhou."+id)
			if l.spec.classic && len(p.peers) > 1 {
				// The other provider has not heard of it, and such a group holds no number
				// that could tell: its next absolute write creates one in its place.
				l.allowed++
			}
		case l.victims > 0:
			l.victims--
			l.left = append(l.left, "cn-hangzhou."+id)
		default:
			p.violate("only instances that CA named are removed", "%s of %s left", id, l.spec.name)
		}
	}
	l.count(there)
	if len(l.created) > l.allowed {
		p.violate("no instance is created that was not asked for", "%s: %d created, %d asked for", l.spec.name, len(l.created), l.allowed)
	}
	for _, id := range l.step.leaves {
		if there.live[id] {
			p.violate("a delete that was answered OK removes the instance", "%s of %s is alive", id, l.spec.name)
		}
	}
	if n := len(there.live); n > len(before.live) && n > l.spec.max {
		p.violate("never more instances than max", "%s: %d of %d", l.spec.name, n, l.spec.max)
	}
}

// removed counts the named instances that left in the step.
func removed(l *ledger, before, there truth) int {
	n := 0
	for id := range before.live {
		if !there.live[id] && l.named[id] {
			n++
		}
	}
	return n
}

// judgeDesired: our writes move the cloud's number as far as CA asked, inside min and
// max, and never below what exists.
func (p *player) judgeDesired(s step, l *ledger, before, there truth) {
	if l.spec.classic || l.step.byHand || s.act == actCalm {
		return
	}
	gone := removed(l, before, there)
	if there.desired > before.desired {
		highest := max(before.desired, l.target, len(before.live)) + l.step.accepted + l.step.uncertain
		if l.step.accepted+l.step.uncertain > 0 {
			highest += l.awaited(p.now())
		}
		switch {
		case s.act == actDecrease || s.act == actGiveUp:
			p.violate("taking back never creates", "%s: desired from %d to %d", l.spec.name, before.desired, there.desired)
		case there.desired > l.spec.max:
			p.violate("the desired number is never above max", "%s: %d of %d", l.spec.name, there.desired, l.spec.max)
		case there.desired > highest:
			p.violate("the desired number rises by what CA asked for", "%s: from %d to %d, at most %d", l.spec.name, before.desired, there.desired, highest)
		}
	}
	if there.desired < before.desired {
		switch {
		case there.desired < min(len(there.live)-there.young, before.desired-gone):
			p.violate("the desired number is never lowered below what exists", "%s: from %d to %d, %d live", l.spec.name, before.desired, there.desired, len(there.live))
		case l.step.dropped+l.step.decreased == 0 && gone > 0 && before.desired >= max(l.target, l.spec.min) && there.desired < l.spec.min && !p.excusedLeft(l, before, there):
			p.violate("the desired number is never below min by a delete", "%s: from %d to %d", l.spec.name, before.desired, there.desired)
		}
	}
}

// judgeReads: reading never fails, and CA reads its own writes.
func (p *player) judgeReads(s step, l *ledger, was int, before, there truth) {
	target, err := p.TargetSize(l.spec.name)
	if err != nil {
		if l.served {
			p.violate("reads never fail after the first snapshot", "TargetSize: %v", err)
		}
		return
	}
	l.target, l.failed, l.served = target, len(p.failures(l)), true
	for _, id := range p.failures(l) {
		switch {
		case l.givenUp[id]:
			p.violate("a placeholder that was given up does not come back", "%s of %s", id, l.spec.name)
		case l.spec.classic && l.forgotten[id]:
			// Such a group holds no number that could tell a provider which was started since,
			// and a scale-up tries anew what failed and was not given up.
			delete(l.forgotten, id)
			l.allowed++
		}
	}
	here := p.candidates(l)
	if len(p.peers) > 1 {
		// A write reads the number that the other provider's deletes lowered, but not the
		// list: until the next refresh it still holds what that one removed.
		here = slices.DeleteFunc(here, func(id string) bool { return !there.live[strings.TrimPrefix(id, "cn-hangzhou.")] })
	}
	if missing := max(0, target-len(here)); l.failed > missing {
		p.violate("no more placeholders than instances are missing", "%s: %d for %d", l.spec.name, l.failed, missing)
	}
	switch s.act {
	case actLoop, actRefresh, actCalm, actRestart, actCrash:
		return // the cloud was read
	}
	if p.reading {
		return // it was, or may have been
	}
	gone := removed(l, before, there)
	basis := was
	if !l.spec.classic && (len(p.peers) > 1 || !l.handled.IsZero()) {
		// The write reads the group, and somebody else may have lowered the number.
		basis = min(was, max(before.desired, len(before.live)))
	}
	if l.step.inDoubt || l.step.decreased+l.step.dropped > 0 {
		// The write reads the group, and the cloud's number may turn out to be less.
		basis = min(was, max(before.desired, len(before.live)))
	}
	lowest := basis + l.step.accepted - gone - l.step.dropped - l.step.decreased
	highest := was
	if l.step.accepted+l.step.uncertain > 0 {
		highest = max(was, before.desired, len(before.live)) + l.step.accepted + l.step.uncertain + l.awaited(p.now())
	}
	if p.now().Sub(l.handled) < 30*time.Second {
		// A number set by hand may look like one that a write of ours replaced, and no
		// reading tells the two apart while lists may lag.
		lowest = 0
	}
	if l.step.inDoubt && len(p.peers) > 1 {
		// What became of them is found out by what the other provider had made of the
		// number then, and the next refresh tells what it has made of it since.
		lowest = 0
	}
	if l.step.inDoubt { // and what became of those writes may have been found out
		lowest -= l.removals
		highest = max(highest, max(was, before.desired, len(before.live))+l.step.accepted+l.raises)
	}
	if l.spec.classic && len(p.peers) > 1 {
		// What the other provider asked for is on its way too, and no number tells whose it
		// is; max still bounds it.
		highest = max(highest, target)
	}
	switch {
	case target > was && target > l.spec.max:
		p.violate("the target is never above max", "%s: %d of %d", l.spec.name, target, l.spec.max)
	case l.step.decreased > 0 && target < min(was, len(there.live), len(here)):
		p.violate("the target is not decreased below what exists", "%s: from %d to %d, %d live", l.spec.name, was, target, len(there.live))
	case gone > 0 && l.step.dropped+l.step.decreased == 0 && was >= l.spec.min && target < l.spec.min:
		p.violate("no delete takes the target below min", "%s: from %d to %d", l.spec.name, was, target)
	case target < lowest:
		p.violate("the target falls by what CA took back, and no more", "%s: from %d to %d, at least %d", l.spec.name, was, target, lowest)
	case target > highest:
		p.violate("the target rises by what CA asked for, and no more", "%s: from %d to %d, at most %d", l.spec.name, was, target, highest)
	// Judged where nothing else moves the target in the same step: no scale-up, no refusal,
	// and no write in doubt, which any RPC that reads the activities may settle.
	case l.victims == 0 && l.step.accepted+l.step.uncertain == 0 && !l.step.inDoubt && l.step.refusals == 0 && l.step.decreased == 0 && !p.fallsBy(was, gone+l.step.dropped, target, max(before.desired, len(before.live))) && !p.excusedLeft(l, before, there):
		p.violate("a delete lowers the target by what really left", "%s: from %d to %d, %d left, %d given up", l.spec.name, was, target, gone, l.step.dropped)
	}
}

// fallsBy reports whether the target fell by n. Where the other provider has lowered the
// cloud's number further, the write that lowers ours finds it: the target may be that
// number then, and no less.
func (p *player) fallsBy(was, n, target, there int) bool {
	if len(p.peers) > 1 && there < was-n {
		return target >= there && target <= was-n
	}
	return target == was-n
}

// excusedLeft: an instance left in the step for another reason too.
func (p *player) excusedLeft(l *ledger, before, there truth) bool {
	for id := range before.live {
		if !there.live[id] && l.excused[id] {
			return true
		}
	}
	return false
}

// steady notes the groups whose target is the cloud's number, and where no write of ours
// is in doubt: the refresh finds out about it.
func (p *player) steady() map[*ledger]int {
	steady := map[*ledger]int{}
	for _, l := range p.ledger {
		target, err := p.TargetSize(l.spec.name)
		if err == nil && !l.spec.classic && !l.doubt && l.victims == 0 && p.look(l).desired == target {
			steady[l] = target
		}
	}
	return steady
}

// leftAlone: a refresh does not move a target that the cloud agrees with.
func (p *player) leftAlone(before map[*ledger]int) {
	for l, was := range before {
		target, err := p.TargetSize(l.spec.name)
		if err == nil && target != was && p.look(l).desired == was {
			p.violate("a refresh does not move a target that the cloud agrees with", "%s: from %d to %d", l.spec.name, was, target)
		}
	}
}

// secrets are what must not be read anywhere.
var secrets = []string{"sim-secret", "sim-access-key", "Signature=", "SignatureNonce", "SecurityToken"}

// secretless checks an answer.
func (p *player) secretless(where string, err error) {
	if err == nil {
		return
	}
	for _, secret := range secrets {
		if strings.Contains(err.Error(), secret) {
			p.violate("no key material in any error", "%s: %s", where, secret)
		}
	}
}

// judgeLog checks what was logged since the last step, and the status page's content.
func (p *player) judgeLog() {
	lines := p.logged.String() + fmt.Sprintf("%+v", p.Status())
	p.logged.Reset()
	for _, secret := range secrets {
		if strings.Contains(lines, secret) {
			p.violate("no key material in any log or status", "%s", secret)
		}
	}
}

func sortedKeys(set map[string]bool) []string { return slices.Sorted(maps.Keys(set)) }
