package main

import (
	"log/slog"
	"time"

	"github.com/buildpool/buildpool/ess/esssim"
	"github.com/buildpool/buildpool/ess/esssim/statefile"
)

// openState opens the file that keeps the account.
func (f essSimFlags) openState(cfg esssim.Config, now time.Time, log *slog.Logger) (*statefile.File, error) {
	print, err := statefile.Fingerprint(cfg)
	if err != nil {
		return nil, err
	}
	file, err := statefile.Open(f.state, statefile.Origin{Account: print, Seed: f.seed, Speed: f.speed}, now)
	if err != nil {
		return nil, err
	}
	if torn := file.Torn(); torn > 0 {
		log.Warn("dropped the torn end of the state file: the last change was not done", "bytes", torn)
	}
	if n := len(file.Past()); n > 0 {
		log.Info("going on where the account was left", "state", f.state, "begun", file.Begun(), "changes", n)
	}
	return file, nil
}

// passed is what an account's clock shows that began at an instant of the wall clock
// and runs so many times as fast, also while nobody runs it.
func passed(begun, now time.Time, speed float64) time.Time {
	return begun.Add(time.Duration(float64(now.Sub(begun)) * speed))
}
