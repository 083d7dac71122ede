package binaries

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// module is a Go module that pins programs as its tools, and is built once.
type module struct {
	// name is what messages call it.
	name string
	// dir holds its go.mod and go.sum.
	dir string
	// programs are the files that a finished build consists of.
	programs []string
}

// buildFlags of every module. They are part of the cache key.
var buildFlags = []string{"-mod=readonly", "-tags", "externalgrpc", "-ldflags", "-s -w"}

// building is the prefix of directories that hold an unfinished build.
const building = ".building-"

// built returns the directory of the module's programs and builds them on first use.
// The cache lies in BUILDPOOL_E2E_CACHE, or else in the user's cache directory; its
// key is the module's content, the toolchain and the flags.
func (m module) built(ctx context.Context, progress io.Writer) (string, error) {
	cache, err := cacheDir()
	if err != nil {
		return "", err
	}
	key, err := m.cacheKey(ctx)
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, key)
	if m.complete(dir) {
		return dir, nil
	}
	fmt.Fprintf(progress, "e2e: building %s into %s (minutes when nothing is cached)\n", m.name, dir)
	began := time.Now()
	if err := m.buildInto(ctx, cache, dir, progress); err != nil {
		return "", fmt.Errorf("build %s: %w", m.name, err)
	}
	fmt.Fprintf(progress, "e2e: %s built in %s\n", m.name, time.Since(began).Round(time.Second))
	if !m.complete(dir) {
		return "", fmt.Errorf("build %s: %s lacks a program; remove it and try again", m.name, dir)
	}
	return dir, nil
}

func (m module) complete(dir string) bool {
	for _, program := range m.programs {
		if info, err := os.Stat(filepath.Join(dir, program)); err != nil || info.IsDir() {
			return false
		}
	}
	return true
}

func cacheDir() (string, error) {
	if dir := os.Getenv("BUILDPOOL_E2E_CACHE"); dir != "" {
		return filepath.Abs(dir)
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find a cache directory (set BUILDPOOL_E2E_CACHE): %w", err)
	}
	return filepath.Join(dir, "buildpool-e2e"), nil
}

func (m module) cacheKey(ctx context.Context) (string, error) {
	hash := sha256.New()
	for _, name := range []string{"go.mod", "go.sum"} {
		data, err := os.ReadFile(filepath.Join(m.dir, name))
		if err != nil {
			return "", fmt.Errorf("read module of %s: %w", m.name, err)
		}
		fmt.Fprintf(hash, "%s %d\n%s", name, len(data), data)
	}
	toolchain, err := exec.CommandContext(ctx, "go", "-C", m.dir, "env", "GOVERSION", "GOOS", "GOARCH").Output()
	if err != nil {
		return "", fmt.Errorf("ask for the toolchain's version: %w", err)
	}
	fmt.Fprintf(hash, "%s%s", toolchain, strings.Join(buildFlags, " "))
	return hex.EncodeToString(hash.Sum(nil))[:16], nil
}

// buildInto builds aside and renames, so that an interrupted build is never taken
// for a finished one.
func (m module) buildInto(ctx context.Context, cache, dir string, progress io.Writer) error {
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return fmt.Errorf("make cache: %w", err)
	}
	removeAbandoned(cache, progress)
	aside, err := os.MkdirTemp(cache, building)
	if err != nil {
		return fmt.Errorf("make build directory: %w", err)
	}
	defer os.RemoveAll(aside) // nothing is left there after the rename
	args := append([]string{"-C", m.dir, "build"}, buildFlags...)
	if err := goTool(ctx, progress, append(args, "-o", aside+string(filepath.Separator), "tool")...); err != nil {
		return err
	}
	err = os.Rename(aside, dir)
	if errors.Is(err, fs.ErrExist) && m.complete(dir) {
		return nil // another run was faster
	}
	if err != nil {
		return fmt.Errorf("move the finished build: %w", err)
	}
	return nil
}

// removeAbandoned removes what builds that were killed left behind: half a
// gigabyte each. No build takes a day.
func removeAbandoned(cache string, progress io.Writer) {
	dirs, err := filepath.Glob(filepath.Join(cache, building+"*"))
	if err != nil {
		return // the pattern is constant; without it only space is lost
	}
	for _, dir := range dirs {
		info, err := os.Stat(dir)
		if err == nil && time.Since(info.ModTime()) > 24*time.Hour {
			fmt.Fprintf(progress, "e2e: removing the abandoned build %s\n", dir)
			_ = os.RemoveAll(dir)
		}
	}
}

func goTool(ctx context.Context, progress io.Writer, args ...string) error {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	cmd.Stdout, cmd.Stderr = progress, progress
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("go %s: %w", strings.Join(args, " "), err)
	}
	return nil
}
