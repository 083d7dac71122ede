package oracle

import (
	"slices"
	"time"

	"github.com/buildpool/buildpool/ess/esssim/account"
)

// lookEvery is how often the account is looked at while it is at work.
const lookEvery = time.Second

// machine is an instance of the account, from its first appearance to its end.
type machine struct {
	id    string
	group int
	// record is its index into the result's nodes.
	record  int
	created time.Time
	node    *node // nil until it is Ready
	gone    bool
	// told: the spot market has said that it takes it back.
	told bool
}

// look reads the account and makes the cluster follow it. The account works its
// state out when it is asked, and has no way to tell of its own accord; so it is
// asked after every write, and every second until it is at rest. mu is held.
func (w *world) look(now time.Time) {
	there := map[string]bool{}
	settled := true
	for index := range w.settings.Groups {
		group, instances := w.readGroup(index)
		living := 0
		for _, i := range instances {
			there[i.ID] = true
			if w.machines[i.ID] == nil {
				w.appear(index, i, now)
			}
			if i.State == account.InService {
				living++
			} else {
				settled = false
			}
		}
		settled = settled && living == group.Desired
	}
	for _, m := range w.cluster.ordered(w.machines) {
		if !there[m.id] && !w.parted(m) {
			w.vanish(m, now)
		}
	}
	w.moves++
	w.resting = settled
	if !settled {
		w.planLook(now.Add(lookEvery))
	}
}

// parted reports whether the machine has left its group before its end, which was
// announced: it runs on until then.
func (w *world) parted(m *machine) bool {
	return m.told && slices.ContainsFunc(w.account.State().Machines, func(i account.Instance) bool { return i.ID == m.id })
}

// readGroup returns a scaling group and its instances that are not stopped.
func (w *world) readGroup(index int) (account.Group, []account.Instance) {
	id := scalingGroupID(index)
	groups, err := w.account.Account().Groups(account.GroupQuery{IDs: []string{id}})
	w.must(err)
	group := groups.Items[0]
	if group.Counters.Total() == group.Counters.Stopped {
		return group, nil
	}
	var all []account.Instance
	for page := 1; ; page++ {
		part, err := w.account.Account().Instances(account.InstanceQuery{GroupID: id, Paging: account.Paging{Number: page, Size: instancePage}})
		w.must(err)
		for _, i := range part.Items {
			if i.State != account.Stopped {
				all = append(all, i)
			}
		}
		if page*instancePage >= part.Total {
			return group, all
		}
	}
}

// instancePage is the account's largest page.
const instancePage = 100

// must ends the run on an error that only a mistake of the world itself can cause.
func (w *world) must(err error) {
	if err != nil {
		panic("the oracle's world: " + err.Error())
	}
}

// planLook plans a look, unless one is planned already: that one plans the next.
func (w *world) planLook(at time.Time) {
	if w.looking {
		return
	}
	w.looking = true
	w.at(at, func() {
		w.looking = false
		w.look(at)
	})
}

// appear takes a new instance in: its node will be Ready after a boot of its own.
func (w *world) appear(group int, i account.Instance, now time.Time) {
	g := w.settings.Groups[group]
	m := &machine{id: i.ID, group: group, created: i.Created, record: len(w.result.Nodes)}
	boot := w.draw(g.Boot)
	if !w.createdInRun(i) {
		m.created, boot = w.start, 0
	}
	w.machines[i.ID] = m
	w.recordCreated(m)
	ready := m.created.Add(boot)
	if ready.Before(now) {
		ready = now
	}
	w.at(ready, func() {
		if !m.gone {
			w.join(m, ready)
		}
	})
	if g.Spot != nil {
		w.planReclaim(m)
	}
}

func (w *world) createdInRun(i account.Instance) bool { return !i.Created.Before(w.start) }

// vanish lets an instance and its node go, and the builds on it begin anew.
func (w *world) vanish(m *machine, now time.Time) {
	m.gone = true
	delete(w.machines, m.id)
	w.recordRemoved(m, now)
	if m.node != nil {
		w.leave(m.node, now)
	}
}
