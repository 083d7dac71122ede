package config

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxPairs bounds the pairs read from one file, with all aliases and merge keys
// followed: 2,000 full groups are far below, a "billion laughs" file is above.
const maxPairs = 200_000

// pair is one key of a mapping and its value.
type pair struct {
	name  string
	key   *yaml.Node
	value *yaml.Node
}

// pairs returns a mapping's keys in order, its merge keys followed: the mapping's
// own keys win, then the earlier merged mapping.
func (d *decoder) pairs(n *yaml.Node, path string) []pair {
	var own []pair
	var merged []*yaml.Node
	lines := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.Kind == yaml.AliasNode {
			key = key.Alias
		}
		if !d.spend(n, path) {
			return nil
		}
		if key.Kind == yaml.ScalarNode && key.ShortTag() == "!!merge" {
			merged = append(merged, value)
			continue
		}
		if key.Kind != yaml.ScalarNode || key.ShortTag() != "!!str" {
			d.report(key.Line, key.Column, path, fmt.Sprintf("a key is %s, want text", describe(key)), "put the key in quotes")
			continue
		}
		if line, twice := lines[key.Value]; twice {
			d.report(key.Line, key.Column, path, fmt.Sprintf("the key %s stands twice, first in line %d", quoted(key.Value), line), "remove one of them")
			continue
		}
		lines[key.Value] = key.Line
		own = append(own, pair{name: key.Value, key: key, value: value})
	}
	return d.merge(own, merged, n, path)
}

// spend counts a pair; it fails once when there are too many.
func (d *decoder) spend(n *yaml.Node, path string) bool {
	d.visited++
	if d.visited == maxPairs+1 {
		d.reject(n, path, fmt.Sprintf("the anchors and merge keys expand to more than %d values", maxPairs), "write them out, or merge less")
	}
	return d.visited <= maxPairs
}

// merge appends the pairs of the mappings under "<<" that the mapping does not have
// itself.
func (d *decoder) merge(own []pair, merged []*yaml.Node, n *yaml.Node, path string) []pair {
	if len(merged) == 0 {
		return own
	}
	if d.merging[n] {
		d.report(n.Line, n.Column, path, "the mapping merges itself", `remove the "<<" that points back`)
		return own
	}
	d.merging[n] = true
	defer delete(d.merging, n)
	have := map[string]bool{}
	for _, p := range own {
		have[p.name] = true
	}
	for _, source := range d.mergeSources(merged, path) {
		for _, p := range d.pairs(source, path) {
			if !have[p.name] {
				have[p.name] = true
				own = append(own, p)
			}
		}
	}
	return own
}

// mergeSources lists the mappings that merge keys name: one each, or a list.
func (d *decoder) mergeSources(merged []*yaml.Node, path string) []*yaml.Node {
	var sources []*yaml.Node
	add := func(n *yaml.Node) {
		target := n
		if n.Kind == yaml.AliasNode {
			target = n.Alias
		}
		if target.Kind != yaml.MappingNode {
			d.report(n.Line, n.Column, path, fmt.Sprintf(`"<<" merges %s, want a mapping`, describe(target)), `write "<<: *name", where &name marks a mapping`)
			return
		}
		sources = append(sources, target)
	}
	for _, m := range merged {
		if m.Kind != yaml.SequenceNode {
			add(m)
			continue
		}
		for _, item := range m.Content {
			add(item)
		}
	}
	return sources
}

// unknownKey reports a key that the type does not have, with the likeliest meaning.
func (d *decoder) unknownKey(p pair, path string, known fields) {
	if isCredentialKey(p.name) {
		return // reported as a credential
	}
	at := join(path, printable(p.name))
	fix := "remove it; known keys: " + strings.Join(known.keys(), ", ")
	if parent, ok := known.ownerOf(p.name); ok {
		fix = fmt.Sprintf("it belongs under %q", parent)
	} else if near, ok := nearest(p.name, known.keys()); ok {
		fix = fmt.Sprintf("did you mean %q?", near)
	}
	d.reject(p.key, at, "unknown key", fix)
}
