package nodegroups

import "time"

// askedKept is how many of a group's accepted scale-ups are remembered.
const askedKept = 64

// Birth is what is known of how an instance came to be.
type Birth struct {
	Group string
	// Asked is when the last scale-up was accepted that its group had had when the cloud
	// created it, or started it again; zero: none since our start. Created is when the
	// cloud did.
	Asked, Created time.Time
	// Again: it had been stopped, and was started and not created.
	Again bool
}

// BirthOf returns what is known of an instance as of the last reading; ok is false for
// one that is none of our groups'.
func (p *Provider) BirthOf(instanceID string) (b Birth, ok bool) {
	s := p.current.Load()
	if s == nil {
		return Birth{}, false
	}
	group, ours := s.owner[instanceID]
	if !ours {
		return Birth{}, false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	m := p.members[group]
	if m == nil {
		return Birth{}, false
	}
	for _, i := range m.seen.instances {
		if i.ID != instanceID {
			continue
		}
		_, again := m.state.woken[i.ID]
		b = Birth{Group: group, Created: m.state.began(i), Again: again}
		for _, at := range m.asked {
			if !at.After(b.Created.Add(time.Second)) { // the cloud's times are to the second
				b.Asked = at
			}
		}
		return b, true
	}
	return Birth{}, false
}

// rememberAsking notes when a scale-up was accepted.
func (p *Provider) rememberAsking(m *member) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(m.asked) == askedKept {
		m.asked = append(m.asked[:0:0], m.asked[1:]...)
	}
	m.asked = append(m.asked, p.Clock.Now())
}
