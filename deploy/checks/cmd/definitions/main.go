// Command definitions prints the CustomResourceDefinitions of the resources of others
// that stand in deploy/, for whoever installs them in a cluster to try the objects.
package main

import (
	"flag"
	"fmt"
	"os"

	"sigs.k8s.io/yaml"

	"github.com/buildpool/buildpool/deploy/checks/internal/definitions"
)

func main() {
	list := flag.String("list", "testdata/custom-resources.txt", "the list of modules that hold them")
	flag.Parse()
	if err := write(*list); err != nil {
		fmt.Fprintln(os.Stderr, "definitions:", err)
		os.Exit(1)
	}
}

func write(list string) error {
	found, err := definitions.Read(list)
	if err != nil {
		return err
	}
	for _, o := range found {
		content, err := yaml.Marshal(o)
		if err != nil {
			return fmt.Errorf("encode %s: %w", o, err)
		}
		if _, err := fmt.Printf("---\n%s", content); err != nil {
			return fmt.Errorf("print %s: %w", o, err)
		}
	}
	return nil
}
