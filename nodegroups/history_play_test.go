package nodegroups_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/utils/clock"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/ess/esssim"
	"github.com/buildpool/buildpool/ess/esssim/account"
	"github.com/buildpool/buildpool/nodegroups"
	"github.com/buildpool/buildpool/nodegroups/config"
)

// rpcTime is CA's own default.
const rpcTime = 5 * time.Second

// player plays a history: it is CA, the console, the spot market and the power supply,
// and keeps the books by which the invariants are judged.
type player struct {
	t *testing.T
	// The provider that is asked now, and what CA knows of it. peers are all of them.
	client
	peers   []*client
	asked   int
	account *esssim.Simulator
	cloud   cloudprovider.Cloud
	config  config.Config
	log     *slog.Logger
	logged  *bytes.Buffer
	tokens  atomic.Int64
	history history
	began   time.Time

	ledger []*ledger
	story  []string
	broken *violation
	// slowest is the longest that calm took to come.
	slowest time.Duration
}

// client is one provider and what its CA knows.
type client struct {
	*nodegroups.Provider
	// ready: it has read the account.
	ready bool
	// shown are the instances whose nodes it was shown, with when; started is when it was
	// started, and loops how many whole loops it has seen since.
	shown   map[string]time.Time
	started time.Time
	loops   int
	// reading: a look at the cloud outlived its refresh, and has ended since the provider
	// was last asked, or goes on.
	reading bool
	minds   []mind
}

// turnTo lets another of the providers be asked.
func (p *player) turnTo(peer int) {
	peer %= p.history.peers
	if peer == p.asked {
		return
	}
	p.minds = nil
	for _, l := range p.ledger {
		p.minds = append(p.minds, l.mind)
	}
	now := p.client
	p.peers[p.asked] = &now
	p.client, p.asked = *p.peers[peer], peer
	for n, l := range p.ledger {
		l.mind = p.minds[n]
	}
}

// violation is an invariant that did not hold.
type violation struct {
	rule   string
	detail string
	story  []string
}

func (p *player) violate(rule, format string, args ...any) {
	if p.broken == nil {
		p.broken = &violation{rule: rule, detail: fmt.Sprintf(format, args...)}
	}
}

// playHistory plays a history in virtual time and returns what it broke, nil if
// nothing, and how long calm took to come at most.
func playHistory(t *testing.T, h history) (broken *violation, slowest time.Duration) {
	defer func() {
		// A bubble whose goroutines do not end panics when it is left.
		if cause := recover(); cause != nil {
			broken = &violation{rule: "no panic and no goroutine left behind", detail: fmt.Sprint(cause)}
		}
	}()
	synctest.Test(t, func(t *testing.T) {
		p := newPlayer(t, h)
		p.play()
		broken, slowest = p.broken, p.slowest
	})
	return broken, slowest
}

func newPlayer(t *testing.T, h history) *player {
	account := newAccount(t, clock.RealClock{}, h.roomy()...)
	logged := &bytes.Buffer{}
	p := &player{
		t: t, account: account, cloud: newCloud(t, account), config: parseConfig(t, h.groups...), logged: logged,
		log:     slog.New(slog.NewTextHandler(logged, &slog.HandlerOptions{Level: slog.LevelDebug})),
		history: h, began: clock.RealClock{}.Now(),
	}
	for _, g := range h.groups {
		p.ledger = append(p.ledger, &ledger{
			spec: g, allowed: g.desired,
			created: map[string]bool{}, named: map[string]bool{}, excused: map[string]bool{}, forgotten: map[string]bool{},
		})
	}
	for _, l := range p.ledger {
		l.before = p.look(l)
		l.count(l.before)
	}
	p.stayBehind(h.lag)
	p.peers = make([]*client, h.peers)
	for n := range p.peers {
		p.start()
		p.peers[n] = &client{Provider: p.Provider, shown: p.shown, started: p.started}
		for _, l := range p.ledger {
			p.peers[n].minds = append(p.peers[n].minds, l.mind)
		}
		p.asked = n
	}
	return p
}

// stayBehind makes the account's lists lag.
func (p *player) stayBehind(l lag) {
	groups, instances := account.Duration(l.groups), account.Duration(l.instances)
	require.NoError(p.t, p.account.Account().SetDelays(account.DelayChange{ListGroups: &groups, ListInstances: &instances}))
}

func (p *player) play() {
	for n, s := range p.history.steps {
		p.pause(time.Millisecond) // no two things happen at the same instant
		p.turnTo(s.peer)
		p.open()
		p.reading = p.reading || !p.Status().ReadingSince.IsZero()
		said := p.do(s)
		synctest.Wait() // what outlives its RPC ends with its deadline
		p.audit(s)
		p.reading = !p.Status().ReadingSince.IsZero()
		p.tell(n, s, said)
		if p.broken != nil {
			p.broken.story = p.story
			break
		}
	}
	for peer := range p.peers {
		p.turnTo(peer)
		p.Close()
	}
}

