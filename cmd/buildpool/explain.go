package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/buildpool/buildpool/nodegroups/explain"
)

// explainFlags are the flags of explain's commands.
type explainFlags struct {
	server, kubeconfig, context, from, output string
}

func newExplainCommand(env environment) *cobra.Command {
	var f explainFlags
	command := &cobra.Command{
		Use:   "explain",
		Short: "Say why a build waits, or how a node group fares",
		Long: `Explain reads the cluster (nodes, pods that have not ended, cluster-autoscaler's
events on them) and what a running server says of its groups, and answers in plain
sentences. It changes nothing. "explain dump" saves what it would read, for somebody
else to look at: --from FILE then takes the place of both. A dump holds names, labels,
taints, requests and conditions, of containers nothing else (no images, commands or
environment), and of volumes which claims a pod names and where they can be used.`,
		Args: cobra.NoArgs,
	}
	flags := command.PersistentFlags()
	flags.StringVar(&f.server, "server", "127.0.0.1:8081", "where the server answers HTTP: its --http-address")
	flags.StringVar(&f.kubeconfig, "kubeconfig", "", "how to reach the cluster; default: as kubectl does")
	flags.StringVar(&f.context, "context", "", "the kubeconfig's context to use")
	flags.StringVar(&f.from, "from", "", `explain what a file of "explain dump" holds, and ask nobody`)
	command.AddCommand(newExplainPodCommand(env, &f), newExplainGroupCommand(env, &f), newExplainDumpCommand(env, &f))
	return command
}

func newExplainPodCommand(env environment, f *explainFlags) *cobra.Command {
	command := &cobra.Command{
		Use:   "pod NAMESPACE/NAME",
		Short: "Say why a pod waits, and what each node group has against it",
		Long: `Explain pod names the one thing that it comes down to, when it will be otherwise
if that can be told, what stops each node group from taking the pod, and what the
scheduler and cluster-autoscaler said.

The rules are the scheduler's node selector, required node affinity, taints, requests
and the nodes that volumes are bound to, against the nodes that there are and the
groups' templates. What else the scheduler and cluster-autoscaler look at (affinity
between pods, spreading, backoff) is in their own words.

With -o json it prints {subject, cause, answer, when, notes[], groups[] {group, obstacles[]
{cause, text}}, said[]}.`,
		Example: `  buildpool explain pod ci/build-4711
  buildpool explain pod ci/build-4711 --from dump.json`,
		Args: cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			namespace, name, ok := strings.Cut(args[0], "/")
			if !ok || namespace == "" || name == "" {
				return fmt.Errorf("%q is no pod: want NAMESPACE/NAME", args[0])
			}
			return showExplanation(command.Context(), env, *f, func(facts explain.Facts) (explain.Explanation, error) {
				return explain.Pod(facts, namespace, name)
			})
		},
	}
	addExplainOutput(command, f)
	return command
}

func newExplainGroupCommand(env environment, f *explainFlags) *cobra.Command {
	command := &cobra.Command{
		Use:   "group NAME",
		Short: "Say whether a node group can grow, and what keeps it as large as it is",
		Long: `Explain group says whether the group can grow and what keeps it from that, what it
does not shrink below, which of its instances are no nodes yet, what a pod has to bring
along to land on it, and how many pods wait that it would take.

With -o json it prints {subject, cause, answer, when, notes[], groups[], said[]}.`,
		Example: `  buildpool explain group builds-spot`,
		Args:    cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			return showExplanation(command.Context(), env, *f, func(facts explain.Facts) (explain.Explanation, error) {
				return explain.OfGroup(facts, args[0])
			})
		},
	}
	addExplainOutput(command, f)
	return command
}

func newExplainDumpCommand(env environment, f *explainFlags) *cobra.Command {
	return &cobra.Command{
		Use:     "dump",
		Short:   "Print what the other two would read, to be explained elsewhere",
		Example: `  buildpool explain dump > dump.json`,
		Args:    cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			dump, err := gather(command.Context(), *f)
			if err != nil {
				return err
			}
			encoder := json.NewEncoder(env.stdout)
			encoder.SetIndent("", " ")
			encoder.SetEscapeHTML(false)
			return encoder.Encode(dump)
		},
	}
}

func addExplainOutput(command *cobra.Command, f *explainFlags) {
	command.Flags().StringVarP(&f.output, "output", "o", outputText, "form of the output: text or json")
}

// showExplanation collects the facts and prints what is made of them.
func showExplanation(ctx context.Context, env environment, f explainFlags, of func(explain.Facts) (explain.Explanation, error)) error {
	if f.output != outputText && f.output != outputJSON {
		return fmt.Errorf("--output is %q, but must be %s or %s", f.output, outputText, outputJSON)
	}
	dump, err := gather(ctx, f)
	if err != nil {
		return err
	}
	e, err := of(dump.facts())
	if err != nil {
		return err
	}
	if f.output == outputJSON {
		return explanationJSON(env.stdout, e)
	}
	_, err = fmt.Fprint(env.stdout, explanationText(e))
	return err
}

// gather reads a dump's file, or makes a dump of the server and the cluster.
func gather(ctx context.Context, f explainFlags) (explainDump, error) {
	if f.from == "" {
		return dumpOf(ctx, f)
	}
	content, err := os.ReadFile(f.from)
	if err != nil {
		return explainDump{}, fmt.Errorf("read the dump: %w", err)
	}
	var dump explainDump
	if err := json.Unmarshal(content, &dump); err != nil || dump.Kind != explainDumpKind {
		return explainDump{}, errors.Join(fmt.Errorf("read the dump: %s is not one of buildpool explain dump", f.from), err)
	}
	if dump.APIVersion != statusVersion {
		return explainDump{}, fmt.Errorf("read the dump: %s speaks %q, this command %s", f.from, shortened(dump.APIVersion), statusVersion)
	}
	return dump, nil
}
