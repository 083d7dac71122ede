package nodegroups

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/buildpool/buildpool/cloudprovider"
)

// sightTime is how long a node that CA showed us counts as alive. CA asks for every
// node in every loop, so two minutes are many loops even of a slow one.
const sightTime = 2 * time.Minute

// identities knows how the cluster spells provider IDs and which instances back a
// live node. CA compares IDs letter for letter: a wrong spelling makes it delete
// running nodes after 15 minutes.
type identities struct {
	// learned is the form of the last real node that was spelt unlike those before.
	learned atomic.Pointer[cloudprovider.ProviderIDForm]
	sights  sync.Map // instance ID → *sight
	// strangers are IDs of our own form that no group owned when CA asked.
	strangers sync.Map // instance ID → time.Time of the first question
	// met: a stranger was met since the last full look.
	met atomic.Bool
	// respelled: a spelling was learned since the last refresh.
	respelled atomic.Bool
	// asked: CA has asked for a real node since the last refresh. looped: it has begun a
	// loop after that, in which it shows every node before it deletes one.
	asked, looped atomic.Bool
}

// sight is when and under which spelling CA last showed us an instance's node.
type sight struct {
	form cloudprovider.ProviderIDForm
	// first is when CA showed us the node for the first time in the instance's present
	// life; zero: not yet.
	first time.Time
	at    atomic.Int64 // Unix nanoseconds
}

// saw notes a real node of ours that CA asked about. It runs once per node and loop.
func (n *identities) saw(instanceID string, form cloudprovider.ProviderIDForm, now time.Time) {
	first := now
	if v, ok := n.sights.Load(instanceID); ok {
		s := v.(*sight)
		if !s.first.IsZero() {
			s.at.Store(now.UnixNano())
			if s.form == form {
				return
			}
			first = s.first
		}
	}
	s := &sight{form: form, first: first}
	s.at.Store(now.UnixNano())
	n.sights.Store(instanceID, s)
	n.learn(form)
}

// meet notes a real node that no group owns. An instance that replaced another
// between two looks leaves the counters as they were; being asked for its node is how
// we hear of it. A node that was ours has merely left.
func (n *identities) meet(instanceID string, form cloudprovider.ProviderIDForm, now time.Time) {
	if _, wasOurs := n.sights.Load(instanceID); wasOurs {
		return
	}
	if _, known := n.strangers.LoadOrStore(instanceID, now); !known {
		n.met.Store(true)
		n.learn(form)
	}
}

func (n *identities) learn(form cloudprovider.ProviderIDForm) {
	if n.usual() != form {
		n.learned.Store(&form)
		n.respelled.Store(true)
	}
}

// usual is how the cluster spelt the last node that was spelt otherwise.
func (n *identities) usual() cloudprovider.ProviderIDForm {
	if l := n.learned.Load(); l != nil {
		return *l
	}
	return cloudprovider.FormDot
}

// firstSeen is when CA showed us the instance's node for the first time; ok is false if
// it never did.
func (n *identities) firstSeen(instanceID string) (at time.Time, ok bool) {
	v, ok := n.sights.Load(instanceID)
	if !ok || v.(*sight).first.IsZero() {
		return time.Time{}, false
	}
	return v.(*sight).first, true
}

// known reports whether CA has ever shown us the instance's node.
func (n *identities) known(instanceID string) bool {
	_, ok := n.sights.Load(instanceID)
	return ok
}

// begin forgets when CA showed us the nodes of instances that have begun another life:
// those were of the life before.
func (n *identities) begin(before, woken map[string]time.Time) {
	for id, at := range woken {
		if before[id].Equal(at) {
			continue
		}
		if v, ok := n.sights.Load(id); ok {
			last := v.(*sight)
			s := &sight{form: last.form}
			s.at.Store(last.at.Load())
			n.sights.Store(id, s)
		}
	}
}

// alive returns the sight of an instance whose node CA showed us lately.
func (n *identities) alive(instanceID string, now time.Time) (*sight, bool) {
	v, ok := n.sights.Load(instanceID)
	if !ok {
		return nil, false
	}
	s := v.(*sight)
	return s, now.Sub(time.Unix(0, s.at.Load())) <= sightTime
}

