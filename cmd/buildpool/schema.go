package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/buildpool/buildpool/nodegroups/config"
	"github.com/buildpool/buildpool/simulations/report"
)

func newSchemaCommand(env environment) *cobra.Command {
	return &cobra.Command{
		Use:   "schema [nodegroups|report|comparison]",
		Short: "Print the JSON schema of the node-group file, or of a simulation's report",
		Long: `Print the JSON schema (draft 2020-12) of the node-group file, for editors and
linters, or that of what simulations report and "buildpool compare" puts out. An editor with the YAML language server takes it from a comment:

  # yaml-language-server: $schema=nodegroups.schema.json

"buildpool validate" finds more: what a schema cannot say, and with --live what the
account says.`,
		Args:      cobra.MatchAll(cobra.MaximumNArgs(1), cobra.OnlyValidArgs),
		ValidArgs: []string{"nodegroups", "report", "comparison"},
		RunE: func(_ *cobra.Command, args []string) error {
			schema := config.Schema()
			if len(args) == 1 {
				switch args[0] {
				case "report":
					schema = report.Schema()
				case "comparison":
					schema = report.ComparisonSchema()
				}
			}
			_, err := fmt.Fprint(env.stdout, schema)
			return err
		},
	}
}
