package oracle

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// row is one case of the table.
type row struct {
	Name string
	// Key is which oracle it was.
	Key                    string
	Builds                 int
	Oracle, Engine         []figures
	OracleTook, EngineTook time.Duration
}

func (r row) verdicts() []verdict { return compare(r.Oracle, r.Engine) }

// String shows every run, for somebody who looks for a difference.
func (r row) String() string {
	var b strings.Builder
	line := func(who string, f figures) {
		fmt.Fprintf(&b, "%-7s cost %9.2f  node-hours %9.2f  p50 %6.1f  p95 %6.1f  p99 %6.1f  scale-ups %d nodes %d interrupted %d unstarted %d\n",
			who, f.Cost, f.NodeHours, f.P50.Seconds(), f.P95.Seconds(), f.P99.Seconds(), f.ScaleUps, f.Nodes, f.Interruptions, f.Unstarted)
	}
	for _, f := range r.Oracle {
		line("oracle", f)
	}
	for _, f := range r.Engine[:min(len(r.Engine), 3)] {
		line("engine", f)
	}
	fmt.Fprintf(&b, "%d builds, a run of the oracle takes %v, of the engine %v", r.Builds, r.OracleTook.Round(time.Millisecond), r.EngineTook.Round(10*time.Microsecond))
	return b.String()
}

// table is what is known of the cases so far. It is written after each: a run takes long,
// and may be ended.
type table struct {
	path, kept, key string
	mu              sync.Mutex
	rows            []row
}

// openTable reads the cases kept of a run of the same key; either path may be empty.
func openTable(path, kept, key string) (*table, error) {
	t := &table{path: path, kept: kept, key: key}
	if kept == "" {
		return t, nil
	}
	text, err := os.ReadFile(kept)
	if errors.Is(err, fs.ErrNotExist) {
		return t, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read kept cases: %w", err)
	}
	if err := json.Unmarshal(text, &t.rows); err != nil {
		return nil, fmt.Errorf("read kept cases of %s: %w; delete the file to begin anew", kept, err)
	}
	t.rows = slices.DeleteFunc(t.rows, func(r row) bool { return r.Key != key })
	return t, nil
}

// of returns a case that has been measured.
func (t *table) of(name string) (row, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	at := slices.IndexFunc(t.rows, func(r row) bool { return r.Name == name })
	if at < 0 {
		return row{}, false
	}
	return t.rows[at], true
}

// put adds a case, or takes the place of the one of that name.
func (t *table) put(r row) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	r.Key = t.key
	t.rows = append(slices.DeleteFunc(t.rows, func(o row) bool { return o.Name == r.Name }), r)
	if t.kept != "" {
		text, err := json.MarshalIndent(t.rows, "", "  ")
		if err != nil {
			return fmt.Errorf("write kept cases: %w", err)
		}
		if err := os.WriteFile(t.kept, text, 0o600); err != nil {
			return fmt.Errorf("write kept cases: %w", err)
		}
	}
	if t.path == "" {
		return nil
	}
	return os.WriteFile(t.path, []byte(t.markdown()), 0o600)
}

// text is the table as it stands.
func (t *table) text() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.markdown()
}

// markdown is the table in the order of the cases: the engine's median, and the oracle's
// spread. mu is held.
func (t *table) markdown() string {
	place := func(r row) int {
		return slices.IndexFunc(fidelityCases, func(c fidelityCase) bool { return c.name == r.Name })
	}
	slices.SortFunc(t.rows, func(a, b row) int { return place(a) - place(b) })
	var b strings.Builder
	b.WriteString("| case | builds | runs |")
	for _, m := range measures {
		fmt.Fprintf(&b, " %s |", m.name)
	}
	b.WriteString(" agrees |\n|---|---:|---:|" + strings.Repeat("---|", len(measures)) + "---|\n")
	for _, r := range t.rows {
		fmt.Fprintf(&b, "| %s | %d | %d |", r.Name, r.Builds, len(r.Oracle))
		all := "yes"
		for _, v := range r.verdicts() {
			fmt.Fprintf(&b, " %s (%s–%s)", fmt.Sprintf(v.unit, v.engine), fmt.Sprintf(v.unit, v.low), fmt.Sprintf(v.unit, v.high))
			if !v.agrees() {
				b.WriteString(" **no**")
				all = "**no**"
			}
			b.WriteString(" |")
		}
		fmt.Fprintf(&b, " %s |\n", all)
	}
	return b.String()
}
