package esssim

import (
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"k8s.io/utils/clock"

	"github.com/buildpool/buildpool/ess/esssim/account"
)

// Config is an account file.
type Config = account.Config

// Load reads an account file; see account.Load.
func Load(path string) (Config, error) { return account.Load(path) }

// Parse decodes an account file strictly; see account.Parse.
func Parse(name string, data []byte) (Config, error) { return account.Parse(name, data) }

// Options are what a simulator is made of.
type Options struct {
	Config Config
	// Clock drives the account: instances, activities, stock and rate limits. It may
	// be accelerated or virtual.
	Clock clock.PassiveClock
	// AuthClock is what requests are dated by, and what slow answers wait on:
	// usually the wall clock, because clients sign with theirs. Default: RealClock.
	AuthClock clock.Clock
	// Seed of identifiers and of chance. The same seed and the same calls give the
	// same state.
	Seed uint64
	// History is what an earlier run with the same configuration and seed left, and
	// keeps what is done from now on. Default: nothing outlives the process.
	History History
	// Log gets one line per write. Default: none.
	Log *slog.Logger
}

// Simulator is a simulated account behind an http.Handler: the API at every path
// but /admin/, where its operator reads and changes it. It is safe for concurrent
// use and has no goroutines of its own.
type Simulator struct {
	account   *account.Account
	clock     clock.PassiveClock
	authClock clock.Clock
	keys      *keyring
	nonces    *nonces
	throttle  *throttle
	faults    *faults
	calls     *calls
	requests  *requestIDs
	admin     http.Handler
	log       *slog.Logger
}

var _ http.Handler = (*Simulator)(nil)

// New makes a simulator of an account.
func New(o Options) (*Simulator, error) {
	if o.Clock == nil {
		return nil, fmt.Errorf("make simulator: no clock is given")
	}
	if o.AuthClock == nil {
		o.AuthClock = clock.RealClock{}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	state, err := newAccount(o)
	if err != nil {
		return nil, err
	}
	keys, err := newKeyring(o.Config.AccessKeys, o.Config.RoleAllow, o.Seed)
	if err != nil {
		return nil, fmt.Errorf("make simulator: %w", err)
	}
	s := &Simulator{
		account:   state,
		clock:     o.Clock,
		authClock: o.AuthClock,
		keys:      keys,
		nonces:    newNonces(),
		throttle:  newThrottle(o.Config.Throttle),
		faults:    newFaults(o.Seed),
		calls:     newCalls(),
		requests:  newRequestIDs(o.Seed, 0),
		log:       o.Log,
	}
	for _, f := range o.Config.Faults {
		if err := s.InjectFault(configuredFault(f)); err != nil {
			return nil, fmt.Errorf("make simulator: %w", err)
		}
	}
	s.admin = s.newAdmin()
	if o.History != nil {
		if err := s.resume(o.History, o.Seed); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Account is the state behind the simulator, to be read or changed without HTTP.
func (s *Simulator) Account() *account.Account { return s.account }

// SetStock bounds how many instances of a type may run at once in a zone; -1 is
// unlimited.
func (s *Simulator) SetStock(zone, instanceType string, charge account.Charge, count int) error {
	return s.account.SetStock(account.Stock{Zone: zone, Type: instanceType, Charge: charge, Count: count})
}

// Reclaim makes the spot market take an instance back after a notice;
// account.ReclaimNotice is the real one.
func (s *Simulator) Reclaim(instanceID string, notice time.Duration) error {
	return s.account.Reclaim(instanceID, notice)
}

// SetHealth says that an instance is Healthy or Unhealthy.
func (s *Simulator) SetHealth(instanceID, status string) error {
	return s.account.SetHealth(instanceID, status)
}

// InjectFault makes calls fail from now on.
func (s *Simulator) InjectFault(f Fault) error { return s.faults.add(f) }

// ClearFaults ends all injected faults.
func (s *Simulator) ClearFaults() error { return s.faults.clear() }

// State returns everything in the account.
func (s *Simulator) State() account.State { return s.account.State() }

// Calls returns how often each API has been called, whatever the outcome.
func (s *Simulator) Calls() map[string]int { return s.calls.counts() }

// Transcript returns the latest calls, oldest first, without secrets.
func (s *Simulator) Transcript() []Call { return s.calls.transcript() }

// ForgetCalls sets the counts to zero and empties the transcript.
func (s *Simulator) ForgetCalls() { s.calls.forget() }

// ServeHTTP answers one request.
func (s *Simulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/admin/") {
		s.admin.ServeHTTP(w, r)
		return
	}
	s.serveRPC(w, r)
}

// maxBody is more than any RPC request needs.
const maxBody = 1 << 20

// limitBody refuses larger bodies than an API call has.
func limitBody(w http.ResponseWriter, r *http.Request) io.ReadCloser {
	if r.Body == nil {
		return http.NoBody
	}
	return http.MaxBytesReader(w, r.Body, maxBody)
}

func newRandom(seed, stream uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, stream)) }
