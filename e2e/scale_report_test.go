package e2e

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// scaleReport is a section of docs/scale.md.
type scaleReport struct {
	size   scaleSize
	calls  map[string]int
	lines  []scaleLine
	shares []readShare
}

// scaleLine compares the two providers on one transport.
type scaleLine struct {
	transport        string
	buildpool, empty []time.Duration
	// ratios of the medians of neighbouring runs.
	ratios []float64
}

// measure takes turns: a run over one provider stands beside one over the other, and
// who comes first changes from round to round, so that whatever else the machine does
// meets both.
func (r *scaleReport) measure(s *scenario, transports []transport) {
	s.t.Helper()
	r.lines = make([]scaleLine, len(transports))
	for round := range r.size.rounds {
		for i, way := range transports {
			line := &r.lines[i]
			line.transport = way.name
			var ours, theirs []time.Duration
			over := func(address, name string) []time.Duration {
				return s.loopTimes(way, address, fmt.Sprintf("%s-%d-%d", name, i, round), r.size.loops)
			}
			if round%2 == 0 {
				ours = over(way.buildpool.Address, "buildpool")
				theirs = over(way.empty, "empty")
			} else {
				theirs = over(way.empty, "empty")
				ours = over(way.buildpool.Address, "buildpool")
			}
			line.buildpool = append(line.buildpool, ours...)
			line.empty = append(line.empty, theirs...)
			line.ratios = append(line.ratios, median(ours).Seconds()/median(theirs).Seconds())
		}
	}
}

// ratio of the medians over all rounds.
func (l scaleLine) ratio() float64 { return median(l.buildpool).Seconds() / median(l.empty).Seconds() }

func median(times []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(times))
	return sorted[len(sorted)/2]
}

func (r *scaleReport) perLoop() int {
	sum := 0
	for _, calls := range r.calls {
		sum += calls
	}
	return sum
}

func (r *scaleReport) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "## %d groups, %d nodes\n\n", r.size.groups, r.size.nodes)
	fmt.Fprintf(&b, "`%s`: %d RPCs in a loop (`Refresh`, `NodeGroups`, %d of `NodeGroupTargetSize`, %d of `NodeGroupForNode`, %d of `NodeGroupGetOptions`).\n\n",
		r.size.command, r.perLoop(), r.calls["NodeGroupTargetSize"],
		r.calls["NodeGroupForNode"], r.calls["NodeGroupGetOptions"])
	b.WriteString("| transport | loop over buildpool | over the empty provider | ratio | in each round |\n|---|---|---|---|---|\n")
	for _, line := range r.lines {
		rounds := []string{}
		for _, ratio := range line.ratios {
			rounds = append(rounds, fmt.Sprintf("%.2f", ratio))
		}
		fmt.Fprintf(&b, "| %s | %.3f s | %.3f s | %.2f | %s |\n", line.transport,
			median(line.buildpool).Seconds(), median(line.empty).Seconds(), line.ratio(), strings.Join(rounds, ", "))
	}
	b.WriteString("\n| RPC | calls | within 50 µs | 99 % within |\n|---|---|---|---|\n")
	for _, share := range r.shares {
		fmt.Fprintf(&b, "| `%s` | %d | %.2f %% | %s |\n", share.method, share.calls, 100*share.fast, share.p99)
	}
	return b.String()
}

// How far off the times of a long run may be before it fails. The aim is a tenth of
// what is added to a loop, and 50 µs; the rest is for a machine that does other work.
const (
	mostRatio = 1.25
	mostShare = 100 * time.Microsecond
)

func (r *scaleReport) checkTimes(t *testing.T) {
	t.Helper()
	for _, line := range r.lines {
		assert.Less(t, line.ratio(), mostRatio, "a loop over buildpool beside one over the empty provider: %s", line.transport)
	}
	for _, share := range r.shares {
		if share.calls >= 1000 { // of fewer calls one in a hundred says nothing
			assert.LessOrEqual(t, share.p99, mostShare, share.method)
		}
	}
}

// scalePage is the documentation that a run writes its section into.
const scalePage = "../docs/scale.md"

// publish writes the section of this many nodes and leaves the others.
func (r *scaleReport) publish(t *testing.T) {
	t.Helper()
	content, err := os.ReadFile(scalePage)
	require.NoError(t, err)
	begin, end := fmt.Sprintf("<!-- %d nodes -->\n", r.size.nodes), fmt.Sprintf("<!-- end of %d nodes -->\n", r.size.nodes)
	section := regexp.MustCompile("(?s)" + regexp.QuoteMeta(begin) + ".*" + regexp.QuoteMeta(end))
	require.True(t, section.Match(content), "%s has no section %s", scalePage, begin)
	content = section.ReplaceAllLiteral(content, []byte(begin+r.markdown()+end))
	require.NoError(t, os.WriteFile(scalePage, content, 0o644))
}
