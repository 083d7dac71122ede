package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/buildpool/buildpool/nodegroups/config"
)

func newSchemaCommand(env environment) *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON schema of the node-group file",
		Long: `Print the JSON schema (draft 2020-12) of the node-group file, for editors and
linters. An editor with the YAML language server takes it from a comment:

  # yaml-language-server: $schema=nodegroups.schema.json

"buildpool validate" finds more: what a schema cannot say, and with --live what the
account says.`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprint(env.stdout, config.Schema())
			return err
		},
	}
}
