package oracle

import (
	"context"
	"flag"
	"os"
	"regexp"
	"runtime/debug"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/simulations/engine"
)

var (
	seeds     = flag.Int("seeds", 5, "runs of the oracle per case; costly cases have three at most")
	tablePath = flag.String("table", "", "file to write the table of the cases to, in Markdown")
	rowsPath  = flag.String("rows", "", "file that keeps the oracle's runs, so that a run that was ended goes on")
	rowsKey   = flag.String("key", "", "which oracle it is: kept runs of another are played anew")
	only      = flag.String("cases", "", "regular expression of the names of the cases to run; default: all")
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
	wanted, err := regexp.Compile(*only)
	require.NoError(t, err)
	rows, err := openTable(*tablePath, *rowsPath, *rowsKey)
	require.NoError(t, err)
	t.Cleanup(func() { t.Logf("\n%s", rows.text()) })
	for _, c := range fidelityCases {
		if !wanted.MatchString(c.name) {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			if testing.Short() && !c.quick {
				t.Skip("not among the quick cases")
			}
			t.Parallel()
			s := c.settings(t)
			r, known := rows.of(c.name)
			if !known {
				began := time.Now()
				r = row{Name: c.name, Builds: len(s.Trace.Builds), Oracle: playSeeds(t, c, s)}
				r.OracleTook = time.Since(began) / time.Duration(len(r.Oracle))
			}
			began := time.Now()
			r.Engine = runSeeds(t, s) // always: it takes no time
			r.EngineTook = time.Since(began) / engineSeeds
			require.NoError(t, rows.put(r))
			t.Logf("\n%s", r)
			for _, v := range r.verdicts() {
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
