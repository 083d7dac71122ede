package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
	"github.com/spf13/pflag"
)

func newManCommand(env environment) *cobra.Command {
	var dir string
	command := &cobra.Command{
		Use:   "man --dir DIR",
		Short: "Write the manual pages",
		Long: `Man writes a manual page for each command, in section 1, and replaces those that are
there. They say what --help says. Their date is today, or that of SOURCE_DATE_EPOCH.`,
		Example: `  buildpool man --dir man
  man man/buildpool-serve.1`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if dir == "" {
				return errors.New("--dir DIR is required")
			}
			date, err := pagesDate(env)
			if err != nil {
				return err
			}
			return writeManPages(newRootCommand(env), dir, date)
		},
	}
	command.Flags().StringVar(&dir, "dir", "", "where to write the pages; made if it is missing (required)")
	return command
}

// pagesDate is the day that the pages show: packagers set it, so that two builds of one
// source are the same.
func pagesDate(env environment) (time.Time, error) {
	epoch := env.getenv("SOURCE_DATE_EPOCH")
	if epoch == "" {
		return env.clock.Now(), nil
	}
	seconds, err := strconv.ParseInt(epoch, 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("SOURCE_DATE_EPOCH is %q, want seconds since 1970", epoch)
	}
	return time.Unix(seconds, 0).UTC(), nil
}

// writeManPages changes the texts of the commands on the way.
func writeManPages(root *cobra.Command, dir string, date time.Time) error {
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // the pages are for everybody
		return fmt.Errorf("write manual pages: %w", err)
	}
	root.DisableAutoGenTag = true
	forMarkdown(root)
	header := &doc.GenManHeader{Section: "1", Date: &date, Source: "buildpool " + thisBuild().Version, Manual: "buildpool"}
	if err := doc.GenManTree(root, header, dir); err != nil {
		return fmt.Errorf("write manual pages: %w", err)
	}
	return nil
}

// forMarkdown writes the texts so that they go through Markdown unchanged, by which the
// pages are made: to it <id> is a tag, which a page does not show.
func forMarkdown(c *cobra.Command) {
	escape := strings.NewReplacer("<", `\<`).Replace
	c.Short, c.Long = escape(c.Short), escape(c.Long)
	c.LocalFlags().VisitAll(func(f *pflag.Flag) {
		f.Usage, f.DefValue = escape(f.Usage), escape(f.DefValue)
	})
	for _, child := range c.Commands() {
		forMarkdown(child)
	}
}
