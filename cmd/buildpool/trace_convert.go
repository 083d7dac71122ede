package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/buildpool/buildpool/simulations/workload"
)

func newTraceConvertCommand(env environment) *cobra.Command {
	var source traceSource
	var target traceTarget
	cmd := &cobra.Command{
		Use:   "convert [FILE]",
		Short: "Make a trace of an export, or CSV of JSON lines",
		Long: `Make a trace of an export of a CI system, of Kubernetes or of Prometheus; or turn
CSV into JSON lines and back, which loses nothing.

Without a file, or with -, the standard input is read (as CSV, unless --from says
otherwise). Files packed with gzip are unpacked. Every problem is printed with its
line, column and what to do about it, and the exit code is 1; with --skip-bad the
builds that are wrong are left out and counted by reason. Builds that never ran or
have not ended, and those that the mapping drops, are always left out and counted.`,
		Example: `  buildpool trace mapping jenkins > mapping.yaml
  buildpool trace convert --from jenkins --mapping mapping.yaml builds.json --out builds.csv
  kubectl get pods -A -o json | buildpool trace convert --from kubernetes --mapping mapping.yaml -`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			trace, err := source.read(env, sourceName(args))
			if err != nil {
				return err
			}
			return target.write(env, trace)
		},
	}
	source.addFlags(cmd.Flags())
	target.addFlags(cmd.Flags())
	return cmd
}

func newTraceMappingCommand(env environment) *cobra.Command {
	return &cobra.Command{
		Use:   "mapping FORMAT",
		Short: "Print a mapping file to begin with",
		Long: `Print a mapping file to begin with for exports of a format: ` + formatList() + `
(the first two, which are our own, need none).`,
		Example: `  buildpool trace mapping gitlab > mapping.yaml`,
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			text, err := workload.ExampleMapping(workload.Format(args[0]))
			if err != nil {
				return err
			}
			_, err = fmt.Fprint(env.stdout, text)
			return err
		},
	}
}
