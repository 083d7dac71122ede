package nodegroups

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/utils/clock"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/nodegroups/config"
	"github.com/buildpool/buildpool/nodegroups/floor"
	"github.com/buildpool/buildpool/nodegroups/headroom"
	"github.com/buildpool/buildpool/nodegroups/spot"
)

// Settings are what a Provider works with.
type Settings struct {
	Cloud cloudprovider.Cloud
	Clock clock.WithTicker
	Log   *slog.Logger
	// NewToken makes ClientTokens: unique, at most 64 ASCII characters. It is called
	// from several goroutines.
	NewToken func() string
	// ResyncEvery is how often the instances of every group are read although no
	// counter moved. Default: 5 minutes.
	ResyncEvery time.Duration
	// DeleteWindow is how long a delete waits for others to share its call with.
	// CA sends the deletes of one decision within milliseconds. Default: 100 ms.
	DeleteWindow time.Duration
	// Cluster is looked at right before an instance is removed; nil: nothing is known of
	// the builds on its node, and CA's word is taken.
	Cluster cloudprovider.Cluster
	// NodeDeleter deletes the Node objects of instances that are gone, where the
	// configuration says so; nil: that is somebody else's work.
	NodeDeleter cloudprovider.NodeDeleter
	// NodeReopener opens the nodes of instances that were stopped and started again. nil:
	// they stay as cluster-autoscaler closed them.
	NodeReopener cloudprovider.NodeReopener
	// DryRun: everything is decided as ever, and nothing is written. What has to change
	// the account fails with ErrDryRun, and CA sees the account as it is.
	DryRun bool
	// Removed is told which instances of a group the cloud is removing at our request,
	// and must not wait for anything. nil: nobody is.
	Removed func(group string, instanceIDs []string)
	// Kept is told of a node whose removal was asked for and refused because the build
	// runs on it, and must not wait for anything. nil: nobody is.
	Kept func(instanceID string, build *cloudprovider.Pod)
}

// Provider answers cluster-autoscaler. It implements cloudprovider.Provider.
type Provider struct {
	Settings

	current atomic.Pointer[snapshot]
	nodes   identities
	// flushes are the deletes under way.
	flushes sync.WaitGroup
	// decisions are what was done of late, for people.
	decisions decisions
	// locked: the last node that was to be reopened could not be.
	locked atomic.Bool
	// prices are what the cloud said of prices; background are the readings under way,
	// of groups and of prices, which end with lifetime.
	prices priceBook
	// reclaimRates are how often the instances of spot groups are taken back.
	reclaimRates atomic.Pointer[map[string]float64]
	background   sync.WaitGroup
	lifetime     context.Context
	end          context.CancelFunc

	mu sync.Mutex
	// The rest is owned by mu.
	cfg       config.Config
	members   map[string]*member
	born      time.Time // when the first good refresh began
	refreshed time.Time // when the last one did
	wanted    time.Time // full looks before this one are too old
	lastError string
	outage    outage
	notices   noticeReads
	// reclaims are what is known of notices in the past.
	reclaims spot.History
	// reading is the look at the cloud that is under way, nil if none is.
	reading *reading
	// pricing: a round of price readings is under way.
	pricing bool
	// moved: instances or groups came or went since the last publish.
	moved bool
}

var _ cloudprovider.Provider = (*Provider)(nil)

// member is one configured group and what is known of it. Its fields are owned by
// Provider.mu; writing holds its write semaphore across the cloud's call, so that
// the writes to one scaling group follow one another.
type member struct {
	config  config.Group
	writing semaphore
	deletes *deleteQueue

	// cloudID is the scaling group's ID: configured, or found by tags.
	cloudID string
	// problem says why the group is not served; empty when it is.
	problem string
	seen    observation
	state   groupState
	launch  launchKnowledge
	view    *view
	// looked is when the last full look that succeeded began.
	looked time.Time
	// floors is what the configuration says of the group's min, and boots how long its
	// nodes take to join; warned is the opening of the window that we have said is cold.
	floors floor.Policy
	room   headroom.Policy
	boots  boots
	warned time.Time
	// notices are those of instances that the cloud takes back, parted the instances that
	// were let go therefore, with the time of their notice.
	notices map[string]notice
	parted  map[string]time.Time
	// shields are the protections that we set last.
	shields map[string]shield
	// noticed counts the notices since our start.
	noticed map[spot.Pool]int
	// asked are the times of the last accepted scale-ups, oldest first.
	asked []time.Time
	// failedRead is why the group could not be read the last time, empty if it could;
	// failedWrite is the last write that failed.
	failedRead, failedWrite GroupError
}

