package config

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestExcerptKeepsOneShortLine(t *testing.T) {
	assert.Equal(t, "short", excerpt("short"))
	assert.Equal(t, strings.Repeat("x", maxExcerpt), excerpt(strings.Repeat("x", maxExcerpt)))
	assert.Equal(t, strings.Repeat("x", maxExcerpt)+"…", excerpt(strings.Repeat("x", maxExcerpt+1)))
	assert.Equal(t, strings.Repeat("x", maxExcerpt-1)+"…", excerpt(strings.Repeat("x", maxExcerpt-1)+"ü"), "no letter is cut in half")
	assert.Equal(t, `a\nb "c" \x1b`, excerpt("a\nb \"c\" \x1b"))
}

func TestDurationAsJSON(t *testing.T) {
	data, err := json.Marshal(Duration(90 * time.Second))
	require.NoError(t, err)
	assert.Equal(t, `"1m30s"`, string(data))
	var d Duration
	require.NoError(t, json.Unmarshal(data, &d))
	assert.Equal(t, Duration(90*time.Second), d)
	require.EqualError(t, json.Unmarshal([]byte(`90`), &d), `want a duration such as "90s" or "10m", got 90`)
	require.EqualError(t, json.Unmarshal([]byte(`"90"`), &d), `want a duration such as "90s" or "10m", got "90"`)
}

func TestNearest(t *testing.T) {
	known := []string{"name", "class", "scalingGroup", "min", "max", "labels"}
	for word, want := range map[string]string{
		"nam": "name", "Class": "class", "scaling_group": "scalingGroup", "maxSize": "max",
		"lable": "labels", "scalingGroupId": "scalingGroup", "flavour": "", "x": "",
		strings.Repeat("name", 100): "name",
	} {
		got, ok := nearest(word, known)
		assert.Equal(t, want, got, word)
		assert.Equal(t, want != "", ok, word)
	}
}
