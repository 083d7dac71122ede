package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/buildpool/buildpool/simulations/engine"
)

// progressBar shows how far a run has come, on a terminal and nowhere else.
type progressBar struct {
	out   io.Writer
	name  string
	shown bool
	last  int
}

const barWidth = 40

func newProgressBar(env environment, name string, off bool) *progressBar {
	b := &progressBar{name: name, last: -1}
	if f, ok := env.stderr.(*os.File); ok && !off && term.IsTerminal(int(f.Fd())) {
		b.out = f
	}
	return b
}

func (b *progressBar) show(p engine.Progress) {
	b.showCount(p.Done, p.Builds)
}

// showCount shows how many of all there are are done.
func (b *progressBar) showCount(done, all int) {
	if b.out == nil || all == 0 {
		return
	}
	percent := 100 * done / all
	if percent == b.last {
		return
	}
	b.last, b.shown = percent, true
	full := barWidth * percent / 100
	fmt.Fprintf(b.out, "\r%s [%s%s] %3d %%", b.name, strings.Repeat("#", full), strings.Repeat(".", barWidth-full), percent)
}

// clear takes the bar off the screen.
func (b *progressBar) clear() {
	if b.shown {
		fmt.Fprintf(b.out, "\r%s\r", strings.Repeat(" ", len(b.name)+barWidth+12))
	}
}