// start makes a provider that remembers nothing.
func (p *player) start() {
	made, err := nodegroups.New(p.config, nodegroups.Settings{
		Cloud: p.cloud, Clock: clock.RealClock{}, Log: p.log,
		NewToken: func() string { return fmt.Sprintf("token-%d", p.tokens.Add(1)) },
	})
	require.NoError(p.t, err)
	p.client = client{Provider: made, shown: map[string]time.Time{}, started: p.now()}
	for _, l := range p.ledger {
		l.forgetTakenBack(p.now())
		l.mind = mind{target: l.target, failed: l.failed, givenUp: map[string]bool{}}
	}
}

func (p *player) now() time.Time { return clock.RealClock{}.Now() }

func (p *player) pause(d time.Duration) { clock.RealClock{}.Sleep(d) }

// group is the ledger of the group that a step means.
func (p *player) group(s step) *ledger { return p.ledger[s.group%len(p.ledger)] }

// call makes one RPC and checks what may be said in its answer.
func (p *player) call(timeout time.Duration, rpc func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeout(p.t.Context(), timeout)
	defer cancel()
	return rpc(ctx)
}

// unsure reports whether an error leaves open if the write has happened.
func unsure(err error) bool {
	return errors.Is(err, cloudprovider.ErrOutcomeUnknown) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
}

// tell writes a line of the story: what happened and how things stood after it.
func (p *player) tell(n int, s step, said string) {
	var b strings.Builder
	fmt.Fprintf(&b, "%4d %8.1fs  %s", n, p.now().Sub(p.began).Seconds(), s)
	if said != "" {
		fmt.Fprintf(&b, " -> %s", said)
	}
	for _, l := range p.ledger {
		fmt.Fprintf(&b, " | %s: desired %d live %d", l.spec.name, l.before.desired, len(l.before.live))
		if l.served {
			fmt.Fprintf(&b, " target %d failed %d", l.target, l.failed)
		}
	}
	p.story = append(p.story, b.String())
}

// refresh is CA's, and has to succeed once it has succeeded.
func (p *player) refresh() error {
	before := p.steady()
	if len(p.peers) > 1 && !p.Status().ReadingSince.IsZero() {
		// A reading that is under way shows the account as it was when it began, and the
		// other provider may have written since.
		before = nil
	}
	err := p.call(rpcTime, p.Refresh)
	if err == nil {
		p.ready = true
		p.looked()
	} else if p.ready {
		p.violate("reads never fail after the first snapshot", "Refresh: %v", err)
	}
	p.secretless("Refresh", err)
	p.leftAlone(before)
	return err
}

// looked ends the doubts that a good refresh settles: one that has read the account
// since they arose.
func (p *player) looked() {
	status := p.Status()
	for _, l := range p.ledger {
		_, err := p.TargetSize(l.spec.name)
		switch {
		case status.LastError != "" || err != nil:
		case !l.served:
			l.served, l.doubted = true, status.Taken
		case len(p.peers) > 1 && p.now().Sub(l.doubted) < 30*time.Second:
			// A removal that got no answer stays in doubt as long as lists may lag, and what
			// the other provider removes meanwhile may be taken for it.
		case status.Taken.After(l.doubted):
			l.doubt = false
		}
	}
}

// doubtful books a write that may or may not have happened.
func (p *player) doubtful(l *ledger, raise, removal int) {
	if !l.doubt {
		l.raises, l.removals = 0, 0
	}
	l.doubt, l.doubted = true, p.now()
	l.raises += raise
	l.removals += removal
}

// candidates are the nodes of a group that CA would know of: listed and not leaving.
func (p *player) candidates(l *ledger) []string {
	var ids []string
	for _, i := range p.listed(l) {
		if i.Failure == nil && i.State != cloudprovider.Deleting {
			ids = append(ids, i.ID)
		}
	}
	return ids
}

// failures are a group's placeholders.
func (p *player) failures(l *ledger) []string {
	var ids []string
	for _, i := range p.listed(l) {
		if i.Failure != nil {
			ids = append(ids, i.ID)
		}
	}
	return ids
}

func (p *player) listed(l *ledger) []cloudprovider.InstanceStatus {
	all, err := p.Instances(l.spec.name)
	if err != nil && l.served {
		p.violate("reads never fail after the first snapshot", "Instances: %v", err)
	}
	return all
}

// picked takes up to n of the IDs, from the pick-th on.
func picked(ids []string, pick, n int) []string {
	if len(ids) == 0 {
		return nil
	}
	at := pick % len(ids)
	turned := slices.Concat(ids[at:], ids[:at])
	return turned[:min(n, len(turned))]
}

func instanceID(providerID string) string {
	id, _, err := cloudprovider.ParseProviderID(providerID)
	if err != nil {
		return ""
	}
	return id.InstanceID
}
