package esssim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/buildpool/buildpool/ess/esssim/account"
)

// newAdmin is the operator's endpoint: it reads and changes the account past the
// API, without a signature.
func (s *Simulator) newAdmin() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /admin/state", s.adminState)
	mux.HandleFunc("GET /admin/calls", s.adminCalls)
	mux.HandleFunc("DELETE /admin/calls", func(w http.ResponseWriter, _ *http.Request) {
		s.ForgetCalls()
		s.adminDone(w, nil)
	})
	mux.HandleFunc("POST /admin/stock", func(w http.ResponseWriter, r *http.Request) {
		s.adminDone(w, decodeAnd(w, r, s.account.SetStock))
	})
	mux.HandleFunc("POST /admin/faults", func(w http.ResponseWriter, r *http.Request) {
		s.adminDone(w, decodeAnd(w, r, s.InjectFault))
	})
	mux.HandleFunc("DELETE /admin/faults", func(w http.ResponseWriter, _ *http.Request) {
		s.adminDone(w, s.ClearFaults())
	})
	mux.HandleFunc("POST /admin/delays", func(w http.ResponseWriter, r *http.Request) {
		s.adminDone(w, decodeAnd(w, r, s.account.SetDelays))
	})
	mux.HandleFunc("POST /admin/reclaim", func(w http.ResponseWriter, r *http.Request) {
		s.adminDone(w, decodeAnd(w, r, s.adminReclaim))
	})
	mux.HandleFunc("POST /admin/health", func(w http.ResponseWriter, r *http.Request) {
		s.adminDone(w, decodeAnd(w, r, func(h healthRequest) error { return s.account.SetHealth(h.InstanceID, h.Status) }))
	})
	mux.HandleFunc("POST /admin/quotas", func(w http.ResponseWriter, r *http.Request) {
		s.adminDone(w, decodeAnd(w, r, s.account.SetQuotas))
	})
	mux.HandleFunc("POST /admin/prices", func(w http.ResponseWriter, r *http.Request) {
		s.adminDone(w, decodeAnd(w, r, s.account.SetSpotPrice))
	})
	mux.HandleFunc("POST /admin/permissions", func(w http.ResponseWriter, r *http.Request) {
		s.adminDone(w, decodeAnd(w, r, s.SetPermissions))
	})
	mux.HandleFunc("POST /admin/exclusive", func(w http.ResponseWriter, r *http.Request) {
		s.adminDone(w, decodeAnd(w, r, func(e account.Exclusive) error { _, err := s.account.StartExclusive(e); return err }))
	})
	mux.HandleFunc("POST /admin/groups/{id}", func(w http.ResponseWriter, r *http.Request) {
		s.adminDone(w, decodeAnd(w, r, func(c account.GroupChange) error { return s.account.EditGroup(r.PathValue("id"), c) }))
	})
	mux.HandleFunc("/admin/", func(w http.ResponseWriter, r *http.Request) {
		s.adminWrite(w, http.StatusNotFound, adminError{fmt.Sprintf("no %s %s here; there are GET state, GET and DELETE calls, POST stock, POST and DELETE faults, POST delays, POST reclaim, POST health, POST quotas, POST prices, POST permissions, POST exclusive, POST groups/{id}", r.Method, r.URL.Path)})
	})
	return mux
}

// decodeAnd decodes a request's JSON strictly and does something with it.
func decodeAnd[T any](w http.ResponseWriter, r *http.Request, do func(T) error) error {
	decoder := json.NewDecoder(limitBody(w, r))
	decoder.DisallowUnknownFields()
	var body T
	if err := decoder.Decode(&body); err != nil {
		return fmt.Errorf("decode request: %w", err)
	}
	return do(body)
}

type adminError struct {
	Error string `json:"error"`
}

func (s *Simulator) adminDone(w http.ResponseWriter, err error) {
	if err != nil {
		s.adminWrite(w, http.StatusBadRequest, adminError{err.Error()})
		return
	}
	s.adminWrite(w, http.StatusOK, struct{}{})
}

func (s *Simulator) adminWrite(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", " ")
	// The client may be gone; it knows.
	_ = encoder.Encode(body)
}

type healthRequest struct {
	InstanceID string `json:"instanceId"`
	// Status is Healthy or Unhealthy.
	Status string `json:"status"`
}

type reclaimRequest struct {
	InstanceID string            `json:"instanceId"`
	Notice     *account.Duration `json:"notice"`
}

func (s *Simulator) adminReclaim(r reclaimRequest) error {
	notice := account.ReclaimNotice
	if r.Notice != nil {
		notice = time.Duration(*r.Notice)
	}
	if notice < 0 {
		return fmt.Errorf("notice: %v is negative", notice)
	}
	return s.Reclaim(r.InstanceID, notice)
}

type callsReply struct {
	Counts map[string]int `json:"counts"`
	Calls  []Call         `json:"calls"`
}

func (s *Simulator) adminCalls(w http.ResponseWriter, _ *http.Request) {
	s.adminWrite(w, http.StatusOK, callsReply{s.Calls(), s.Transcript()})
}