// New makes a provider for the groups of the configuration. Nothing is read before
// the first Refresh.
func New(cfg config.Config, s Settings) (*Provider, error) {
	if s.Cloud == nil || s.Clock == nil || s.Log == nil || s.NewToken == nil {
		return nil, errors.New("make provider: Cloud, Clock, Log and NewToken are required")
	}
	if s.ResyncEvery == 0 {
		s.ResyncEvery = 5 * time.Minute
	}
	if s.DeleteWindow == 0 {
		s.DeleteWindow = 100 * time.Millisecond
	}
	if s.DryRun {
		s.Cloud = unwritten{Cloud: s.Cloud, log: s.Log}
	}
	p := &Provider{Settings: s, members: map[string]*member{}}
	p.lifetime, p.end = context.WithCancel(context.Background())
	p.Reload(cfg)
	return p, nil
}

// Reload takes another configuration over. Groups that stay keep their state, and
// the snapshot changes with the next Refresh.
func (p *Provider) Reload(cfg config.Config) {
	p.mu.Lock()
	defer p.mu.Unlock()
	cfg.Groups = slices.Clone(cfg.Groups) // the caller's list may change under us
	p.cfg = cfg
	members := make(map[string]*member, len(cfg.Groups))
	for _, g := range cfg.Groups {
		m := p.members[g.Name]
		if m == nil || !sameScalingGroup(m.config.ScalingGroup, g.ScalingGroup) {
			m = &member{writing: newSemaphore(), deletes: &deleteQueue{}, problem: "not read yet"}
		}
		m.config = g
		var err error
		if m.floors, err = floor.New(g); err != nil { // a checked configuration's can be read
			p.Log.Error("the group's schedules are not followed", "group", g.Name, "error", err)
		}
		if m.room, err = headroom.New(g); err != nil {
			p.Log.Error("the group's headroom is not kept", "group", g.Name, "error", err)
		}
		if g.ScalingGroup.ID != "" {
			m.cloudID = g.ScalingGroup.ID
		}
		m.launch.stale = true
		members[g.Name] = m
	}
	p.members = members
	p.moved = true
}

// Close waits for the deletes under way and ends the readings. RPCs must have ended
// before.
func (p *Provider) Close() {
	p.mu.Lock()
	p.end() // under mu: no reading begins after it
	p.mu.Unlock()
	p.flushes.Wait()
	p.background.Wait()
}

// sameScalingGroup reports whether two references name the same scaling group.
func sameScalingGroup(a, b config.ScalingGroup) bool {
	return a.ID == b.ID && maps.Equal(a.Tags, b.Tags)
}

// NodeGroups implements cloudprovider.Provider.
func (p *Provider) NodeGroups() ([]cloudprovider.NodeGroup, error) {
	s := p.current.Load()
	if s == nil {
		return nil, cloudprovider.ErrNotReady
	}
	return s.groups, nil
}

// TargetSize implements cloudprovider.Provider.
func (p *Provider) TargetSize(groupID string) (int, error) {
	v, err := p.view(groupID)
	if err != nil {
		return 0, err
	}
	return v.target, nil
}

// Instances implements cloudprovider.Provider.
func (p *Provider) Instances(groupID string) ([]cloudprovider.InstanceStatus, error) {
	v, err := p.view(groupID)
	if err != nil {
		return nil, err
	}
	return v.instances, nil
}

// TemplateNode implements cloudprovider.Provider.
func (p *Provider) TemplateNode(groupID string) (cloudprovider.NodeTemplate, error) {
	v, err := p.view(groupID)
	if err != nil {
		return cloudprovider.NodeTemplate{}, err
	}
	if v.templateErr != nil {
		return cloudprovider.NodeTemplate{}, fmt.Errorf("template of group %q: %w", groupID, v.templateErr)
	}
	return v.template, nil
}

// GPUs implements cloudprovider.Provider.
func (p *Provider) GPUs() cloudprovider.GPUs {
	if s := p.current.Load(); s != nil {
		return s.gpus
	}
	return cloudprovider.GPUs{Label: cloudprovider.LabelGPU}
}

// view finds a group in the current snapshot.
func (p *Provider) view(groupID string) (*view, error) {
	s := p.current.Load()
	if s == nil {
		return nil, cloudprovider.ErrNotReady
	}
	v := s.byID[groupID]
	if v == nil {
		return nil, fmt.Errorf("group %q: %w", groupID, cloudprovider.ErrGroupNotFound)
	}
	return v, nil
}

// member finds a served group's state; the caller holds no lock.
func (p *Provider) member(groupID string) (*member, error) {
	if _, err := p.view(groupID); err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	m := p.members[groupID]
	if m == nil {
		return nil, fmt.Errorf("group %q: %w", groupID, cloudprovider.ErrGroupNotFound)
	}
	return m, nil
}

// change applies a transition to a member's state and publishes it, so that it is
// visible to CA before the RPC that caused it returns.
func (p *Provider) change(m *member, transition func(groupState) groupState) {
	p.mu.Lock()
	defer p.mu.Unlock()
	before := m.state
	m.state = transition(before)
	p.nodes.begin(before.woken, m.state.woken)
	m.view = nil
	p.publish()
}

// semaphore is a lock that can be waited for with a context.
type semaphore chan struct{}

func newSemaphore() semaphore { return make(semaphore, 1) }

func (s semaphore) acquire(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case s <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s semaphore) release() { <-s }
