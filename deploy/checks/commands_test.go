package checks

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// commandBlock is a block of commands in a page, and the text right above it.
type commandBlock struct {
	Above string
	Lines []string
}

// outside reports whether the page says that a block cannot be run by a test.
func (b commandBlock) outside() bool {
	above := strings.ToLower(b.Above)
	return strings.Contains(above, "needs a cluster") || strings.Contains(above, "needs an account")
}

var programName = regexp.MustCompile(`^(buildpool|make|kubectl|helm|terraform|cluster-autoscaler) `)

// commandBlocks are the page's blocks that hold commands. Every line of such a block is
// one, unless it continues the line before.
func commandBlocks(t *testing.T, page string) []commandBlock {
	t.Helper()
	content, err := os.ReadFile(page)
	require.NoError(t, err)
	parts := strings.Split(string(content), "```")
	var out []commandBlock
	for i := 1; i < len(parts); i += 2 {
		language, body, _ := strings.Cut(parts[i], "\n")
		if language != "" {
			continue // configuration, or another language
		}
		b := commandBlock{Above: lastLine(parts[i-1])}
		body = strings.ReplaceAll(body, "\\\n", " ")
		for line := range strings.Lines(body) {
			if line, _, _ = strings.Cut(strings.TrimSpace(line), " #"); line != "" {
				b.Lines = append(b.Lines, strings.Join(strings.Fields(line), " "))
			}
		}
		if slices.ContainsFunc(b.Lines, programName.MatchString) {
			out = append(out, b)
		}
	}
	return out
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}

// TestCommandsRun runs the commands of tutorial and how-to pages in a copy of the
// tree's surface, except where the page says that they need a cluster or an account.
func TestCommandsRun(t *testing.T) {
	pages, err := filepath.Glob(filepath.Join("..", "..", "docs", "how-to", "*.md"))
	require.NoError(t, err)
	pages = append(pages, filepath.Join("..", "..", "docs", "tutorial.md"))
	ran := 0
	for _, page := range pages {
		t.Run(filepath.Base(page), func(t *testing.T) {
			at := newTerminal(t)
			for _, block := range commandBlocks(t, page) {
				if block.outside() {
					continue
				}
				for _, line := range block.Lines {
					at.run(line)
					ran++
				}
			}
		})
	}
	assert.GreaterOrEqual(t, ran, 6)
}

// terminal is where a reader types: a directory with deploy/ in it.
type terminal struct {
	t          *testing.T
	dir        string
	grpc, http string // of the server that it starts
}

func newTerminal(t *testing.T) *terminal {
	t.Helper()
	at := &terminal{t: t, dir: t.TempDir(), grpc: freeAddress(t), http: freeAddress(t)}
	deploy, err := filepath.Abs("..")
	require.NoError(t, err)
	require.NoError(t, os.Symlink(deploy, filepath.Join(at.dir, "deploy")))
	return at
}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	return listener.Addr().String()
}

func (at *terminal) run(line string) {
	at.t.Helper()
	fields := strings.Fields(strings.ReplaceAll(line, "'", "")) // none of them quotes a space
	if fields[0] == "make" {
		makefile, err := os.ReadFile(filepath.Join("..", "..", "Makefile"))
		require.NoError(at.t, err)
		assert.Regexp(at.t, "(?m)^"+fields[1]+":", string(makefile), "%s: what it runs has tests of its own", line)
		return
	}
	require.Equal(at.t, "buildpool", fields[0], "%q is neither run nor marked", line)
	path, err := program()
	require.NoError(at.t, err)
	args := fields[1:]
	switch args[0] {
	case "serve":
		at.serve(path, args)
		return
	case "status":
		args = append(args, "--server", at.http)
	}
	command := exec.CommandContext(at.t.Context(), path, args...)
	command.Dir = at.dir
	output, err := command.CombinedOutput()
	assert.NoError(at.t, err, "%s: %s", line, output)
}

// serve starts a server on ports of its own, waits until it is ready, and ends it with
// the test.
func (at *terminal) serve(path string, args []string) {
	at.t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	command := exec.CommandContext(ctx, path, append(args, "--address", at.grpc, "--http-address", at.http)...)
	command.Dir = at.dir
	require.NoError(at.t, command.Start())
	at.t.Cleanup(func() { stop(); _ = command.Wait() })
	require.EventuallyWithT(at.t, func(c *assert.CollectT) {
		response, err := http.Get("http://" + at.http + "/readyz")
		if assert.NoError(c, err) {
			defer response.Body.Close()
			assert.Equal(c, http.StatusOK, response.StatusCode)
		}
	}, time.Minute, 50*time.Millisecond)
}

// TestChineseSaysTheSame: the Chinese pages have the commands and configuration of the
// English ones, block by block. Their README leaves out what is for developers.
func TestChineseSaysTheSame(t *testing.T) {
	root := filepath.Join("..", "..")
	english, chinese := commandBlocks(t, filepath.Join(root, "docs", "tutorial.md")), commandBlocks(t, filepath.Join(root, "docs", "tutorial.zh-CN.md"))
	require.Len(t, chinese, len(english))
	for i := range english {
		assert.Equal(t, english[i].Lines, chinese[i].Lines)
		assert.Equal(t, english[i].outside(), chinese[i].outside(), fmt.Sprint(english[i].Lines))
	}
	var all [][]string
	for _, block := range commandBlocks(t, filepath.Join(root, "README.md")) {
		all = append(all, block.Lines)
	}
	blocks := commandBlocks(t, filepath.Join(root, "README.zh-CN.md"))
	assert.GreaterOrEqual(t, len(blocks), 4)
	for _, block := range blocks {
		assert.Contains(t, all, block.Lines, "README.zh-CN.md")
	}
}
