package config

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/invopop/jsonschema"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
)

var update = flag.Bool("update", false, "rewrite nodegroups.schema.json and the expected errors under testdata/bad")

const schemaFile = "nodegroups.schema.json"

func TestSchemaIsUpToDate(t *testing.T) {
	generated := generateSchema(t)
	if *update {
		require.NoError(t, os.WriteFile(schemaFile, generated, 0o644))
		return
	}
	assert.Equal(t, string(generated), Schema(), "run go generate in this directory")
}

// generateSchema makes the schema from the types: their JSON tags give the keys and
// what is required, their comments the descriptions.
func generateSchema(t *testing.T) []byte {
	t.Helper()
	r := &jsonschema.Reflector{Mapper: mapType}
	require.NoError(t, r.AddGoComments(reflect.TypeFor[Config]().PkgPath(), ".", jsonschema.WithFullComment()))
	for name, text := range r.CommentMap {
		r.CommentMap[name] = strings.Join(strings.Fields(text), " ")
	}
	s := r.Reflect(&Config{})
	s.ID = "https://github.com/buildpool/buildpool/nodegroups/config/" + schemaFile
	s.Title = "buildpool node groups"
	for _, set := range constraints(s) {
		set()
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetIndent("", "  ")
	require.NoError(t, encoder.Encode(s))
	// The library's own marshalling escapes what HTML would trip over.
	return []byte(strings.NewReplacer(`\u003c`, "<", `\u003e`, ">").Replace(out.String()))
}

// mapType gives the types whose Go shape is not their shape in the file.
func mapType(t reflect.Type) *jsonschema.Schema {
	switch {
	case t == durationType:
		return &jsonschema.Schema{Type: "string", Pattern: durationPattern, Examples: []any{"90s", "10m"}}
	case t == quantityType:
		return &jsonschema.Schema{Type: "string", Pattern: quantityPattern, MaxLength: number(maxQuantityLength), Examples: []any{"500m", "4Gi"}}
	case enums[t] != nil:
		s := &jsonschema.Schema{Type: "string"}
		for _, v := range enums[t] {
			s.Enum = append(s.Enum, v)
		}
		return s
	}
	return nil
}

// constraints are what the types cannot say, from the constants that Parse uses.
func constraints(s *jsonschema.Schema) []func() {
	at := func(typ, key string) *jsonschema.Schema {
		p, ok := s.Definitions[typ].Properties.Get(key)
		if !ok {
			panic("no " + typ + "." + key)
		}
		return p
	}
	pattern := func(typ, key, form string) func() { return func() { at(typ, key).Pattern = form } }
	between := func(typ, key, low, high string) func() {
		return func() { at(typ, key).Minimum, at(typ, key).Maximum = json.Number(low), json.Number(high) }
	}
	labels := func(typ string) func() {
		return func() {
			p := at(typ, "labels")
			p.PropertyNames = &jsonschema.Schema{Pattern: labelKeyPattern}
			p.AdditionalProperties = &jsonschema.Schema{Type: "string", Pattern: labelValuePattern}
		}
	}
	return []func(){
		func() { at("Config", "apiVersion").Const = APIVersion },
		func() { at("Config", "kind").Const = Kind },
		func() { at("Config", "groups").MinItems = number(1) },
		func() { at("Expander", "tiers").MinItems = number(1) },
		func() { at("Tier", "classes").MinItems = number(1) },
		func() { at("ScalingGroup", "tags").MinProperties = number(1) },
		func() { at("ScalingGroup", "tags").MaxProperties = number(maxTags) },
		func() { at("ScalingGroup", "tags").PropertyNames = &jsonschema.Schema{MinLength: number(1)} },
		func() {
			s.Definitions["ScalingGroup"].OneOf = []*jsonschema.Schema{{Required: []string{"id"}}, {Required: []string{"tags"}}}
		},
		func() { at("Template", "instanceType").MinLength = number(1) },
		func() { at("GPU", "type").MinLength = number(1) },
		func() { at("LastLook", "buildSelector").MinLength = number(1) },
		pattern("Config", "region", regionPattern),
		pattern("Account", "assumeRoleArn", rolePattern),
		pattern("OIDC", "roleArn", rolePattern),
		pattern("OIDC", "providerArn", oidcProviderPattern),
		pattern("OIDC", "tokenFile", absolutePathPattern),
		pattern("Group", "name", namePattern),
		pattern("ScalingGroup", "id", scalingGroupPattern),
		pattern("Taint", "key", labelKeyPattern),
		pattern("Taint", "value", labelValuePattern),
		pattern("GPU", "type", labelValuePattern),
		pattern("Price", "currency", currencyPattern),
		between("Group", "min", "0", "2000"),
		between("Group", "max", "0", "2000"),
		between("Template", "memoryOverheadPercent", "0", "99"),
		between("Template", "maxPods", "1", "2147483647"),
		between("GPU", "count", "1", "2147483647"),
		between("Group", "priority", "-2147483648", "2147483647"),
		between("Options", "scaleDownUtilizationThreshold", "0", "1"),
		between("Options", "scaleDownGPUUtilizationThreshold", "0", "1"),
		func() { at("Price", "perHour").Minimum = "0" },
		between("Pricing", "assumedSpotShare", "0.01", "1"),
		between("Window", "min", "0", "2000"),
		between("Window", "share", "0.01", "1"),
		func() {
			s.Definitions["Window"].OneOf = []*jsonschema.Schema{{Required: []string{"min"}}, {Required: []string{"share"}}}
		},
		between("Headroom", "slots", "1", "10000"),
		between("Headroom", "share", "0.01", "1"),
		func() {
			s.Definitions["Headroom"].OneOf = []*jsonschema.Schema{{Required: []string{"slots"}}, {Required: []string{"share"}}}
		},
		between("Slot", "gpus", "0", "2147483647"),
		func() { at("Hours", "holidays").Items.Pattern = dayPattern },
		func() { at("Window", "holidays").Items.Pattern = dayPattern },
		func() { at("Schedule", "holidays").Items.Pattern = dayPattern },
		func() { at("VirtualPrice", "perCPU").Minimum, at("VirtualPrice", "perGiB").Minimum = "0", "0" },
		between("VirtualPrice", "spotDiscount", "0", "0.99"),
		pattern("VirtualPrice", "currency", currencyPattern),
		pattern("VirtualInstanceType", "name", `^ecs\.`),
		func() { at("VirtualInstanceType", "perHour").ExclusiveMinimum = "0" },
		func() { at("OverflowClass", "podSelector").MinLength = number(1) },
		func() { at("OverflowClass", "namespaces").Items.Pattern = namePattern },
		func() {
			at("OverflowClass", "annotations").PropertyNames = &jsonschema.Schema{Pattern: labelKeyPattern}
		},
		between("OverflowClass", "maxPods", "1", "10000"),
		func() { at("OverflowClass", "maxCostPerHour").ExclusiveMinimum = "0" },
		func() { at("VirtualNode", "selector").MinLength = number(1) },
		pattern("VirtualNode", "taintKey", labelKeyPattern),
		func() { s.Definitions["StartWhen"].MinProperties = number(1) },
		labels("Defaults"),
		labels("Group"),
	}
}

func number(n uint64) *uint64 { return &n }

// TestEveryTypeIsDecoded walks Config and fails on a field of a kind that the
// decoder does not know.
func TestEveryTypeIsDecoded(t *testing.T) {
	known := map[reflect.Kind]bool{reflect.String: true, reflect.Int: true, reflect.Float64: true, reflect.Bool: true}
	var walk func(path string, typ reflect.Type)
	walk = func(path string, typ reflect.Type) {
		switch {
		case typ == durationType || typ == quantityType:
		case typ.Kind() == reflect.Struct:
			for i := range typ.NumField() {
				f := typ.Field(i)
				key, options, _ := strings.Cut(f.Tag.Get("json"), ",")
				assert.NotEmpty(t, key, "%s.%s has no key", path, f.Name)
				assert.Contains(t, []string{"", "omitempty", "omitempty,omitzero"}, options, "%s.%s", path, key)
				walk(join(path, key), f.Type)
			}
		case typ.Kind() == reflect.Pointer, typ.Kind() == reflect.Slice:
			walk(path, typ.Elem())
		case typ.Kind() == reflect.Map:
			assert.Equal(t, reflect.TypeFor[map[string]string](), typ, path)
		default:
			assert.True(t, known[typ.Kind()], "%s is a %s", path, typ)
		}
	}
	walk("", reflect.TypeFor[Config]())
	assert.Contains(t, enums, reflect.TypeFor[corev1.TaintEffect]())
}