// begins notes that CA begins a loop.
func (n *identities) begins() {
	if n.asked.Swap(false) {
		n.looped.Store(true)
	}
}

// blind reports whether nodes may be alive that CA has not shown us yet: we have
// started in the middle of one of its loops. Where it has no node to show, time ends it.
func (p *Provider) blind() bool {
	return !p.nodes.looped.Load() && p.Clock.Now().Sub(p.born) < sightTime
}

// speller returns how to write the provider ID of an instance: as configured, else
// as its own node was seen to, else as the cluster's last node did.
func (n *identities) speller(region string, configured cloudprovider.ProviderIDForm) func(instanceID string) string {
	usual := n.usual()
	return func(instanceID string) string {
		form := configured
		if form == "" {
			form = usual
			if v, ok := n.sights.Load(instanceID); ok {
				form = v.(*sight).form
			}
		}
		return cloudprovider.ProviderID{Region: region, InstanceID: instanceID}.Format(form)
	}
}

// strangerTime is how long a stranger stays known, so that it causes one full look a
// day and not one per loop.
const strangerTime = 24 * time.Hour

// forget drops what was noted of instances that are not owned any more.
func (n *identities) forget(owner map[string]string, now time.Time) {
	n.sights.Range(func(key, value any) bool {
		if owner[key.(string)] == "" && now.Sub(time.Unix(0, value.(*sight).at.Load())) > departedTime {
			n.sights.Delete(key)
		}
		return true
	})
	n.strangers.Range(func(key, value any) bool {
		if now.Sub(value.(time.Time)) > strangerTime {
			n.strangers.Delete(key)
		}
		return true
	})
}

// NodeGroupForNode implements cloudprovider.Provider. It answers from the snapshot:
// CA asks it several times per node and loop, and asks again each time the answer
// is "none".
func (p *Provider) NodeGroupForNode(node cloudprovider.Node) (cloudprovider.NodeGroup, error) {
	if !node.Fake() {
		p.nodes.asked.Store(true)
	}
	s := p.current.Load()
	if s == nil {
		return cloudprovider.NodeGroup{}, cloudprovider.ErrNotReady
	}
	if isPlaceholderID(node.ProviderID) {
		return s.placeholderOwner(node.ProviderID)
	}
	if node.Virtual() { // no instance, whatever its provider ID looks like: not even a stranger
		return cloudprovider.NodeGroup{}, fmt.Errorf("virtual node %q: %w", node.Name, cloudprovider.ErrNotManaged)
	}
	id, form, err := cloudprovider.ParseProviderID(node.ProviderID)
	if err != nil {
		return cloudprovider.NodeGroup{}, err
	}
	group, owned := s.owner[id.InstanceID]
	if s.earlier(node, id.InstanceID) {
		return cloudprovider.NodeGroup{}, fmt.Errorf("node %q is what is left of one whose instance was stopped: %w", node.Name, cloudprovider.ErrNotManaged)
	}
	if !owned {
		if !node.Fake() {
			p.nodes.meet(id.InstanceID, form, p.Clock.Now())
		}
		return cloudprovider.NodeGroup{}, fmt.Errorf("node %q: %w", node.Name, cloudprovider.ErrNotManaged)
	}
	if !node.Fake() {
		p.nodes.saw(id.InstanceID, form, p.Clock.Now())
	}
	return s.byID[group].group, nil
}

// earlier reports whether a real node is of a life that its instance has ended.
func (s *snapshot) earlier(node cloudprovider.Node, instanceID string) bool {
	if node.Fake() {
		return false
	}
	_, waking := s.waking[instanceID]
	return waking || s.asleep[instanceID]
}

// placeholderOwner finds the group that lists a placeholder.
func (s *snapshot) placeholderOwner(id string) (cloudprovider.NodeGroup, error) {
	for _, v := range s.order {
		for _, i := range v.instances {
			if i.ID == id {
				return v.group, nil
			}
		}
	}
	return cloudprovider.NodeGroup{}, fmt.Errorf("placeholder %q: %w", id, cloudprovider.ErrNotManaged)
}
