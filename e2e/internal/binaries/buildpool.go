package binaries

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
)

// Buildpool builds the program under test from the module in moduleDir into dir
// and returns its path.
func Buildpool(ctx context.Context, moduleDir, dir string, progress io.Writer) (string, error) {
	return program(ctx, moduleDir, "./cmd/buildpool", dir, progress)
}

// EmptyProvider builds the provider that does nothing but answer, the measure of the
// one under test, from the end-to-end tests' own module.
func EmptyProvider(ctx context.Context, moduleDir, dir string, progress io.Writer) (string, error) {
	return program(ctx, moduleDir, "./internal/emptyprovider", dir, progress)
}

func program(ctx context.Context, moduleDir, pkg, dir string, progress io.Writer) (string, error) {
	path := filepath.Join(dir, filepath.Base(pkg))
	if err := goTool(ctx, progress, "-C", moduleDir, "build", "-o", path, pkg); err != nil {
		return "", fmt.Errorf("build %s: %w", filepath.Base(pkg), err)
	}
	return path, nil
}
