package metrics_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/e2e/internal/metrics"
)

func TestParse(t *testing.T) {
	samples, err := metrics.Parse(`# HELP asked How often.
# TYPE asked counter
asked{code="OK",method="Refresh"} 3
asked{code="OK",method="Nodes"} 4
asked{code="NotFound",method="Nodes"} 1
odd{text="a } \"b\" {c} "} 2
up 1.5e+00
`)
	require.NoError(t, err)
	assert.Len(t, samples, 5)
	assert.InDelta(t, 8, samples.Sum("asked", nil), 0)
	assert.InDelta(t, 4, samples.Sum("asked", metrics.Labels{"code": "OK", "method": "Nodes"}), 0)
	assert.InDelta(t, 0, samples.Sum("asked", metrics.Labels{"method": "Cleanup"}), 0)
	assert.InDelta(t, 2, samples.Sum("odd", nil), 0)
	assert.InDelta(t, 1.5, samples.Sum("up", nil), 0)
	assert.Equal(t, map[string]float64{"Refresh": 3, "Nodes": 5}, samples.By("asked", "method"))

	_, err = metrics.Parse("up yes\n")
	assert.ErrorContains(t, err, "up yes")
	_, err = metrics.Parse("up\n")
	assert.ErrorContains(t, err, "no value")
}
