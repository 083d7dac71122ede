package reportpage

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/e2e/internal/binaries"
)

// inspect.js looks at every chart of a page.
//
//go:embed inspect.js
var inspect string

// chart is what inspect.js tells of a chart.
type chart struct {
	Name   string
	Shapes int      // lines, areas, bars or cells that have a size
	Units  []string // at its axes
	Legend []string
	Ticks  int
	// Outside and Overlapping are texts that cannot be read.
	Outside, Overlapping []string
}

// saved is a report that the tests of the module keep.
const saved = "../../simulations/report/testdata/afternoon.json"

func TestPages(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	buildpool, err := binaries.Buildpool(ctx, "../..", dir, os.Stderr)
	require.NoError(t, err)
	chrome := browser(t)
	one := []string{"wait-distribution", "wait-causes", "pending", "running", "group builds-normal", "group builds-spot", "group builds-gpu",
		"cost", "baselines", "week-arrivals", "week-waits", "week-nodes"}
	two := []string{"wait-distribution", "wait-causes", "pending", "nodes", "group builds-normal", "group builds-spot", "group builds-gpu",
		"cost", "baselines", "week-arrivals", "week-waits", "week-nodes", "week-arrivals", "week-waits", "week-nodes"}
	scenario := []string{"wait-distribution", "wait-causes", "pending", "running", "group spot", "group normal",
		"cost", "baselines", "week-arrivals", "week-waits", "week-nodes"}
	for _, page := range []struct {
		name   string
		args   []string
		charts []string
	}{
		{"one-run", []string{"compare", saved}, one},
		{"two-runs", []string{"compare", saved, saved}, two},
		{"scenario", []string{"simulate", "--scenario", "spot", "--variant", "spot with fallback", "--slo", "2m"}, scenario},
	} {
		file := filepath.Join(dir, page.name+".html")
		runProgram(t, buildpool, append(page.args, "--html", file)...)
		for _, v := range []view{{1280, 900, "light"}, {390, 844, "dark"}, {390, 844, "light"}, {1280, 900, "dark"}} {
			t.Run(fmt.Sprintf("%s %d %s", page.name, v.width, v.scheme), func(t *testing.T) {
				p := open(t, chrome, file, v)
				checkCharts(t, p, page.charts)
				checkReading(t, p)
				checkPointing(t, p)
				assert.Empty(t, p.complaints)
			})
		}
	}
}

func checkCharts(t *testing.T, p *opened, want []string) {
	t.Helper()
	var names []string
	for _, c := range ask[[]chart](t, p, inspect) {
		names = append(names, c.Name)
		assert.Positive(t, c.Shapes, c.Name)
		assert.NotEmpty(t, c.Units, "%s: an axis without a unit", c.Name)
		assert.GreaterOrEqual(t, c.Ticks, 3, c.Name)
		assert.NotEmpty(t, c.Legend, c.Name)
		assert.Empty(t, c.Outside, "%s: texts that are cut off", c.Name)
		assert.Empty(t, c.Overlapping, "%s: texts that lie on one another", c.Name)
	}
	assert.Equal(t, want, names)
}

// checkReading: nothing scrolls sideways, and every text stands out from what it is on.
func checkReading(t *testing.T, p *opened) {
	t.Helper()
	assert.Equal(t, ask[int](t, p, `innerWidth`), ask[int](t, p, `document.documentElement.scrollWidth`), "the page scrolls sideways")
	for _, selector := range []string{"h1", ".meta", "figcaption b", ".legend li", "svg text", "table th", "table td", "footer", ".note"} {
		contrast := ask[float64](t, p, fmt.Sprintf(`contrastOf(%q)`, selector))
		assert.GreaterOrEqual(t, contrast, 4.5, "contrast of %s (WCAG AA)", selector)
	}
}

// checkPointing: arrow keys move one cursor through all charts over time, and the
// charts can show a part of the run.
func checkPointing(t *testing.T, p *opened) {
	t.Helper()
	whole := ask[string](t, p, `document.querySelector(".tools .note").textContent`)
	require.NoError(t, chromedp.Run(p.ctx,
		chromedp.Focus(`[data-chart="pending"] svg`, chromedp.ByQuery), chromedp.KeyEvent(kb.ArrowRight)))
	assert.NotEmpty(t, ask[string](t, p, `document.querySelector('[data-chart="pending"] .at').textContent`))
	values := ask[[]string](t, p, `[...document.querySelectorAll('[data-chart="pending"] output, [data-chart^="group"] output')].map(o => o.textContent)`)
	assert.NotEmpty(t, values)
	assert.NotContains(t, values, "")
	require.NoError(t, chromedp.Run(p.ctx, chromedp.Evaluate(`document.querySelector('[aria-label="Later"]').click()`, nil)))
	assert.Equal(t, whole, ask[string](t, p, `document.querySelector(".tools .note").textContent`), "there is nothing later than the whole run")
	drag := `(() => { const s = document.querySelector('[data-chart="pending"] svg'), r = s.getBoundingClientRect();
		const at = (type, x) => s.dispatchEvent(new PointerEvent(type, { pointerId: 1, clientX: r.left + x * r.width, clientY: r.top + 60, bubbles: true }));
		s.setPointerCapture = () => {}; at("pointerdown", 0.5); at("pointermove", 0.6); at("pointerup", 0.8); })()`
	require.NoError(t, chromedp.Run(p.ctx, chromedp.Evaluate(drag, nil)))
	assert.NotEqual(t, whole, ask[string](t, p, `document.querySelector(".tools .note").textContent`), "dragging shows a part")
	for _, c := range ask[[]chart](t, p, inspect) {
		assert.Empty(t, c.Overlapping, "%s: texts that lie on one another, zoomed", c.Name)
	}
}
