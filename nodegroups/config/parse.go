package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxFileSize is what a ConfigMap can hold; a larger file cannot be meant.
const maxFileSize = 1 << 20

// Load reads and parses the file at path. A file that cannot be read gives the
// operating system's error, a file that is wrong gives Errors.
func Load(path string) (Config, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return Config{}, fmt.Errorf("read node groups: %w", err)
	}
	return Parse(path, data)
}

// Parse reads a node-group file strictly and returns it with the defaults merged
// into each group: labels key by key, template, options and cooldown field by
// field, the group's own value winning; taints have no defaults. ProviderID and
// the credentials get their defaults, and each group's Labels carry its class.
//
// The error is of type Errors and holds everything that is wrong. The filename is
// only used in it.
func Parse(filename string, data []byte) (Config, error) {
	d := newDecoder(filename)
	var cfg Config
	if root := d.document(data); root != nil {
		d.findCredentials(root)
		d.value(root, "", reflectTarget(&cfg))
		d.validate(cfg)
	}
	d.findCredentialText(data)
	if len(d.problems) > 0 {
		return Config{}, inFileOrder(d.redacted())
	}
	return withDefaults(cfg), nil
}

// Locate returns where the field with this path stands in a file, or, if the file
// does not set it, the nearest field around it: the line and column of a Finding.
// Both are 1 for a file that is no YAML.
func Locate(data []byte, field string) (line, column int) {
	d := newDecoder("")
	if root := d.document(data); root != nil {
		d.value(root, "", reflectTarget(&Config{}))
	}
	at := d.find(field)
	return max(at.line, 1), max(at.column, 1)
}

// document returns the file's only document, or nil after reporting why there is
// none to read.
func (d *decoder) document(data []byte) *yaml.Node {
	start := `start with "apiVersion: ` + APIVersion + `" and "kind: ` + d.kind + `"`
	if len(data) > maxFileSize {
		d.report(1, 1, "", fmt.Sprintf("the file has %d bytes, more than %d", len(data), maxFileSize), "split it")
		return nil
	}
	reader := yaml.NewDecoder(bytes.NewReader(data))
	doc, err := nextDocument(reader)
	if errors.Is(err, io.EOF) {
		d.report(1, 1, "", "the file is empty", start)
		return nil
	}
	if err != nil {
		d.syntaxError(data, err)
		return nil
	}
	more, err := nextDocument(reader)
	switch {
	case errors.Is(err, io.EOF):
	case err != nil:
		d.syntaxError(data, err)
	default:
		d.report(more.Line, more.Column, "", "the file has more than one document", `remove the "---" and what follows, or make it a file of its own`)
	}
	if len(doc.Content) == 0 || doc.Content[0].ShortTag() == "!!null" {
		d.report(1, 1, "", "the file is empty", start)
		return nil
	}
	return doc.Content[0]
}

// nextDocument reads one document. The YAML reader is known to panic on some
// malformed comments; that is a syntax error to us.
func nextDocument(reader *yaml.Decoder) (doc *yaml.Node, err error) {
	defer func() {
		if r := recover(); r != nil {
			doc, err = nil, fmt.Errorf("yaml: the text cannot be read: %v", r)
		}
	}()
	doc = &yaml.Node{}
	if err := reader.Decode(doc); err != nil {
		return nil, err
	}
	return doc, nil
}

var (
	yamlErrorForm   = regexp.MustCompile(`(?s)^yaml: (?:line (\d+): )?(.*)$`)
	unknownAliasFmt = regexp.MustCompile(`unknown anchor '(.+)' referenced`)
)

// syntaxError reports what the YAML reader said, with the line it named.
func (d *decoder) syntaxError(data []byte, err error) {
	line, message := 1, err.Error()
	if m := yamlErrorForm.FindStringSubmatch(message); m != nil {
		if n, err := strconv.Atoi(m[1]); err == nil {
			line = n
		}
		message = m[2]
	}
	fix := "correct the YAML at or shortly before this line"
	if m := unknownAliasFmt.FindStringSubmatch(message); m != nil {
		// The reader names no line for it.
		line = 1 + strings.Count(before(string(data), "*"+m[1]), "\n")
		fix = fmt.Sprintf("mark the value with &%s before it is used", m[1])
	}
	d.report(line, 1, "", "the YAML cannot be read: "+message, fix)
}

func before(s, mark string) string {
	head, _, found := strings.Cut(s, mark)
	if !found {
		return ""
	}
	return head
}
