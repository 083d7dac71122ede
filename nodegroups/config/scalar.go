package config

import (
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/api/resource"
)

const (
	durationExample = `write a duration such as "90s", "10m" or "1h30m"`
	quantityExample = `write a quantity such as "500m", "2" or "4Gi"`
)

func (d *decoder) text(n *yaml.Node, path string, v reflect.Value) {
	if !isScalar(n, "!!str") {
		fix := ""
		if n.Kind == yaml.ScalarNode && n.ShortTag() != "!!null" {
			fix = "put it in quotes"
		}
		d.wrongType(n, path, "text", fix)
		return
	}
	v.SetString(n.Value)
	if values, ok := enums[v.Type()]; ok && !contains(values, n.Value) {
		fix := "use one of " + strings.Join(values, ", ")
		if near, ok := nearest(n.Value, values); ok {
			fix = fmt.Sprintf("did you mean %q? %s", near, fix)
		}
		d.reject(n, path, fmt.Sprintf("unknown value %s", quoted(n.Value)), fix)
	}
}

func (d *decoder) integer(n *yaml.Node, path string, v reflect.Value) {
	if !isScalar(n, "!!int") {
		d.wrongType(n, path, "a whole number", unquoteFix(n, func(s string) bool {
			_, err := strconv.Atoi(s)
			return err == nil
		}))
		return
	}
	var i int32
	if err := n.Decode(&i); err != nil {
		d.reject(n, path, fmt.Sprintf("the number %s is out of range", excerpt(n.Value)), "use a number between -2147483648 and 2147483647")
		return
	}
	v.SetInt(int64(i))
}

func (d *decoder) number(n *yaml.Node, path string, v reflect.Value) {
	if !isScalar(n, "!!int") && !isScalar(n, "!!float") {
		d.wrongType(n, path, "a number", unquoteFix(n, func(s string) bool {
			_, err := strconv.ParseFloat(s, 64)
			return err == nil
		}))
		return
	}
	var f float64
	if err := n.Decode(&f); err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
		d.reject(n, path, fmt.Sprintf("%s is no finite number", excerpt(n.Value)), "write a number such as 0.5")
		return
	}
	v.SetFloat(f)
}

func (d *decoder) boolean(n *yaml.Node, path string, v reflect.Value) {
	var b bool
	if !isScalar(n, "!!bool") || n.Decode(&b) != nil {
		d.wrongType(n, path, "true or false", "")
		return
	}
	v.SetBool(b)
}

func (d *decoder) duration(n *yaml.Node, path string, v reflect.Value) {
	if !isScalar(n, "!!str") {
		d.wrongType(n, path, "a duration", durationExample)
		return
	}
	t, err := time.ParseDuration(n.Value)
	switch {
	case err == nil && t < 0:
		d.reject(n, path, fmt.Sprintf("the duration %s is negative", quoted(n.Value)), durationExample)
	case err != nil || !durationForm.MatchString(n.Value):
		d.reject(n, path, fmt.Sprintf("%s is no duration", quoted(n.Value)), durationExample)
	default:
		v.SetInt(int64(t))
	}
}

func (d *decoder) quantity(n *yaml.Node, path string, v reflect.Value) {
	if !isScalar(n, "!!str") {
		fix := quantityExample
		if isScalar(n, "!!int") {
			fix = fmt.Sprintf("put it in quotes: %q", excerpt(n.Value))
		}
		d.wrongType(n, path, "a quantity as text", fix)
		return
	}
	if strings.HasPrefix(n.Value, "-") && quantityForm.MatchString(n.Value[1:]) {
		d.reject(n, path, fmt.Sprintf("the quantity %s is negative", quoted(n.Value)), quantityExample)
		return
	}
	// The form is narrower than Kubernetes' own: it bounds the exponent, which the
	// parser would otherwise compute digit by digit.
	if len(n.Value) > maxQuantityLength || !quantityForm.MatchString(n.Value) {
		d.reject(n, path, fmt.Sprintf("%s is no quantity", quoted(n.Value)), quantityExample)
		return
	}
	q, err := resource.ParseQuantity(n.Value)
	if err != nil {
		d.reject(n, path, fmt.Sprintf("%s is no quantity", quoted(n.Value)), quantityExample)
		return
	}
	v.Set(reflect.ValueOf(q))
}

// wrongType says what was found and what is wanted.
func (d *decoder) wrongType(n *yaml.Node, path, want, fix string) {
	switch {
	case fix != "":
	case isScalar(n, "!!null"):
		fix = "give it a value, or remove the key"
	default:
		fix = "correct the value, or remove the key"
	}
	d.reject(n, path, fmt.Sprintf("found %s, want %s", describe(n), want), fix)
}

// describe names what a node is, for people.
func describe(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	switch tag := n.ShortTag(); tag {
	case "!!str":
		return "the text " + quoted(n.Value)
	case "!!int", "!!float":
		return "the number " + excerpt(n.Value)
	case "!!bool":
		return "the truth value " + excerpt(n.Value)
	case "!!null":
		return "nothing"
	case "!!timestamp":
		return "the date " + excerpt(n.Value)
	default:
		return "a value tagged " + excerpt(tag)
	}
}

func isScalar(n *yaml.Node, tag string) bool {
	return n.Kind == yaml.ScalarNode && n.ShortTag() == tag
}

func unquoteFix(n *yaml.Node, parses func(string) bool) string {
	if isScalar(n, "!!str") && parses(n.Value) {
		return "remove the quotes"
	}
	return ""
}

// maxExcerpt is how much of a value a message repeats.
const maxExcerpt = 60

// excerpt is the beginning of a value on one line.
func excerpt(s string) string {
	if len(s) > maxExcerpt {
		cut := maxExcerpt
		for cut > 0 && !utf8.RuneStart(s[cut]) {
			cut--
		}
		s = s[:cut] + "…"
	}
	return printable(s)
}

func quoted(s string) string { return `"` + excerpt(s) + `"` }

// printable escapes what would break a line or hide in a terminal.
func printable(s string) string {
	q := strconv.Quote(s)
	return strings.ReplaceAll(q[1:len(q)-1], `\"`, `"`)
}
