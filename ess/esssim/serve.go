package esssim

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/buildpool/buildpool/ess/esssim/account"
)

// exchange is one call on its way through the simulator.
type exchange struct {
	w         http.ResponseWriter
	r         *http.Request
	params    parameters
	action    action
	requestID string
	call      Call
}

// serveRPC answers an API call. The order is that of a gateway: is the action
// known, who calls, how often, and only then the service.
func (s *Simulator) serveRPC(w http.ResponseWriter, r *http.Request) {
	x := &exchange{w: w, r: r, requestID: s.requests.next()}
	x.call = Call{At: s.clock.Now(), RequestID: x.requestID}
	// Deferred, because a dropped connection leaves by a panic.
	defer func() { s.calls.record(x.call) }()

	if err := s.admit(x); err != nil {
		s.fail(x, err)
		return
	}
	fault, struck, err := s.faults.strike(x.action.name, x.call.Params)
	if err != nil {
		s.fail(x, err)
		return
	}
	if struck {
		x.call.Fault = fault.Kind
		if !fault.AfterEffect && s.spoil(x, fault) {
			return
		}
	}
	answer, err := x.action.serve(s, x.params)
	s.logWrite(x, err)
	if struck && fault.AfterEffect && s.spoil(x, fault) {
		return
	}
	if err != nil {
		s.fail(x, err)
		return
	}
	answer.setRequestID(x.requestID)
	s.write(x, http.StatusOK, answer)
}

// admit decides whether a request gets as far as the service.
func (s *Simulator) admit(x *exchange) error {
	x.call.API = "?"
	if x.r.Method != http.MethodGet && x.r.Method != http.MethodPost {
		return refuse(405, "UnsupportedHTTPMethod", "This http method is not supported.")
	}
	x.r.Body = limitBody(x.w, x.r)
	if err := x.r.ParseForm(); err != nil {
		return refuse(400, "InvalidParameter", "The parameters of the request cannot be read.")
	}
	x.params = newParameters(x.r.Form)
	found, err := findAction(x.params["Action"], x.params["Version"])
	if err != nil {
		return err
	}
	x.action = found
	x.call.API = found.name
	x.call.Params = x.params.business()
	if !found.anonymous {
		if err := s.authenticate(x.r.Method, x.params); err != nil {
			return err
		}
	}
	if caller, _ := s.keys.find(x.params["AccessKeyId"]); !found.anonymous && !allowed(caller.allow, found.ramAction()) {
		return newDenial(found.ramAction())
	}
	if format := x.params["Format"]; format != "" && !strings.EqualFold(format, "JSON") {
		return refuse(400, "UnsupportedOperation", "The simulated account answers in JSON only.")
	}
	if region := x.params["RegionId"]; found.regional && region != "" && region != s.account.Region() {
		return refuse(404, "InvalidRegionId.NotFound", "The specified region does not exist in the simulated account.")
	}
	ok, header := s.throttle.admit(found.name, s.clock.Now())
	if header != "" {
		x.w.Header().Set("x-ratelimit-user-api", header)
	}
	if !ok {
		return refuse(400, "Throttling.User", "Request was denied due to user flow control.")
	}
	return nil
}

// spoil makes an answer go wrong and reports whether that was the answer.
func (s *Simulator) spoil(x *exchange, f Fault) (answered bool) {
	switch f.Kind {
	case FaultSlow:
		timer := s.authClock.NewTimer(time.Duration(f.Delay))
		defer timer.Stop()
		select {
		case <-timer.C():
			return false
		case <-x.r.Context().Done():
			x.call.Code = "client went away"
			return true
		}
	case FaultDrop:
		x.call.Code = "connection dropped"
		panic(http.ErrAbortHandler)
	case FaultBadJSON:
		x.call.Status = http.StatusBadGateway
		x.w.Header().Set("Content-Type", "text/html")
		x.w.WriteHeader(http.StatusBadGateway)
		fmt.Fprint(x.w, "<html><body><h1>502 Bad Gateway</h1></body></html>")
		return true
	case FaultBadCode:
		s.write(x, f.Status, map[string]any{"RequestId": x.requestID, "HostId": x.r.Host, "Code": f.Status, "Message": "Service unavailable."})
		return true
	}
	message := "The request has failed due to a temporary failure of the server."
	if f.Kind == FaultThrottle {
		message = "Request was denied due to user flow control."
	}
	s.fail(x, refuse(f.Status, f.Code, message))
	return true
}

// rpcError is the body of an error.
type rpcError struct {
	RequestID string `json:"RequestId"`
	HostID    string `json:"HostId"`
	Code      string
	Message   string
	Recommend string

	AccessDeniedDetail *accessDenied `json:",omitempty"`
}

func (s *Simulator) fail(x *exchange, err error) {
	var e *account.Error
	if !errors.As(err, &e) {
		e = &account.Error{Status: 500, Code: "InternalError", Message: "The request processing has failed due to some unknown error."}
		s.log.Error("answer call", "api", x.call.API, "error", err)
	}
	x.call.Code = e.Code
	body := rpcError{
		RequestID: x.requestID,
		HostID:    x.r.Host,
		Code:      e.Code,
		Message:   e.Message,
		Recommend: "https://api.aliyun.com/troubleshoot?q=" + e.Code,
	}
	var denied *denial
	if errors.As(err, &denied) {
		body.AccessDeniedDetail = denied.detail()
	}
	s.write(x, e.Status, body)
}

func (s *Simulator) write(x *exchange, status int, body any) {
	x.call.Status = status
	data, err := json.Marshal(body)
	if err != nil {
		s.log.Error("encode answer", "api", x.call.API, "error", err)
		status, data = http.StatusInternalServerError, []byte(`{"Code":"InternalError"}`)
	}
	x.w.Header().Set("Content-Type", "application/json;charset=utf-8")
	x.w.Header().Set("x-acs-request-id", x.requestID)
	x.w.WriteHeader(status)
	// The client may be gone; it knows.
	_, _ = x.w.Write(data)
}

func (s *Simulator) logWrite(x *exchange, err error) {
	if !x.action.writes {
		return
	}
	attributes := []any{slog.String("api", x.action.name), slog.Any("params", x.call.Params)}
	if err != nil {
		s.log.Info("refused write", append(attributes, slog.Any("error", err))...)
		return
	}
	s.log.Info("write", attributes...)
}

// requestIDs makes request IDs from a stream of chance of their own, so that reads
// do not change the identifiers of instances.
type requestIDs struct {
	mu     sync.Mutex
	random *rand.Rand
}

// newRequestIDs makes those of a process after so many starts before it: no two of an
// account are the same.
func newRequestIDs(seed, starts uint64) *requestIDs {
	return &requestIDs{random: newRandom(seed, 3+starts<<8)}
}

func (n *requestIDs) next() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	a, b := n.random.Uint64(), n.random.Uint64()
	return fmt.Sprintf("%08X-%04X-%04X-%04X-%012X", a>>32, a>>16&0xffff, a&0xffff, b>>48, b&0xffffffffffff)
}
