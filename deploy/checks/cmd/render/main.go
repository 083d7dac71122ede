// Command render prints the objects that Helm would apply for a file of values, without
// Helm. Those of helm test are not among them.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"

	"github.com/buildpool/buildpool/deploy/checks/internal/chart"
)

func main() {
	dir := flag.String("chart", "../chart/buildpool", "the chart's directory")
	file := flag.String("values", "", "the file of values (required)")
	var release chart.Release
	flag.StringVar(&release.Name, "name", "buildpool", "the release's name")
	flag.StringVar(&release.Namespace, "namespace", "buildpool", "the namespace")
	flag.Parse()
	if err := render(*dir, *file, release); err != nil {
		fmt.Fprintln(os.Stderr, "render:", err)
		os.Exit(1)
	}
}

func render(dir, file string, release chart.Release) error {
	if file == "" {
		return errors.New("--values FILE is required")
	}
	values, err := chart.ReadValues(file)
	if err != nil {
		return err
	}
	rendered, err := chart.Render(dir, values, release)
	if err != nil {
		return fmt.Errorf("render with %s: %w", file, err)
	}
	if _, err := fmt.Print(rendered.Objects); err != nil {
		return fmt.Errorf("print objects: %w", err)
	}
	return nil
}
