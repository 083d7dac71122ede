package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/buildpool/buildpool/simulations/recommend"
)

// notOfTheSearch are flags that say how a shard is run, not what is searched.
var notOfTheSearch = []string{"shard", "shard-out", "output", "yaml", "workers", "no-progress"}

// argumentsOf are the flags that were given and say what is searched, for whoever merges.
func argumentsOf(set *pflag.FlagSet) []string {
	var out []string
	set.Visit(func(f *pflag.Flag) {
		for _, name := range notOfTheSearch {
			if f.Name == name {
				return
			}
		}
		values := []string{f.Value.String()}
		if list, ok := f.Value.(pflag.SliceValue); ok {
			values = list.GetSlice()
		}
		for _, v := range values {
			out = append(out, "--"+f.Name+"="+v)
		}
	})
	return out
}

func (f recommendFlags) runShard(ctx context.Context, env environment, search *recommend.Search, clear func(), arguments []string) error {
	index, count, err := parseShard(f.shard)
	if err != nil {
		return err
	}
	shard, err := search.RunShard(ctx, index, count)
	clear()
	if err != nil {
		return err
	}
	shard.Arguments = arguments
	write := func(w io.Writer) error { return recommend.WriteShard(w, shard) }
	if f.shardOut == "" {
		err = write(env.stdout)
	} else {
		err = writeFile(f.shardOut, write)
	}
	if err == nil && ctx.Err() != nil {
		err = fmt.Errorf("cut short after %s: %w", plural(len(shard.Figures), "setting"), ctx.Err())
	}
	return err
}

func parseShard(text string) (index, count int, err error) {
	i, n, _ := strings.Cut(text, "/")
	index, err1 := strconv.Atoi(i)
	count, err2 := strconv.Atoi(n)
	if err1 != nil || err2 != nil || index < 0 || index >= count {
		return 0, 0, fmt.Errorf("--shard %q: write i/n with i from 0 to n-1, such as 0/4", text)
	}
	return index, count, nil
}

func newRecommendMergeCommand(env environment) *cobra.Command {
	var given recommendFlags
	cmd := &cobra.Command{
		Use:   "merge FILE…",
		Short: "Go on from the shards of a search, and print its outcome",
		Long: `merge takes the files that "buildpool recommend --shard" wrote, searches on from
where they ended, and prints what a search in one piece would have printed, byte for
byte. It reads the same node groups and builds again, from the files that the shards
name; where they lie elsewhere now, say so with the same flags.`,
		Example: `  buildpool recommend merge part-*.json
  buildpool recommend merge --trace /data/builds.csv -o json part-*.json`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, files []string) error {
			return runMerge(cmd.Context(), env, cmd.Flags(), files)
		},
	}
	given.add(cmd.Flags())
	for _, name := range []string{"shard", "shard-out"} {
		_ = cmd.Flags().MarkHidden(name) // it is there
	}
	return cmd
}

func runMerge(ctx context.Context, env environment, given *pflag.FlagSet, files []string) error {
	var shards []recommend.Shard
	var errs []error
	for _, file := range files {
		shard, err := readShard(file)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", file, err))
		}
		shards = append(shards, shard)
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	f, err := mergedFlags(shards[0].Arguments, given)
	if err != nil {
		return err
	}
	search, clear, err := f.search(ctx, env)
	if err != nil {
		return err
	}
	outcome, err := search.Merge(ctx, shards)
	clear()
	if err != nil {
		return err
	}
	return f.write(env, outcome)
}

// mergedFlags are the shards' flags, and above them what is given now.
func mergedFlags(arguments []string, given *pflag.FlagSet) (recommendFlags, error) {
	var f recommendFlags
	set := pflag.NewFlagSet("shard", pflag.ContinueOnError)
	f.add(set)
	now := argumentsOf(given)
	for _, name := range []string{"output", "yaml", "workers", "no-progress"} {
		if flag := given.Lookup(name); flag.Changed {
			now = append(now, "--"+name+"="+flag.Value.String())
		}
	}
	kept := arguments[:0:0]
	for _, a := range arguments {
		name, _, _ := strings.Cut(strings.TrimPrefix(a, "--"), "=")
		if flag := given.Lookup(name); flag == nil || !flag.Changed {
			kept = append(kept, a)
		}
	}
	if err := set.Parse(append(kept, now...)); err != nil {
		return f, fmt.Errorf("read the shard's flags: %w", err)
	}
	return f, nil
}

func readShard(file string) (recommend.Shard, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return recommend.Shard{}, fmt.Errorf("read shard: %w", err)
	}
	return recommend.ReadShard(bytes.NewReader(data))
}
