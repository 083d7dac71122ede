package main

import (
	"encoding/json"
	"net/http"
)

// statusPath is where serve answers with a statusReport.
const statusPath = "/status"

// withStatus answers statusPath beside what next answers. It only reads.
func withStatus(next http.Handler, report func() statusReport) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", next)
	mux.HandleFunc("GET "+statusPath, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", "  ")
		encoder.SetEscapeHTML(false) // "<region>.<id>" is for people
		_ = encoder.Encode(report()) // a reader that has gone misses nothing
	})
	return mux
}

// report says how the server is now.
func (s *serving) report() statusReport {
	r := reportOn(s.provider.Status(), s.env.clock.Now(), s.readiness.notReady(), s.grpc.Dialect().String())
	r.Decisions = decisionsOf(s.provider.Decisions())
	if s.lives != nil {
		r.Waits = s.lives.report(r.Now)
	}
	if s.mover != nil {
		r.Overflow = s.mover.report()
	}
	return r
}
