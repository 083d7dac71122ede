package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
)

// serveFlags are the flags of serve.
type serveFlags struct {
	config         string
	address        string
	insecure       bool
	httpAddress    string
	essEndpoint    string
	simulate       string
	resyncInterval time.Duration
	deleteWindow   time.Duration
	maxSnapshotAge time.Duration
	dryRun         bool
	overflow       bool
	log            logFlags

	door    doorFlags
	tracing tracingFlags

	expander expanderFlags
	leader   leaderFlags
	reclaims reclaimFlags
	cluster  clusterFlags
	timeline timelineFlags

	allowOptionsWithCA135 bool // see grpcserver.Options
}

// embedded is the value of --simulate without a file: the account in the binary.
const embedded = "embedded"

func newServeCommand(env environment) *cobra.Command {
	var f serveFlags
	command := &cobra.Command{
		Use:   "serve --config FILE",
		Short: "Serve cluster-autoscaler's externalgrpc protocol over ESS scaling groups",
		Long: `Serve answers cluster-autoscaler (--cloud-provider=externalgrpc) over gRPC and
maps the node groups of a file onto ESS scaling groups. The file is read again when
it changes; a file with errors is reported and the last good one stays in force.

With --dry-run it reads the account, decides and answers, and no write is sent: it
shows what it would do, also beside another autoscaler. See docs/dry-run.md first: an
autoscaler that may scale down drains nodes before it asks to delete them.

With --simulate it needs no account: a simulated one runs inside, and the same SDK
that talks to Alibaba Cloud talks to it over HTTP on a loopback port.

The autoscaler's cloud-config file then holds one line:  address: "127.0.0.1:8086"

Off loopback it wants certificates: "buildpool certs" makes some for a first try.`,
		Example: `  buildpool serve --config nodegroups.yaml
  buildpool serve --config nodegroups.yaml --address unix:///run/buildpool/grpc.sock
  buildpool serve --config nodegroups.yaml --address 0.0.0.0:8086 \
    --tls-cert tls.crt --tls-key tls.key --tls-client-ca ca.crt --allow-client cluster-autoscaler
  buildpool serve --simulate`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			if err := f.check(); err != nil {
				return err
			}
			return serve(command.Context(), env, f)
		},
	}
	flags := command.Flags()
	flags.StringVar(&f.config, "config", "", "the node-group file; with --simulate the default is one that fits the simulated account")
	flags.StringVar(&f.address, "address", "127.0.0.1:8086", "where to serve gRPC: host:port or unix:///path")
	flags.BoolVar(&f.insecure, "insecure", false, "allow --address off loopback without TLS: whoever reaches it can scale the node groups")
	flags.StringVar(&f.httpAddress, "http-address", "127.0.0.1:8081", "where to serve /metrics, /healthz, /readyz, /status and a page for people at /; empty: nowhere")
	flags.StringVar(&f.essEndpoint, "ess-endpoint", "", "base URL of a simulated account that answers ESS, ECS, VPC and STS; default: the real services")
	flags.StringVar(&f.simulate, "simulate", "", "run a simulated account inside, the built-in one or that of a file: --simulate=account.yaml")
	flags.Lookup("simulate").NoOptDefVal = embedded
	flags.DurationVar(&f.resyncInterval, "resync-interval", 5*time.Minute, "how often to read all instances although no counter of their group moved")
	flags.DurationVar(&f.deleteWindow, "delete-window", 100*time.Millisecond, "how long a delete waits for others to share its call with")
	flags.DurationVar(&f.maxSnapshotAge, "max-snapshot-age", 10*time.Minute, "not ready once the last good reading of the account is this old")
	flags.BoolVar(&f.allowOptionsWithCA135, "allow-options-with-ca-1.35", false, "give the groups' options to cluster-autoscaler 1.35 and newer, which then count booting nodes as unready (autoscaler#10245)")
	flags.BoolVar(&f.dryRun, "dry-run", false, "decide as ever and write nothing: every write to the account is logged instead, and what the autoscaler asked for is refused")
	flags.BoolVar(&f.overflow, "overflow", false, "let builds that real nodes serve too late onto a virtual node, by the file's section overflow; needs a watched cluster and the right to patch pods")
	f.door.register(flags)
	f.tracing.register(flags)
	f.expander.register(flags)
	f.leader.register(flags)
	f.reclaims.register(flags)
	f.cluster.register(flags)
	f.timeline.register(flags)
	f.log.add(flags)
	return command
}

// check finds what the flags cannot mean together.
func (f serveFlags) check() error {
	var wrong []error
	if f.config == "" && f.simulate == "" {
		wrong = append(wrong, errors.New("--config FILE is required (or --simulate, to try it without an account)"))
	}
	if f.simulate != "" && f.essEndpoint != "" {
		wrong = append(wrong, errors.New("--simulate and --ess-endpoint are two different accounts: give one of them"))
	}
	if f.dryRun && f.overflow {
		wrong = append(wrong, errors.New("--dry-run and --overflow do not go together: moving a build is a write"))
	}
	if f.dryRun && f.leader.elect {
		wrong = append(wrong, errors.New("--dry-run and --leader-elect do not go together: a server that writes nothing must not lead in the place of one that does"))
	}
	wrong = append(wrong, f.door.check(), f.expander.check(), f.leader.check(), f.reclaims.check(), f.cluster.check(), f.timeline.check())
	for _, d := range []struct {
		flag  string
		value time.Duration
	}{
		{"--resync-interval", f.resyncInterval},
		{"--delete-window", f.deleteWindow},
		{"--max-snapshot-age", f.maxSnapshotAge},
	} {
		if d.value <= 0 {
			wrong = append(wrong, fmt.Errorf("%s is %v, but must be positive", d.flag, d.value))
		}
	}
	return errors.Join(wrong...)
}
