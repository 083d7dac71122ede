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
	path := filepath.Join(dir, "buildpool")
	if err := goTool(ctx, progress, "-C", moduleDir, "build", "-o", path, "./cmd/buildpool"); err != nil {
		return "", fmt.Errorf("build buildpool: %w", err)
	}
	return path, nil
}
