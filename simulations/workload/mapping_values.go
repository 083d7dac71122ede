package workload

import (
	"fmt"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

func (p *mappingParser) list(n *yaml.Node, path string, item func(*yaml.Node, string)) {
	if n.Kind != yaml.SequenceNode {
		p.report(n, &fault{path, "is no list", n.Value, `start each item with "- "`})
		return
	}
	for i, child := range n.Content {
		item(followed(child), fmt.Sprintf("%s[%d]", path, i))
	}
}

// scalar is the node's text; numbers are as they are written.
func (p *mappingParser) scalar(n *yaml.Node, path string) (string, bool) {
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		p.report(n, &fault{path, "is no text", "", "write a value"})
		return "", false
	}
	return n.Value, true
}

func (p *mappingParser) text(to *string) func(*yaml.Node, string) {
	return func(n *yaml.Node, path string) {
		s, ok := p.scalar(n, path)
		if !ok {
			return
		}
		// A separator may be a tab; every other text ends up in a line of CSV.
		if f := checkText(path, strings.ReplaceAll(s, "\t", "")); f != nil {
			p.report(n, f)
			return
		}
		*to = s
	}
}

func (p *mappingParser) amount(to **int64, parse func(field, s string) (int64, *fault)) func(*yaml.Node, string) {
	return func(n *yaml.Node, path string) {
		s, ok := p.scalar(n, path)
		if !ok {
			return
		}
		v, f := parse(path, s)
		if f != nil {
			p.report(n, f)
			return
		}
		*to = &v
	}
}

// classes are written as spot|normal or as a list.
func (p *mappingParser) classes(n *yaml.Node, path string) []string {
	var texts []string
	if n.Kind == yaml.SequenceNode {
		for _, child := range n.Content {
			if s, ok := p.scalar(followed(child), path); ok {
				texts = append(texts, s)
			}
		}
	} else if s, ok := p.scalar(n, path); ok {
		texts = append(texts, s)
	} else {
		return nil
	}
	classes, f := parseClasses(path, strings.Join(texts, "|"))
	if f != nil {
		p.report(n, f)
	}
	return classes
}

func (p *mappingParser) labels(n *yaml.Node, path string) map[string]string {
	labels := map[string]string{} // not nil: an empty mapping takes the export's away
	if n.Kind != yaml.MappingNode {
		p.report(n, &fault{path, "is no mapping of keys to values", n.Value, "write {key: value}"})
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i].Value
		value, ok := p.scalar(followed(n.Content[i+1]), path+"."+key)
		if !ok {
			continue
		}
		if f := checkLabel(path+"."+key, key, value); f != nil {
			p.report(n.Content[i], f)
		}
		labels[key] = value
	}
	return labels
}

// pattern reads what a job or a tag has to look like: text in which * stands for any
// characters and ? for one, or between slashes a regular expression.
func (p *mappingParser) pattern(to **regexp.Regexp) func(*yaml.Node, string) {
	return func(n *yaml.Node, path string) {
		s, ok := p.scalar(n, path)
		if !ok {
			return
		}
		compiled, err := compilePattern(s)
		if err != nil {
			p.report(n, &fault{path, "is no regular expression: " + strings.TrimPrefix(err.Error(), "error parsing regexp: "), "", "mend it, or write text with * and ? without slashes"})
			return
		}
		*to = compiled
	}
}

func compilePattern(s string) (*regexp.Regexp, error) {
	if len(s) >= 2 && s[0] == '/' && s[len(s)-1] == '/' {
		return regexp.Compile(s[1 : len(s)-1])
	}
	quoted := regexp.QuoteMeta(s)
	quoted = strings.ReplaceAll(quoted, `\*`, ".*")
	quoted = strings.ReplaceAll(quoted, `\?`, ".")
	return regexp.Compile("(?s)^" + quoted + "$")
}
