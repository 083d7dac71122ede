package recommend

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/buildpool/buildpool/simulations/engine"
)

// ErrShard is returned for files that are no shards of one search.
var ErrShard = errors.New("no shard of this search")

// Shard is a part of a search's coarse grid: every Count-th setting, from Index on.
type Shard struct {
	// Kind is always RecommendShard.
	Kind string `json:"kind"`
	// Version of this form: 1.
	Version int `json:"version"`
	// Index from 0, of Count shards.
	Index int `json:"index"`
	Count int `json:"count"`
	// Search is a fingerprint of what is searched, and where.
	Search string `json:"search"`
	// Arguments that the search was started with, for whoever merges; the package does
	// not read them.
	Arguments []string `json:"arguments"`
	// Figures by index of the plan.
	Figures map[int]Figures `json:"figures"`
}

const shardKind = "RecommendShard"

// RunShard plays one shard. A cancelled context leaves settings out.
func (s *Search) RunShard(ctx context.Context, index, count int) (Shard, error) {
	if index < 0 || index >= count {
		return Shard{}, fmt.Errorf("shard %d of %d: want one from 0 to %d", index, count, count-1)
	}
	search, err := s.fingerprint()
	if err != nil {
		return Shard{}, err
	}
	own := (len(s.plan) - index + count - 1) / count
	s.evaluator.planned = own
	figures, err := s.evaluator.all(ctx, own, func(i int) engine.Settings { return s.plan[index+i*count].setting.apply(s.settings) })
	if err != nil {
		return Shard{}, err
	}
	out := Shard{Kind: shardKind, Version: Version, Index: index, Count: count, Search: search, Figures: map[int]Figures{}}
	for i, f := range figures {
		if f != nil {
			out.Figures[index+i*count] = *f
		}
	}
	return out, nil
}

// Merge goes on where the shards ended, and comes to the same outcome as a search in one
// piece. It returns ErrShard if they are of another search, or if one is missing.
func (s *Search) Merge(ctx context.Context, shards []Shard) (Outcome, error) {
	search, err := s.fingerprint()
	if err != nil {
		return Outcome{}, err
	}
	figures := make([]*Figures, len(s.plan))
	for _, shard := range shards {
		if shard.Search != search {
			return Outcome{}, fmt.Errorf("shard %d of %d was made with other builds, settings or options: %w", shard.Index, shard.Count, ErrShard)
		}
		for i, f := range shard.Figures {
			if i < 0 || i >= len(figures) || len(f.Levels) != len(s.options.SLOs) {
				return Outcome{}, fmt.Errorf("shard %d of %d has figures of setting %d: %w", shard.Index, shard.Count, i, ErrShard)
			}
			figures[i] = &f
		}
	}
	missing := 0
	for _, f := range figures {
		if f == nil {
			missing++
		}
	}
	if missing > 0 {
		return Outcome{}, fmt.Errorf("%d of %d settings are in no file: a shard is missing, or was cut short: %w", missing, len(figures), ErrShard)
	}
	s.evaluator.done = len(figures)
	return s.finish(ctx, figures)
}

// fingerprint tells searches apart: by all that a run depends on, and what is asked for.
func (s *Search) fingerprint() (string, error) {
	hash := sha256.New()
	e := json.NewEncoder(hash)
	for _, part := range []any{s.settings, s.options.SLOs, s.options.Budget, s.options.Settings, s.options.Seeds, s.options.Weeks, s.settings.Trace.Start.Location().String()} {
		if err := e.Encode(part); err != nil {
			return "", fmt.Errorf("fingerprint the search: %w", err)
		}
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

// WriteShard writes a shard for ReadShard.
func WriteShard(w io.Writer, s Shard) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		return fmt.Errorf("write shard: %w", err)
	}
	return nil
}

// ReadShard reads what WriteShard wrote; what is none, or of another version, is
// ErrShard.
func ReadShard(r io.Reader) (Shard, error) {
	var s Shard
	if err := json.NewDecoder(r).Decode(&s); err != nil {
		return Shard{}, fmt.Errorf("read shard: %w (%w)", ErrShard, err)
	}
	if s.Kind != shardKind || s.Version != Version {
		return Shard{}, fmt.Errorf("read shard: kind %q, version %d: %w", s.Kind, s.Version, ErrShard)
	}
	return s, nil
}
