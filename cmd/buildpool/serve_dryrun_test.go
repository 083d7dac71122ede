package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc/protos"
)

// The whole program beside one that is not in a dry run, on one account: it sees what
// the other does, says what it would do, and sends nothing.
func TestServeInADryRun(t *testing.T) {
	simulator, endpoint := simulate(t)
	file := nodeGroups(t, string(embeddedNodeGroups))
	real := start(t, simulatedKey(), "--config", file, "--ess-endpoint", endpoint)
	real.awaitReady(t)
	_, err := real.NodeGroupIncreaseSize(t.Context(), &protos.NodeGroupIncreaseSizeRequest{Id: spot, Delta: 2})
	require.NoError(t, err)
	real.awaitRunning(t, 2)

	simulator.ForgetCalls()
	dry := start(t, simulatedKey(), "--config", file, "--ess-endpoint", endpoint, "--dry-run")
	dry.await(t, "dry run: no write is sent to the account, and the autoscaler's scale-ups and deletes are refused")
	dry.awaitReady(t)
	ids := dry.awaitRunning(t, 2)
	assert.EqualValues(t, 2, dry.target(t))

	_, err = dry.NodeGroupIncreaseSize(t.Context(), &protos.NodeGroupIncreaseSizeRequest{Id: spot, Delta: 3})
	assert.Equal(t, codes.FailedPrecondition, status.Code(err), err)
	assert.ErrorContains(t, err, "dry run, nothing is sent: it would have set the capacity of scaling group asg-spot to 5")
	_, err = dry.NodeGroupDeleteNodes(t.Context(), &protos.NodeGroupDeleteNodesRequest{
		Id: spot, Nodes: []*protos.ExternalGrpcNode{{Name: ids[0], ProviderID: ids[0]}}})
	assert.Equal(t, codes.FailedPrecondition, status.Code(err), err)
	_, err = dry.NodeGroupDecreaseTargetSize(t.Context(), &protos.NodeGroupDecreaseTargetSizeRequest{Id: spot, Delta: -1})
	require.NoError(t, err)
	dry.awaitRunning(t, 2)

	for api := range simulator.Calls() {
		assert.Truef(t, strings.HasPrefix(api, "Describe"), "%s was sent", api)
	}
	_, metrics := dry.get(t, "/metrics")
	assert.Contains(t, metrics, "\nbuildpool_dry_run 1\n")
	assert.Contains(t, statusOf(t, dry.http), "\nDRY RUN: no write is sent to the account\n")
	assert.NotContains(t, statusOf(t, real.http), "DRY RUN")
}
