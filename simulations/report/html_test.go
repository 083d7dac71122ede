package report_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/simulations/engine"
	"github.com/buildpool/buildpool/simulations/report"
)

func htmlOf(t *testing.T, runs ...report.Report) string {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, report.WriteHTML(&out, runs...))
	return out.String()
}

var address = regexp.MustCompile(`(?i)(https?:)?//[a-z0-9]`)

func TestPageIsWholeInItself(t *testing.T) {
	_, _, r := anAfternoon("</script><img src=x onerror=alert(1)>", nil)
	page := htmlOf(t, r)
	assert.NotContains(t, page, "{{", "a placeholder is left")
	assert.Equal(t, 1, strings.Count(page, "<script>"))
	assert.NotContains(t, page, "<img", "a name is part of the page")
	assert.NotContains(t, page, "integration <tests>")
	for _, found := range address.FindAllString(strings.ReplaceAll(page, "http://www.w3.org/2000/svg", ""), -1) {
		t.Errorf("the page has an address: %s", found)
	}
	assert.Equal(t, page, htmlOf(t, r), "the same run twice")
}

func TestPageOfALongRunIsSmall(t *testing.T) {
	s := testSettings(8, 100, 1)
	result := play(s)
	for len(s.Groups) < 40 {
		s.Groups = append(s.Groups, s.Groups[len(s.Groups)%3])
		result.Groups = append(result.Groups, result.Groups[len(result.Groups)%3])
	}
	for n, p := range result.Timeline {
		for len(p.Groups) < 40 {
			p.Groups = append(p.Groups, p.Groups[len(p.Groups)%3])
		}
		result.Timeline[n] = engine.Steady(p.At, p.Reading)
	}
	page := htmlOf(t, report.Summarize(s, result, report.Options{SLO: time.Minute}))
	assert.Less(t, len(page), 2_000_000)
}

// TestWritePagesToLookAt writes pages for a browser, where it is told to.
func TestWritePagesToLookAt(t *testing.T) {
	dir := os.Getenv("REPORT_PAGES")
	if dir == "" {
		t.Skip("REPORT_PAGES names no directory")
	}
	_, _, one := anAfternoon("afternoon", nil)
	_, _, other := anAfternoon("warm min", func(s *engine.Settings) { s.Groups[0].Config.Min = 6; s.Groups[2].Config.Max = 8 })
	s := testSettings(14, 420, 3)
	week := report.Summarize(s, play(s), report.Options{Name: "two weeks, 16-core nodes", SLO: time.Minute})
	for name, runs := range map[string][]report.Report{"one": {one}, "two": {one, other}, "long": {week}, "none": {}} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name+".html"), []byte(htmlOf(t, runs...)), 0o644))
	}
}
