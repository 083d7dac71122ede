package oracle

import (
	"context"
	"flag"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/simulations/engine"
)

var (
	seeds     = flag.Int("seeds", 5, "runs of the oracle per case; costly cases have three at most")
	tablePath = flag.String("table", "", "file to write the table of the cases to, in Markdown")
)

// engineSeeds are many because the engine is cheap and its median has to be sure.
const engineSeeds = 15

func TestMain(m *testing.M) {
	debug.SetGCPercent(400) // a run makes much that lives for one loop
	os.Exit(m.Run())
}

// TestFidelity holds the engine against the oracle: the same settings, several seeds of
// both.
func TestFidelity(t *testing.T) {
	rows := table{path: *tablePath}
	t.Cleanup(func() { t.Logf("\n%s", rows.text()) })
	for _, c := range fidelityCases {
		t.Run(c.name, func(t *testing.T) {
			if testing.Short() && !c.quick {
				t.Skip("not among the quick cases")
			}
			t.Parallel()
			s := c.settings(t)
			began := time.Now()
			oracle := playSeeds(t, c, s)
			took := time.Since(began)
			began = time.Now()
			ours := runSeeds(t, s)
			r := row{name: c.name, builds: len(s.Trace.Builds), oracle: oracle, engine: ours, verdicts: compare(oracle, ours), oracleTook: took / time.Duration(len(oracle)), engineTook: time.Since(began) / engineSeeds}
			require.NoError(t, rows.add(r))
			t.Logf("\n%s", r)
			for _, v := range r.verdicts {
				if !v.agrees() {
					low, high := v.bounds()
					t.Errorf("%s: the engine's %.2f is not within %.2f and %.2f", v.name, v.engine, low, high)
				}
			}
		})
	}
}

func playSeeds(t *testing.T, c fidelityCase, s engine.Settings) []figures {
	n := *seeds
	if testing.Short() || c.costly {
		n = min(n, 3)
	}
	n = max(n, c.seeds)
	var all []figures
	for seed := range n {
		s.Seed = uint64(seed) + 1
		run := Play(t, s)
		require.LessOrEqual(t, len(run.Failed), run.Loops/100, "loops that failed: %v", run.Failed)
		all = append(all, figuresOf(s.Trace, &run.Result))
	}
	return all
}

func runSeeds(t *testing.T, s engine.Settings) []figures {
	var all []figures
	for seed := range engineSeeds {
		s.Seed = uint64(seed) + 1
		r, err := engine.Run(context.Background(), s, nil)
		require.NoError(t, err)
		all = append(all, figuresOf(s.Trace, r))
	}
	return all
}

// row is one case of the table.
type row struct {
	name                   string
	builds                 int
	oracle, engine         []figures
	verdicts               []verdict
	oracleTook, engineTook time.Duration
}

// String shows every run, for somebody who looks for a difference.
func (r row) String() string {
	var b strings.Builder
	line := func(who string, f figures) {
		fmt.Fprintf(&b, "%-7s cost %9.2f  node-hours %9.2f  p50 %6.1f  p95 %6.1f  p99 %6.1f  scale-ups %d nodes %d interrupted %d unstarted %d\n",
			who, f.Cost, f.NodeHours, f.P50.Seconds(), f.P95.Seconds(), f.P99.Seconds(), f.ScaleUps, f.Nodes, f.Interruptions, f.Unstarted)
	}
	for _, f := range r.oracle {
		line("oracle", f)
	}
	for _, f := range r.engine[:min(len(r.engine), 3)] {
		line("engine", f)
	}
	fmt.Fprintf(&b, "%d builds, a run of the oracle takes %v, of the engine %v", r.builds, r.oracleTook.Round(time.Millisecond), r.engineTook.Round(10*time.Microsecond))
	return b.String()
}

// table is what is known of the cases so far. It is written after each: a run takes long,
// and may be ended.
type table struct {
	path string
	mu   sync.Mutex
	rows []row
}

func (t *table) add(r row) error {
	t.mu.Lock()
	t.rows = append(t.rows, r)
	t.mu.Unlock()
	if t.path == "" {
		return nil
	}
	return os.WriteFile(t.path, []byte(t.text()), 0o600)
}

// text is the table in the order of the cases: the engine's median, and the oracle's
// spread.
func (t *table) text() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	place := func(r row) int {
		return slices.IndexFunc(fidelityCases, func(c fidelityCase) bool { return c.name == r.name })
	}
	slices.SortFunc(t.rows, func(a, b row) int { return place(a) - place(b) })
	var b strings.Builder
	b.WriteString("| case | builds |")
	for _, m := range measures {
		fmt.Fprintf(&b, " %s |", m.name)
	}
	b.WriteString(" agrees |\n|---|---:|" + strings.Repeat("---|", len(measures)) + "---|\n")
	for _, r := range t.rows {
		fmt.Fprintf(&b, "| %s | %d |", r.name, r.builds)
		all := "yes"
		for _, v := range r.verdicts {
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
