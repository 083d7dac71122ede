// Package binaries builds the programs that the end-to-end tests run: the
// Kubernetes control plane, kwok and cluster-autoscaler from the pinned module in
// controlplane/, kept in a cache outside the tree, and buildpool from the tree
// itself, at every run.
//
// It must not know how the programs are started.
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

// Set is where each program lies.
type Set struct {
	Etcd, APIServer, Scheduler, ControllerManager, Kwok, Autoscaler string
}

// buildFlags of the control plane. They are part of the cache key.
var buildFlags = []string{"-mod=readonly", "-tags", "externalgrpc", "-ldflags", "-s -w"}

// building is the prefix of directories that hold an unfinished build.
const building = ".building-"

// ControlPlane returns the programs of the module in moduleDir, built on first
// use. The cache lies in BUILDPOOL_E2E_CACHE, or else in the user's cache
// directory; its key is the module's content, the toolchain and the flags. A cold
// build takes about seven minutes on two cores.
func ControlPlane(ctx context.Context, moduleDir string, progress io.Writer) (Set, error) {
	cache, err := cacheDir()
	if err != nil {
		return Set{}, err
	}
	key, err := cacheKey(ctx, moduleDir)
	if err != nil {
		return Set{}, err
	}
	dir := filepath.Join(cache, key)
	if set := setIn(dir); set.complete() {
		return set, nil
	}
	fmt.Fprintf(progress, "e2e: building the control plane into %s (minutes when nothing is cached)\n", dir)
	began := time.Now()
	if err := buildInto(ctx, cache, dir, moduleDir, progress); err != nil {
		return Set{}, fmt.Errorf("build control plane: %w", err)
	}
	fmt.Fprintf(progress, "e2e: control plane built in %s\n", time.Since(began).Round(time.Second))
	set := setIn(dir)
	if !set.complete() {
		return Set{}, fmt.Errorf("build control plane: %s lacks a program; remove it and try again", dir)
	}
	return set, nil
}

// setIn names the programs of a finished build. etcd's package is called server.
func setIn(dir string) Set {
	return Set{
		Etcd:              filepath.Join(dir, "server"),
		APIServer:         filepath.Join(dir, "kube-apiserver"),
		Scheduler:         filepath.Join(dir, "kube-scheduler"),
		ControllerManager: filepath.Join(dir, "kube-controller-manager"),
		Kwok:              filepath.Join(dir, "kwok"),
		Autoscaler:        filepath.Join(dir, "cluster-autoscaler"),
	}
}

func (s Set) complete() bool {
	for _, path := range []string{s.Etcd, s.APIServer, s.Scheduler, s.ControllerManager, s.Kwok, s.Autoscaler} {
		if info, err := os.Stat(path); err != nil || info.IsDir() {
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

func cacheKey(ctx context.Context, moduleDir string) (string, error) {
	hash := sha256.New()
	for _, name := range []string{"go.mod", "go.sum"} {
		data, err := os.ReadFile(filepath.Join(moduleDir, name))
		if err != nil {
			return "", fmt.Errorf("read control plane module: %w", err)
		}
		fmt.Fprintf(hash, "%s %d\n%s", name, len(data), data)
	}
	toolchain, err := exec.CommandContext(ctx, "go", "-C", moduleDir, "env", "GOVERSION", "GOOS", "GOARCH").Output()
	if err != nil {
		return "", fmt.Errorf("ask for the toolchain's version: %w", err)
	}
	fmt.Fprintf(hash, "%s%s", toolchain, strings.Join(buildFlags, " "))
	return hex.EncodeToString(hash.Sum(nil))[:16], nil
}

// buildInto builds aside and renames, so that an interrupted build is never taken
// for a finished one.
func buildInto(ctx context.Context, cache, dir, moduleDir string, progress io.Writer) error {
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return fmt.Errorf("make cache: %w", err)
	}
	removeAbandoned(cache, progress)
	aside, err := os.MkdirTemp(cache, building)
	if err != nil {
		return fmt.Errorf("make build directory: %w", err)
	}
	defer os.RemoveAll(aside) // nothing is left there after the rename
	args := append([]string{"-C", moduleDir, "build"}, buildFlags...)
	if err := goTool(ctx, progress, append(args, "-o", aside+string(filepath.Separator), "tool")...); err != nil {
		return err
	}
	err = os.Rename(aside, dir)
	if errors.Is(err, fs.ErrExist) && setIn(dir).complete() {
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
