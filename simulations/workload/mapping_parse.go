package workload

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// ParseMapping reads a mapping file. Unknown keys and values that make no sense are
// problems; all of them are returned together as *Errors.
func ParseMapping(name string, data []byte) (*Mapping, error) {
	p := mappingParser{file: name}
	m := &Mapping{}
	if root := p.document(data); root != nil {
		p.mapping(root, m)
	}
	return m, p.problems.orNil()
}

type mappingParser struct {
	file     string
	problems Errors
}

func (p *mappingParser) report(n *yaml.Node, f *fault) {
	p.problems.add(Problem{File: p.file, Line: max(n.Line, 1), Column: max(n.Column, 1), Field: f.field, Message: f.message(), Fix: f.fix})
}

// document returns the root of the only document, or nil after reporting why not.
func (p *mappingParser) document(data []byte) *yaml.Node {
	d := yaml.NewDecoder(bytes.NewReader(data))
	var document, second yaml.Node
	top := &yaml.Node{Line: 1, Column: 1}
	switch err := d.Decode(&document); {
	case errors.Is(err, io.EOF):
		p.report(top, &fault{"", "the file is empty", "", "start with default: {class: normal, cpu: 2, memory: 4Gi}"})
		return nil
	case err != nil:
		p.report(top, &fault{"", strings.TrimPrefix(err.Error(), "yaml: "), "", "mend the YAML"})
		return nil
	}
	if err := d.Decode(&second); !errors.Is(err, io.EOF) {
		p.report(&second, &fault{"", "there is a second document", "", "keep one mapping in a file"})
		return nil
	}
	return document.Content[0]
}

func (p *mappingParser) mapping(n *yaml.Node, m *Mapping) {
	p.object(n, "", map[string]func(*yaml.Node, string){
		"default": func(n *yaml.Node, path string) { p.object(n, path, p.requests(&m.Default)) },
		"rules": func(n *yaml.Node, path string) {
			p.list(n, path, func(n *yaml.Node, path string) {
				r := Rule{}
				p.rule(n, path, &r)
				m.Rules = append(m.Rules, r)
			})
		},
		"jobLabel": p.text(&m.JobLabel),
		"columns": func(n *yaml.Node, path string) {
			m.Columns = &ColumnNames{}
			p.columns(n, path, m.Columns)
		},
		"curve": func(n *yaml.Node, path string) {
			m.Curve = &Curve{}
			p.object(n, path, map[string]func(*yaml.Node, string){"job": p.text(&m.Curve.Job)})
		},
	})
}

func (p *mappingParser) rule(n *yaml.Node, path string, r *Rule) {
	keys := p.requests(&r.Requests)
	keys["job"] = p.pattern(&r.Job)
	keys["tag"] = p.pattern(&r.Tag)
	keys["as"] = p.text(&r.As)
	keys["drop"] = func(n *yaml.Node, path string) {
		if err := n.Decode(&r.Drop); err != nil {
			p.report(n, &fault{path, "is neither true nor false", n.Value, "write true, or take it out"})
		}
	}
	p.object(n, path, keys)
	if r.Job == nil && r.Tag == nil {
		p.report(n, &fault{path, "has neither job nor tag", "", `write job: "*" for every build, or use the default`})
	}
}

func (p *mappingParser) requests(r *Requests) map[string]func(*yaml.Node, string) {
	return map[string]func(*yaml.Node, string){
		"class":  func(n *yaml.Node, path string) { r.Classes = p.classes(n, path) },
		"cpu":    p.amount(&r.MilliCPU, parseCPU),
		"memory": p.amount(&r.MemoryBytes, parseMemory),
		"gpu":    p.amount(&r.GPUs, parseGPUs),
		"image":  p.text(&r.Image),
		"labels": func(n *yaml.Node, path string) { r.Labels = p.labels(n, path) },
	}
}

func (p *mappingParser) columns(n *yaml.Node, path string, c *ColumnNames) {
	p.object(n, path, map[string]func(*yaml.Node, string){
		"arrival": p.text(&c.Arrival), "start": p.text(&c.Start), "end": p.text(&c.End),
		"duration": p.text(&c.Duration), "wait": p.text(&c.Wait),
		"job": p.text(&c.Job), "class": p.text(&c.Class), "cpu": p.text(&c.CPU), "memory": p.text(&c.Memory),
		"gpu": p.text(&c.GPU), "image": p.text(&c.Image), "labels": p.text(&c.Labels), "time": p.text(&c.Time),
		"tags": func(n *yaml.Node, path string) {
			p.list(n, path, func(n *yaml.Node, path string) {
				var tag string
				p.text(&tag)(n, path)
				c.Tags = append(c.Tags, tag)
			})
		},
		"separator": func(n *yaml.Node, path string) {
			var s string
			p.text(&s)(n, path)
			r, size := utf8.DecodeRuneInString(s)
			if size != len(s) || r == utf8.RuneError || strings.ContainsRune("\"\r\n", r) {
				p.report(n, &fault{path, "is not one character", s, `write one such as ";" or "\t"`})
				return
			}
			c.Separator = r
		},
	})
	if c.Arrival == "" {
		p.report(n, &fault{path + ".arrival", "is missing", "", "name the column that says when a build was asked for"})
	}
	if c.Duration == "" && (c.Start == "" || c.End == "") {
		p.report(n, &fault{path + ".duration", "is missing", "", "name the column of the duration, or those of start and end"})
	}
}

// object reads a mapping, each key by its reader.
func (p *mappingParser) object(n *yaml.Node, path string, keys map[string]func(*yaml.Node, string)) {
	n = followed(n)
	if n.Kind != yaml.MappingNode {
		p.report(n, &fault{path, "is no mapping of keys to values", n.Value, "write key: value"})
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		at := strings.TrimPrefix(path+"."+key.Value, ".")
		read, known := keys[key.Value]
		switch {
		case !known:
			p.report(key, &fault{at, "is no key here", "", "use " + strings.Join(sortedKeys(keys), ", ")})
		case seen[key.Value]:
			p.report(key, &fault{at, "is there twice", "", "write it once"})
		default:
			read(followed(value), at)
		}
		seen[key.Value] = true
	}
}

func followed(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
