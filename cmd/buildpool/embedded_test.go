package main

import (
	"log/slog"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/nodegroups/config"
)

func TestTheBuiltInFilesFitEachOther(t *testing.T) {
	_, endpoint := simulate(t)
	file, err := readNodeGroups("")
	require.NoError(t, err)
	w := world{variables: simulatedKey()}
	cloud, err := openCloud(w.environment(), file.config, endpoint, prometheus.NewRegistry(), slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	defer cloud.(interface{ Close() }).Close()
	findings, err := config.Compare(t.Context(), file.config, cloud)
	require.NoError(t, err)
	assert.Empty(t, findings)
}
