package reportpage

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

var chromiumNames = []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"}

// chromium returns the browser's path. Where there is none it is installed, which only
// root can do, and only where there is apt.
func chromium(t *testing.T) string {
	t.Helper()
	if path := installed(); path != "" {
		return path
	}
	if _, err := exec.LookPath("apt-get"); err != nil || os.Geteuid() != 0 {
		t.Fatalf("no browser: none of %v is installed, and only root can install it with apt-get", chromiumNames)
	}
	for _, args := range [][]string{{"update"}, {"install", "-y", "--no-install-recommends", "chromium", "fonts-dejavu-core"}} {
		command := exec.Command("apt-get", args...)
		command.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		out, err := command.CombinedOutput()
		require.NoError(t, err, "apt-get %v: %s", args, out)
	}
	path := installed()
	require.NotEmpty(t, path, "apt-get installed chromium, but it is not found")
	return path
}

func installed() string {
	for _, name := range chromiumNames {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// browser starts Chromium with a profile of its own and without a life of its own.
func browser(t *testing.T) context.Context {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(chromium(t)), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(profile(t)),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true), chromedp.Flag("hide-scrollbars", true))
	ctx, cancel := context.WithTimeout(context.Background(), 4*time.Minute)
	t.Cleanup(cancel)
	ctx, stop := chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(stop)
	ctx, end := chromedp.NewContext(ctx)
	t.Cleanup(end)
	require.NoError(t, chromedp.Run(ctx), "start chromium")
	return ctx
}

// profile is a folder for Chromium's. Some of its processes outlive it for a moment, and
// write there still.
func profile(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "chromium-profile-")
	require.NoError(t, err)
	t.Cleanup(func() {
		require.Eventually(t, func() bool { return os.RemoveAll(dir) == nil }, 20*time.Second, 50*time.Millisecond)
	})
	return dir
}

// view is how a page is looked at.
type view struct {
	width, height int64
	scheme        string
}

// opened is a page in a tab, and what it did that it should not.
type opened struct {
	ctx        context.Context
	complaints []string
}

// open opens a report and waits until its charts are drawn.
func open(t *testing.T, browser context.Context, file string, v view) *opened {
	t.Helper()
	p := visit(t, browser, "file://"+file, v)
	require.NoError(t, chromedp.Run(p.ctx,
		chromedp.WaitReady(`html[data-ready="true"]`),
		chromedp.Poll(`[...document.querySelectorAll("[data-chart]")].every(c => c.dataset.drawn === "true")`, nil, chromedp.WithPollingTimeout(20*time.Second)),
	), "open %s", file)
	return p
}

// visit opens an address in a tab of its own.
func visit(t *testing.T, browser context.Context, address string, v view) *opened {
	t.Helper()
	ctx, end := chromedp.NewContext(browser)
	t.Cleanup(end)
	p := &opened{ctx: ctx}
	chromedp.ListenTarget(ctx, func(event any) {
		switch e := event.(type) {
		case *runtime.EventConsoleAPICalled:
			p.complaints = append(p.complaints, fmt.Sprintf("console %s: %v", e.Type, e.Args))
		case *runtime.EventExceptionThrown:
			p.complaints = append(p.complaints, "exception: "+e.ExceptionDetails.Error())
		case *log.EventEntryAdded:
			p.complaints = append(p.complaints, fmt.Sprintf("log %s: %s", e.Entry.Level, e.Entry.Text))
		case *network.EventRequestWillBeSent:
			if e.Request.URL != address && e.Request.URL != "data:," {
				p.complaints = append(p.complaints, "request: "+e.Request.URL)
			}
		}
	})
	require.NoError(t, chromedp.Run(ctx,
		network.Enable(), log.Enable(), runtime.Enable(),
		emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: v.scheme}}),
		chromedp.EmulateViewport(v.width, v.height),
		chromedp.Navigate(address),
	), "visit %s", address)
	return p
}

// ask evaluates an expression in the page.
func ask[T any](t *testing.T, p *opened, expression string) T {
	t.Helper()
	var answer T
	require.NoError(t, chromedp.Run(p.ctx, chromedp.Evaluate(expression, &answer)), expression)
	return answer
}
