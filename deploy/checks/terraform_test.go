package checks

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclparse"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/deploy/checks/internal/manifest"
)

// metaArguments are Terraform's own.
var metaArguments = []string{"count", "depends_on", "for_each", "provider"}

// terraformFiles parses the example.
func terraformFiles(t *testing.T) []*hclsyntax.Body {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "terraform", "*.tf"))
	require.NoError(t, err)
	require.Len(t, files, 3)
	parser := hclparse.NewParser()
	var bodies []*hclsyntax.Body
	for _, file := range files {
		parsed, problems := parser.ParseHCLFile(file)
		require.False(t, problems.HasErrors(), "%v", problems)
		body, ok := parsed.Body.(*hclsyntax.Body)
		require.True(t, ok)
		bodies = append(bodies, body)
	}
	return bodies
}

// documentedArguments are the names of a resource's arguments, by resource and block.
func documentedArguments(t *testing.T) map[string][]string {
	t.Helper()
	lines, err := manifest.ReadLines(filepath.Join("testdata", "terraform-arguments.txt"))
	require.NoError(t, err)
	out := map[string][]string{}
	for _, line := range lines {
		fields := strings.Fields(line)
		out[fields[0]+" "+fields[1]] = fields[2:]
	}
	return out
}

// TestTerraformArguments: every argument of every resource is one that the provider
// documents.
func TestTerraformArguments(t *testing.T) {
	documented := documentedArguments(t)
	resources := 0
	for _, body := range terraformFiles(t) {
		for _, block := range body.Blocks {
			if block.Type != "resource" {
				continue
			}
			resources++
			kind := block.Labels[0]
			checkArguments(t, kind+" -", block.Body, documented, metaArguments)
			for _, inner := range block.Body.Blocks {
				switch inner.Type {
				case "lifecycle":
				case "dynamic":
					require.Len(t, inner.Body.Blocks, 1)
					checkArguments(t, kind+" "+inner.Labels[0], inner.Body.Blocks[0].Body, documented, nil)
				default:
					checkArguments(t, kind+" "+inner.Type, inner.Body, documented, nil)
				}
			}
		}
	}
	assert.Equal(t, 2, resources)
}

func checkArguments(t *testing.T, where string, body *hclsyntax.Body, documented map[string][]string, more []string) {
	t.Helper()
	known, ok := documented[where]
	require.True(t, ok, "%s is not documented", where)
	for name := range body.Attributes {
		assert.True(t, slices.Contains(known, name) || slices.Contains(more, name), "%s has no argument %s", where, name)
	}
}

// TestTerraformReferences: what is referred to is declared, and every variable is used.
func TestTerraformReferences(t *testing.T) {
	declared, used := map[string]bool{"path.module": true}, map[string]bool{}
	for _, body := range terraformFiles(t) {
		for _, block := range body.Blocks {
			switch block.Type {
			case "variable":
				declared["var."+block.Labels[0]] = true
			case "resource":
				declared[block.Labels[0]+"."+block.Labels[1]] = true
			case "locals":
				for name := range block.Body.Attributes {
					declared["local."+name] = true
				}
			}
		}
		_ = hclsyntax.VisitAll(body, func(node hclsyntax.Node) hcl.Diagnostics {
			if reference, ok := node.(*hclsyntax.ScopeTraversalExpr); ok && len(reference.Traversal) > 1 {
				if next, ok := reference.Traversal[1].(hcl.TraverseAttr); ok {
					used[reference.Traversal.RootName()+"."+next.Name] = true
				}
			}
			return nil
		})
	}
	for reference := range used {
		root, _, _ := strings.Cut(reference, ".")
		if slices.Contains([]string{"var", "local", "path"}, root) || strings.HasPrefix(root, "alicloud_") {
			assert.True(t, declared[reference], "%s is not declared", reference)
		}
	}
	for name := range declared {
		assert.True(t, used[name], "%s is not used", name)
	}
}

// TestTerraformGroups: the values that matter most to us, as they stand in the text.
func TestTerraformGroups(t *testing.T) {
	content, err := os.ReadFile(filepath.Join("..", "terraform", "main.tf"))
	require.NoError(t, err)
	text := strings.Join(strings.Fields(string(content)), " ")
	for _, line := range []string{
		"desired_capacity = 0", `spot_duration = "1"`, `scaling_policy = "recycle"`, "ignore_changes = [desired_capacity]",
		"tags = { buildpool = each.key }",
	} {
		assert.Contains(t, text, line)
	}
}

// TestTerraformNodesRegister: the user data of each class says the label and the taint
// of the chart's node group of that class.
func TestTerraformNodesRegister(t *testing.T) {
	content, err := os.ReadFile(filepath.Join("..", "terraform", "join.sh.tftpl"))
	require.NoError(t, err)
	for _, class := range classes {
		script := strings.ReplaceAll(string(content), "${class}", class)
		assert.Contains(t, script, "--node-labels=buildpool.io/class="+class+",workload_type="+class+" ")
		assert.Contains(t, script, "--register-with-taints=buildpool.io/class="+class+":NoSchedule ")
	}
}
