package esssim

import (
	"maps"
	"slices"
	"sync"
	"time"
)

// Call is one call as the transcript keeps it, without anything secret.
type Call struct {
	// At is the account's time.
	At     time.Time         `json:"at"`
	API    string            `json:"api"`
	Params map[string]string `json:"params"`
	Status int               `json:"status"` // 0: the connection was dropped
	Code   string            `json:"code,omitempty"`
	// Fault is the injected fault that hit the call.
	Fault     FaultKind `json:"fault,omitempty"`
	RequestID string    `json:"requestId"`
}

// keptCalls is how many calls the transcript keeps.
const keptCalls = 2000

type calls struct {
	mu    sync.Mutex
	total map[string]int
	ring  []Call
	next  int
}

func newCalls() *calls { return &calls{total: map[string]int{}} }

func (c *calls) record(call Call) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.total[call.API]++
	if len(c.ring) < keptCalls {
		c.ring = append(c.ring, call)
		return
	}
	c.ring[c.next] = call
	c.next = (c.next + 1) % keptCalls
}

func (c *calls) counts() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.total)
}

func (c *calls) transcript() []Call {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Concat(c.ring[c.next:], c.ring[:c.next])
}

func (c *calls) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.total, c.ring, c.next = map[string]int{}, nil, 0
}

// protocolParameters say how a request is made rather than what it asks; the
// secret ones are among them.
var protocolParameters = []string{
	"AccessKeyId", "Action", "BearerToken", "Format", "OIDCToken", "RegionId", "SecurityToken", "Signature",
	"SignatureMethod", "SignatureNonce", "SignatureType", "SignatureVersion", "TimeStamp", "Timestamp", "Version",
}

// business returns what a request asks.
func (p parameters) business() map[string]string {
	asked := maps.Clone(map[string]string(p))
	for _, name := range protocolParameters {
		delete(asked, name)
	}
	return asked
}
