package checks

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// ramPolicy is a RAM policy as Alibaba Cloud reads it.
type ramPolicy struct {
	Version   string
	Statement []struct {
		Effect   string
		Action   []string
		Resource string
	}
}

// readPolicy returns what a policy allows: the resource by action.
func readPolicy(t *testing.T, name string) map[string]string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("..", name))
	require.NoError(t, err)
	var policy ramPolicy
	require.NoError(t, json.Unmarshal(content, &policy))
	assert.Equal(t, "1", policy.Version)
	allowed := map[string]string{}
	for _, s := range policy.Statement {
		require.Equal(t, "Allow", s.Effect)
		for _, action := range s.Action {
			assert.NotContains(t, action, "*", "a right for what we do not call")
			allowed[action] = s.Resource
		}
	}
	return allowed
}

// TestRAMPolicyIsWhatWeCall: the policy allows every API that package ess calls and no
// other, and writes on scaling groups alone. Assuming a role is a right of its own,
// which only those need who set account.assumeRoleArn.
func TestRAMPolicyIsWhatWeCall(t *testing.T) {
	policy := readPolicy(t, "ram-policy.json")
	for action, resource := range policy {
		if _, api, _ := strings.Cut(action, ":"); !strings.HasPrefix(api, "Describe") {
			assert.Equal(t, "acs:ess:*:*:scalinggroup/*", resource, "%s changes something", action)
		}
	}
	allowed := slices.Collect(maps.Keys(policy))
	assume := readPolicy(t, "ram-policy-assume-role.json")
	assert.Len(t, assume, 1)
	assert.Contains(t, assume["sts:AssumeRole"], ":role/", "of one role and no other")
	allowed = append(allowed, slices.Collect(maps.Keys(assume))...)
	called := calledAPIs(t, filepath.Join("..", "..", "ess"))
	assert.Greater(t, len(called), 8)
	assert.ElementsMatch(t, called, allowed)
}

// calledAPIs are the APIs for which the package makes requests: its calls of the SDK's
// CreateXRequest, by product.
func calledAPIs(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	require.NoError(t, err)
	found := map[string]bool{}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		require.NoError(t, err)
		products := map[string]string{} // by the import's name in this file
		for _, i := range parsed.Imports {
			imported, err := strconv.Unquote(i.Path.Value)
			require.NoError(t, err)
			product, ok := strings.CutPrefix(imported, "github.com/aliyun/alibaba-cloud-sdk-go/services/")
			if ok && i.Name != nil {
				products[i.Name.Name] = product
			} else if ok {
				products[product] = product
			}
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			if selector, ok := n.(*ast.SelectorExpr); ok {
				from, _ := selector.X.(*ast.Ident)
				api, create := strings.CutPrefix(selector.Sel.Name, "Create")
				api, request := strings.CutSuffix(api, "Request")
				if from != nil && create && request && products[from.Name] != "" {
					found[products[from.Name]+":"+api] = true
				}
			}
			return true
		})
	}
	return slices.Collect(maps.Keys(found))
}
