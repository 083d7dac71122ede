package reportpage

import (
	"bufio"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/e2e/internal/binaries"
	"github.com/buildpool/buildpool/e2e/internal/wait"
)

// statusGroups has windows that are open now, and ahead, and a cooldown after the
// scale-up that the first of them causes.
const statusGroups = `
apiVersion: buildpool/v1alpha1
kind: NodeGroups
region: cn-hangzhou
schedule: {mode: enforce-by-provider, timeZone: Asia/Shanghai}
groups:
  - name: builds-normal
    class: normal
    scalingGroup: {id: asg-normal}
    max: 20
    cooldown: {afterScaleUp: 2h}
    schedules:
      - {cron: "0 0 * * *", duration: 24h, min: 3}
      - {cron: "30 9,13 * * *", duration: 2h, min: 6}
  - name: builds-for-the-large-images-of-another-team
    class: spot
    scalingGroup: {id: asg-spot}
    max: 40
  - name: builds-gpu
    class: gpu
    scalingGroup: {id: asg-of-nobody}
    max: 10
    template: {gpu: {type: NVIDIA-A10}}
`

// serving runs a server over a simulated account until the test ends, and returns where
// it answers HTTP.
func serving(t *testing.T) string {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	t.Cleanup(stop)
	dir := t.TempDir()
	buildpool, err := binaries.Buildpool(ctx, "../..", dir, os.Stderr)
	require.NoError(t, err)
	file := filepath.Join(dir, "nodegroups.yaml")
	require.NoError(t, os.WriteFile(file, []byte(statusGroups), 0o600))
	command := exec.CommandContext(ctx, buildpool, "serve", "--simulate", "--config", file,
		"--address", "unix://"+filepath.Join(dir, "s"), "--http-address", "127.0.0.1:0", "--log-format", "json")
	log, err := command.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, command.Start())
	address := make(chan string, 1)
	go func() {
		for lines := bufio.NewScanner(log); lines.Scan(); {
			var line struct{ Msg, HTTP string }
			if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "serving" {
				address <- line.HTTP
			}
		}
		_ = command.Wait()
		close(address)
	}()
	at, ok := <-address
	require.True(t, ok, "the server did not start")
	return "http://" + at + "/"
}

// card is what inspectStatus tells of a node group.
type card struct {
	Name  string
	Shows []string
	// Outside, Overlapping and Invisible are texts that cannot be read.
	Outside, Overlapping, Invisible []string
	Shapes                          int
}

// inspectStatus looks at every card of the status page.
//
//go:embed inspect_status.js
var inspectStatus string

// The page for people at / of a running server: all of it can be read, at the width of
// a desk and of a phone, in light and in dark, and it asks for nothing but itself.
func TestStatusPage(t *testing.T) {
	address := serving(t)
	chrome := browser(t)
	for _, v := range []view{{1280, 900, "light"}, {390, 844, "dark"}, {390, 844, "light"}, {1280, 900, "dark"}} {
		t.Run(fmt.Sprintf("%d %s", v.width, v.scheme), func(t *testing.T) {
			var p *opened
			ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
			defer cancel()
			require.NoError(t, wait.Until(ctx, "the window's nodes and the prices", time.Second, func(context.Context) error {
				p = visit(t, chrome, address, v)
				text := ask[string](t, p, `document.body.textContent`)
				if !strings.Contains(text, "asked for 3 more instances") || !strings.Contains(text, "CNY a node and hour") {
					return errors.New(text)
				}
				return nil
			}))
			assert.Equal(t, ask[int](t, p, `innerWidth`), ask[int](t, p, `document.documentElement.scrollWidth`), "the page scrolls sideways")
			ask[any](t, p, inspect+`; null`) // for contrastOf
			for _, selector := range []string{"h1", "h2", "h3", ".soft", ".state", ".tiles dt", ".tiles dd", ".legend li", ".facts p", ".trouble", ".strip text", ".decisions p", ".decisions b", ".decisions time", "footer"} {
				assert.GreaterOrEqual(t, ask[float64](t, p, fmt.Sprintf(`contrastOf(%q)`, selector)), 4.5, "contrast of %s (WCAG AA)", selector)
			}
			cards := ask[[]card](t, p, inspectStatus)
			require.Len(t, cards, 3)
			for _, c := range cards {
				assert.Positive(t, c.Shapes, c.Name)
				assert.Empty(t, c.Outside, "%s: texts that are cut off", c.Name)
				assert.Empty(t, c.Overlapping, "%s: texts that lie on one another", c.Name)
				assert.Empty(t, c.Invisible, "%s: texts without a size", c.Name)
			}
			assert.Contains(t, cards[0].Shows, "min 3")
			assert.Contains(t, cards[0].Shows, "At least 3: a warm window is open until 00:00.")
			assert.Contains(t, cards[2].Shows, "Not served: scaling group asg-of-nobody does not exist in cn-hangzhou")
			assert.Empty(t, p.complaints)
		})
	}
}
