// Command buildpool makes CI build capacity on Alibaba Cloud elastic: it answers
// cluster-autoscaler's externalgrpc calls from scaling groups.
//
// This package is the composition root: it reads flags, the environment and the
// wall clock, puts the parts together and runs them. It decides nothing about node
// groups, and nothing may import it.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // schedules name time zones, and a small image has none

	"github.com/spf13/cobra"
	"k8s.io/utils/clock"
)

func main() {
	env := environment{
		stdin:  os.Stdin,
		stdout: os.Stdout,
		stderr: os.Stderr,
		clock:  clock.RealClock{},
		getenv: os.Getenv,
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The first signal asks for an orderly end; a second one ends the process at once.
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, env, os.Args[1:]))
}

// run executes the command line and returns the exit code: 0, or 1 after printing
// the error once.
func run(ctx context.Context, env environment, args []string) int {
	root := newRootCommand(env)
	root.SetArgs(args)
	if err := root.ExecuteContext(ctx); err != nil {
		fmt.Fprintf(env.stderr, "buildpool: %v\n", err)
		return 1
	}
	return 0
}

func newRootCommand(env environment) *cobra.Command {
	root := &cobra.Command{
		Use:   "buildpool",
		Short: "Elastic CI build nodes on Alibaba Cloud, driven by cluster-autoscaler",
		Long: `buildpool makes CI build capacity on Alibaba Cloud elastic.

The upstream cluster-autoscaler runs unchanged with --cloud-provider=externalgrpc;
"buildpool serve" answers it. A YAML file names node groups (normal, gpu, spot) by
labels and taints and maps each onto an ESS scaling group.`,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetIn(env.stdin)
	root.SetOut(env.stdout)
	root.SetErr(env.stderr)
	root.AddCommand(
		newServeCommand(env),
		newStatusCommand(env),
		newExplainCommand(env),
		newOverflowCommand(env),
		newCostCommand(env),
		newValidateCommand(env),
		newSchemaCommand(env),
		newCertsCommand(env),
		newDemoCommand(env),
		newESSSimCommand(env),
		newCompareCommand(env),
		newSimulateCommand(env),
		newRecommendCommand(env),
		newTraceCommand(env),
		newManCommand(env),
		newVersionCommand(env),
	)
	return root
}
