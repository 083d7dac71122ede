package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/pflag"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/buildpool/buildpool/cluster"
	reclaims "github.com/buildpool/buildpool/nodegroups/spot"
)

const (
	// reclaimsPeriod is how soon a new notice is written down, and how soon one that
	// begins to lead knows what its predecessor did.
	reclaimsPeriod = 10 * time.Second
	// reclaimsAgain is how often hours without a notice are written down.
	reclaimsAgain = 10 * time.Minute
	// reclaimsTimeout bounds one reading or writing.
	reclaimsTimeout = 5 * time.Second
	// reclaimsIdle is how long after its last reading of the account a provider counts as
	// the one that is asked.
	reclaimsIdle = 2 * time.Minute
	// reclaimsKey is the key in the ConfigMap.
	reclaimsKey = "reclaims.json"
)

// reclaimFlags say where it is kept how often spot instances were taken back.
type reclaimFlags struct{ kept string }

func (f *reclaimFlags) register(flags *pflag.FlagSet) {
	flags.StringVar(&f.kept, "reclaim-history", "", "the ConfigMap that keeps how often spot instances are taken back, as namespace/name; default: that is forgotten with the process")
}

func (f *reclaimFlags) check() error {
	namespace, name, ok := strings.Cut(f.kept, "/")
	if f.kept != "" && (!ok || namespace == "" || name == "" || strings.Contains(name, "/")) {
		return fmt.Errorf("--reclaim-history is %q, want namespace/name", f.kept)
	}
	return nil
}

// reclaimKeeper carries the history of reclaims from one provider to the next.
type reclaimKeeper struct {
	s        *serving
	notebook *cluster.Notebook
	// recalled: the provider knows what was written down.
	recalled bool
	// noticed is when the last notice that was written down was seen, and at when
	// anything was.
	noticed, at time.Time
}

// openReclaims prepares the keeping of the history; without --reclaim-history there is none.
func (s *serving) openReclaims() error {
	if s.flags.reclaims.kept == "" {
		return nil
	}
	client, err := s.kubernetes()
	if err != nil {
		return fmt.Errorf("keep the history of reclaims: %w", err)
	}
	namespace, name, _ := strings.Cut(s.flags.reclaims.kept, "/")
	s.reclaims = &reclaimKeeper{s: s, notebook: cluster.NewNotebook(client, namespace, name, reclaimsKey)}
	return nil
}

// keepReclaims recalls and writes down what is known of reclaims, until ctx ends.
func (s *serving) keepReclaims(ctx context.Context) {
	if s.reclaims == nil {
		return
	}
	ticker := s.env.clock.NewTicker(reclaimsPeriod)
	defer ticker.Stop()
	var complained time.Time
	for {
		if err := s.reclaims.round(ctx, false); err != nil && ctx.Err() == nil && s.env.clock.Since(complained) >= closingComplaint {
			complained = s.env.clock.Now()
			hint := ""
			if apierrors.IsForbidden(err) {
				hint = "allow get, create and patch of the ConfigMap"
			}
			s.log.Warn("how often spot instances are taken back is not kept", "error", err, "fix", hint)
		}
		select {
		case <-ctx.Done():
			if err := s.reclaims.round(context.WithoutCancel(ctx), true); err != nil {
				s.log.Warn("the latest hours of spot instances are not written down", "error", err)
			}
			return
		case <-ticker.C():
		}
	}
}

// asked reports whether this replica's provider is the one that is asked.
func (k *reclaimKeeper) asked() bool {
	if k.s.election != nil {
		return k.s.election.Leading()
	}
	taken := k.s.provider.Status().Taken
	return !taken.IsZero() && k.s.env.clock.Since(taken) < reclaimsIdle
}

// round recalls the history, or writes it down if there is something new; last: whatever
// there is.
func (k *reclaimKeeper) round(ctx context.Context, last bool) error {
	ctx, cancel := context.WithTimeout(ctx, reclaimsTimeout)
	defer cancel()
	switch {
	case !k.asked():
		if k.recalled { // another one writes from now on
			k.s.provider.ForgetReclaims()
			k.recalled = false
		}
		return nil
	case !k.recalled:
		return k.recall(ctx)
	case k.s.flags.dryRun:
		return nil
	}
	h := k.s.provider.Reclaims()
	newest := k.noticed
	for _, told := range h.Told {
		if told.At.After(newest) {
			newest = told.At
		}
	}
	now := k.s.env.clock.Now()
	if len(h.Pools) == 0 || !last && newest.Equal(k.noticed) && now.Sub(k.at) < reclaimsAgain {
		return nil
	}
	text, err := h.Encode()
	if err != nil {
		return err
	}
	if err := k.notebook.Write(ctx, text); err != nil {
		return err
	}
	k.noticed, k.at = newest, now
	return nil
}

// recall gives the provider what was written down. What cannot be read as such is written
// over: it is of no use to anybody.
func (k *reclaimKeeper) recall(ctx context.Context) error {
	text, err := k.notebook.Read(ctx)
	if err != nil {
		return err
	}
	k.recalled, k.at = true, k.s.env.clock.Now()
	if text == "" {
		return nil
	}
	h, err := reclaims.DecodeHistory(text)
	if err != nil {
		return errors.Join(errors.New("what was kept cannot be read, and is begun anew"), err)
	}
	k.s.provider.RecallReclaims(h)
	k.s.log.Info("recalled how often spot instances were taken back", "pools", len(h.Pools), "of", h.At)
	return nil
}
