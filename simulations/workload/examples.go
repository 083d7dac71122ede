package workload

import (
	"embed"
	"fmt"
	"strings"
)

//go:embed mappings/*.yaml
var mappingFiles embed.FS

// ExampleMapping is a mapping file to begin with for exports of that format. It
// returns ErrUnknownFormat for our own formats, which need none.
func ExampleMapping(f Format) (string, error) {
	text, err := mappingFiles.ReadFile("mappings/" + string(f) + ".yaml")
	if err != nil {
		return "", fmt.Errorf("example mapping: %w %q: use one of %s", ErrUnknownFormat, f, strings.Join(formatNames()[2:], ", "))
	}
	return string(text), nil
}
