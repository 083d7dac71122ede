// Command openapi writes testdata/openapi.json: what an apiserver's OpenAPI document
// says of the kinds that deploy/ uses (testdata/kinds.txt). The document is in Kubernetes'
// own module, k8s.io/kubernetes, as api/openapi-spec/swagger.json.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/buildpool/buildpool/deploy/checks/internal/schema"
)

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: openapi SWAGGER KINDS OUT")
		os.Exit(2)
	}
	if err := write(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, "openapi:", err)
		os.Exit(1)
	}
}

func write(swagger, kinds, out string) error {
	document, err := os.ReadFile(swagger) //nolint:gosec // named by the developer who runs it
	if err != nil {
		return fmt.Errorf("read OpenAPI document: %w", err)
	}
	list, err := os.ReadFile(kinds) //nolint:gosec // the same
	if err != nil {
		return fmt.Errorf("read kinds: %w", err)
	}
	definitions, err := schema.Trim(document, strings.Split(strings.TrimSpace(string(list)), "\n"))
	if err != nil {
		return err
	}
	content, err := json.MarshalIndent(definitions, "", " ")
	if err != nil {
		return fmt.Errorf("encode definitions: %w", err)
	}
	if err := os.WriteFile(out, append(content, '\n'), 0o644); err != nil { //nolint:gosec // everybody may read it
		return fmt.Errorf("write definitions: %w", err)
	}
	return nil
}
