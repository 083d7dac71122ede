package esssim_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/buildpool/buildpool/ess/esssim"
)

func documentation(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile("../../docs/ess-sim.md")
	require.NoError(t, err)
	return string(data)
}

func TestTheDocumentedAccountWorks(t *testing.T) {
	_, rest, found := strings.Cut(documentation(t), "```yaml\n")
	require.True(t, found)
	text, _, _ := strings.Cut(rest, "```")
	cfg, err := esssim.Parse("docs/ess-sim.md", []byte(text))
	require.NoError(t, err)
	_, err = esssim.New(esssim.Options{Config: cfg, Clock: clocktesting.NewFakePassiveClock(start)})
	require.NoError(t, err)
}

func TestEveryActionServedIsDocumented(t *testing.T) {
	words := strings.FieldsFunc(documentation(t), func(r rune) bool { return strings.ContainsRune(" ,;|\n", r) })
	for _, name := range esssim.ActionNames() {
		assert.True(t, slices.Contains(words, name), name)
	}
}
