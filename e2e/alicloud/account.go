package main

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/buildpool/buildpool/ess/esssim"
	"github.com/buildpool/buildpool/ess/esssim/account"
)

// What the simulated account is made of.
const (
	region       = "cn-hangzhou"
	zone         = "cn-hangzhou-h"
	instanceType = "ecs.c7.2xlarge"
	accessKey    = "sim-access-key"
	accessSecret = "sim-secret"
)

// fleet says what an account holds: so many scaling groups with so many instances in
// all, spread as evenly as can be.
type fleet struct {
	groups, nodes int
	// relative: the groups are not in expected-number mode.
	relative bool
}

func (f fleet) String() string { return fmt.Sprintf("%d × %d", f.groups, f.nodes) }

func groupID(n int) string { return fmt.Sprintf("asg-%03d", n) }

// in returns how many instances group n starts with.
func (f fleet) in(n int) int {
	count := f.nodes / f.groups
	if n < f.nodes%f.groups {
		count++
	}
	return count
}

// maxSize is the largest a scaling group can be.
const maxSize = 2000

func (f fleet) accountFile() []byte {
	var b strings.Builder
	fmt.Fprintf(&b, `apiVersion: buildpool/v1alpha1
kind: Account
region: %s
accessKeys: [{id: %s, secret: %s}]
vSwitches: [{id: vsw-h, zone: %s}]
instanceTypes: [{name: %s, cpus: 8, memoryGiB: 16, enis: 4, ipsPerENI: 15, pricePerHour: 1.6308}]
scalingGroups:
`, region, accessKey, accessSecret, zone, instanceType)
	for n := range f.groups {
		fmt.Fprintf(&b, `  - id: %[1]s
    name: %[1]s
    max: %[2]d
    inService: %[3]d
    expectedNumberMode: %[4]t
    vSwitchIds: [vsw-h]
    scalingConfiguration: {id: asc-%03[5]d, instanceTypes: [%[6]s], systemDiskGiB: 120}
`, groupID(n), maxSize, f.in(n), !f.relative, n, instanceType)
	}
	return []byte(b.String())
}

// simulation is a simulated account on a loopback address, without rate limits.
type simulation struct {
	*esssim.Simulator
	clock    *skippingClock
	latency  atomic.Int64 // nanoseconds
	listener net.Listener
	server   *http.Server
	served   chan error
}

func simulate(f fleet) (*simulation, error) {
	cfg, err := esssim.Parse("account.yaml", f.accountFile())
	if err != nil {
		return nil, err
	}
	s := &simulation{clock: &skippingClock{}, served: make(chan error, 1)}
	if s.Simulator, err = esssim.New(esssim.Options{Config: cfg, Clock: s.clock, Seed: 1}); err != nil {
		return nil, err
	}
	if s.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, fmt.Errorf("listen for the simulated account: %w", err)
	}
	s.server = &http.Server{Handler: http.HandlerFunc(s.answer), ReadHeaderTimeout: time.Minute}
	go func() { s.served <- s.server.Serve(s.listener) }()
	return s, nil
}

// answer waits for as long as an API call is to take, and answers it.
func (s *simulation) answer(w http.ResponseWriter, r *http.Request) {
	time.Sleep(time.Duration(s.latency.Load()))
	s.ServeHTTP(w, r)
}

func (s *simulation) address() string { return s.listener.Addr().String() }

// count returns the API calls since the account was last told to forget them.
func (s *simulation) count() int {
	total := 0
	for _, n := range s.Calls() {
		total += n
	}
	return total
}

// sellOut leaves nothing to create an instance from.
func (s *simulation) sellOut() error { return s.SetStock(zone, instanceType, account.OnDemand, 0) }

func (s *simulation) close() error {
	err := s.server.Close()
	if served := <-s.served; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}
