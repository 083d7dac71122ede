package config

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"
)

// beyondSchema are the bad files whose fault no schema shows: it lies between two
// values, in the spelling of the YAML, in a comment, or in arithmetic.
var beyondSchema = []string{
	"credential-comment", "credential-sts", "two-documents",
	"duration-too-long",
	"expander-class-twice",
	"ephemeral-storage-zero", "quantity-thousandths", "provision-time-zero",
	"gpu-class-without-type", "gpu-on-normal", "label-gpu-contradicts", "label-gpu-on-normal",
	"key-not-text",
	"label-class-contradicts", "label-class-in-defaults", "label-hostname", "label-restricted",
	"node-cleanup", "expander-lost-build",
	"overflow-cost-without-price",
	"min-above-max", "name-twice", "price-currencies", "scaling-group-id-twice", "scaling-group-tags-twice",
	"oidc-unused", "role-name-unused", "schedule-without-time-zone",
	"region-zone", "region-zone-abroad",
	"taint-twice", "type-date", "type-tag",
}

// TestSchemaAgreesWithParse: what Parse accepts the schema accepts, and what Parse
// refuses the schema refuses, but for the faults that no schema shows.
func TestSchemaAgreesWithParse(t *testing.T) {
	v := newSchemaValidator(t)
	for _, file := range append(yamlFiles(t, "testdata/good"), "../../deploy/nodegroups.yaml") {
		assert.Empty(t, v.errors(readTree(t, file)), file)
	}
	for _, file := range yamlFiles(t, "testdata/bad") {
		name := strings.TrimSuffix(filepath.Base(file), ".yaml")
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		var tree any
		if yaml.UnmarshalStrict(data, &tree) != nil {
			continue // no YAML, so nothing for a schema to look at
		}
		if slices.Contains(beyondSchema, name) {
			assert.Empty(t, v.errors(tree), "%s: take it off the list, the schema shows it", name)
			continue
		}
		assert.NotEmpty(t, v.errors(tree), "%s: Parse refuses it, the schema does not", name)
	}
}

func readTree(t *testing.T, file string) any {
	t.Helper()
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	var tree any
	require.NoError(t, yaml.Unmarshal(data, &tree))
	return tree
}

// schemaValidator evaluates the keywords that our schema uses, and fails on any
// other, so that none is silently ignored.
type schemaValidator struct {
	t    *testing.T
	root map[string]any
}

func newSchemaValidator(t *testing.T) schemaValidator {
	t.Helper()
	var root map[string]any
	require.NoError(t, json.Unmarshal([]byte(Schema()), &root))
	return schemaValidator{t: t, root: root}
}

func (v schemaValidator) errors(value any) []string { return v.check(v.root, value, "") }

func (v schemaValidator) check(schema map[string]any, value any, path string) []string {
	var errs []string
	fail := func(format string, args ...any) {
		errs = append(errs, path+": "+fmt.Sprintf(format, args...))
	}
	for keyword, want := range schema {
		switch keyword {
		case "$schema", "$id", "$defs", "title", "description", "examples":
		case "$ref":
			name := strings.TrimPrefix(want.(string), "#/$defs/")
			errs = append(errs, v.check(v.root["$defs"].(map[string]any)[name].(map[string]any), value, path)...)
		case "type":
			if got := typeOf(value); got != want && (want != "number" || got != "integer") {
				fail("is %s, want %s", got, want)
			}
		case "const":
			if !reflect.DeepEqual(value, want) {
				fail("is not %v", want)
			}
		case "enum":
			if !slices.Contains(want.([]any), value) {
				fail("is none of %v", want)
			}
		case "oneOf":
			matches := 0
			for _, one := range want.([]any) {
				if len(v.check(one.(map[string]any), value, path)) == 0 {
					matches++
				}
			}
			if matches != 1 {
				fail("matches %d of oneOf", matches)
			}
		default:
			errs = append(errs, v.checkByType(schema, keyword, want, value, path)...)
		}
	}
	return errs
}

// checkByType evaluates the keywords that concern one type of value only.
func (v schemaValidator) checkByType(schema map[string]any, keyword string, want, value any, path string) []string {
	bad := func(when bool) []string {
		if when {
			return []string{fmt.Sprintf("%s: violates %s %v", path, keyword, want)}
		}
		return nil
	}
	text, isText := value.(string)
	number, isNumber := value.(float64)
	list, isList := value.([]any)
	object, isObject := value.(map[string]any)
	limit, _ := want.(float64)
	switch keyword {
	case "pattern":
		return bad(isText && !regexp.MustCompile(want.(string)).MatchString(text))
	case "minLength":
		return bad(isText && utf8.RuneCountInString(text) < int(limit))
	case "maxLength":
		return bad(isText && utf8.RuneCountInString(text) > int(limit))
	case "minimum":
		return bad(isNumber && number < limit)
	case "exclusiveMinimum":
		return bad(isNumber && number <= limit)
	case "maximum":
		return bad(isNumber && number > limit)
	case "minItems":
		return bad(isList && len(list) < int(limit))
	case "minProperties":
		return bad(isObject && len(object) < int(limit))
	case "maxProperties":
		return bad(isObject && len(object) > int(limit))
	case "items":
		var errs []string
		for i, item := range list {
			errs = append(errs, v.check(want.(map[string]any), item, itemPath(path, i))...)
		}
		return errs
	case "required":
		var errs []string
		for _, key := range want.([]any) {
			if _, ok := object[key.(string)]; isObject && !ok {
				errs = append(errs, fmt.Sprintf("%s: misses %s", path, key))
			}
		}
		return errs
	case "properties", "additionalProperties", "propertyNames":
		return v.checkObject(schema, keyword, object, path)
	}
	v.t.Fatalf("the schema uses the keyword %s, which this test does not know", keyword)
	return nil
}

func (v schemaValidator) checkObject(schema map[string]any, keyword string, object map[string]any, path string) []string {
	properties, _ := schema["properties"].(map[string]any)
	var errs []string
	for key, value := range object {
		property, named := properties[key].(map[string]any)
		switch {
		case keyword == "propertyNames":
			errs = append(errs, v.check(schema[keyword].(map[string]any), key, entry(path, key))...)
		case keyword == "properties" && named:
			errs = append(errs, v.check(property, value, join(path, key))...)
		case keyword == "additionalProperties" && !named:
			rest, isSchema := schema[keyword].(map[string]any)
			if !isSchema {
				errs = append(errs, join(path, key)+": unknown")
				continue
			}
			errs = append(errs, v.check(rest, value, entry(path, key))...)
		}
	}
	return errs
}

func typeOf(value any) string {
	switch value := value.(type) {
	case map[string]any:
		return "object"
	case []any:
		return "array"
	case string:
		return "string"
	case bool:
		return "boolean"
	case float64:
		if value == float64(int64(value)) {
			return "integer"
		}
		return "number"
	}
	return "null"
}

// TestSchemaSaysMoreThanShapes holds what editors live on.
func TestSchemaSaysMoreThanShapes(t *testing.T) {
	v := newSchemaValidator(t)
	for name, def := range v.root["$defs"].(map[string]any) {
		def := def.(map[string]any)
		assert.Equal(t, false, def["additionalProperties"], name)
		assert.NotEmpty(t, def["description"], name)
		for key, property := range def["properties"].(map[string]any) {
			assert.NotEmpty(t, property.(map[string]any)["description"], "%s.%s", name, key)
		}
	}
}
