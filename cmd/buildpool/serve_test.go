package main

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc/protos"

	"github.com/buildpool/buildpool/ess/esssim"
	"github.com/buildpool/buildpool/ess/esssim/account"
)

// spot is the group that the tests scale.
const spot = "builds-spot"

// refresh is what CA does at the start of a loop.
func (s *server) refresh(t *testing.T) {
	t.Helper()
	_, err := s.Refresh(t.Context(), &protos.RefreshRequest{})
	require.NoError(t, err)
}

func (s *server) target(t *testing.T) int32 {
	t.Helper()
	response, err := s.NodeGroupTargetSize(t.Context(), &protos.NodeGroupTargetSizeRequest{Id: spot})
	require.NoError(t, err)
	return response.GetTargetSize()
}

// awaitRunning refreshes until exactly so many instances run, and nothing else is
// there, and returns them.
func (s *server) awaitRunning(t *testing.T, want int) []string {
	t.Helper()
	var ids []string
	require.Eventually(t, func() bool {
		s.refresh(t)
		response, err := s.NodeGroupNodes(t.Context(), &protos.NodeGroupNodesRequest{Id: spot})
		require.NoError(t, err)
		ids = nil
		for _, instance := range response.GetInstances() {
			if instance.GetStatus().GetInstanceState() == protos.InstanceStatus_instanceRunning {
				ids = append(ids, instance.GetId())
			}
		}
		return len(ids) == want && len(response.GetInstances()) == want
	}, waitLong, waitStep)
	return ids
}

// zeroThreeZero plays a scale-up and a scale-down as CA would.
func zeroThreeZero(t *testing.T, s *server) {
	t.Helper()
	s.awaitReady(t)
	assert.Zero(t, s.target(t))
	_, err := s.NodeGroupIncreaseSize(t.Context(), &protos.NodeGroupIncreaseSizeRequest{Id: spot, Delta: 3})
	require.NoError(t, err)
	assert.EqualValues(t, 3, s.target(t), "the target must be raised before IncreaseSize returns")

	ids := s.awaitRunning(t, 3)
	_, metrics := s.get(t, "/metrics")
	assert.Contains(t, metrics, `buildpool_node_group_instances{node_group="builds-spot",state="running"} 3`)
	assert.Contains(t, metrics, `buildpool_node_group_target_count{class="spot",node_group="builds-spot"} 3`)
	for _, id := range ids {
		owner, err := s.NodeGroupForNode(t.Context(), &protos.NodeGroupForNodeRequest{Node: &protos.ExternalGrpcNode{Name: id, ProviderID: id}})
		require.NoError(t, err)
		assert.Equal(t, spot, owner.GetNodeGroup().GetId())
		assert.EqualValues(t, 40, owner.GetNodeGroup().GetMaxSize())
		_, err = s.NodeGroupDeleteNodes(t.Context(), &protos.NodeGroupDeleteNodesRequest{
			Id: spot, Nodes: []*protos.ExternalGrpcNode{{Name: id, ProviderID: id}}})
		require.NoError(t, err)
	}
	assert.Zero(t, s.target(t))
	s.awaitRunning(t, 0)
	_, metrics = s.get(t, "/metrics")
	assert.Contains(t, metrics, `buildpool_grpc_requests_total{code="OK",method="NodeGroupDeleteNodes"} 3`)
}

func TestServeWithAnAccountInside(t *testing.T) {
	file := filepath.Join(t.TempDir(), "account.yaml")
	require.NoError(t, os.WriteFile(file, []byte(fastAccountFile()), 0o600))
	zeroThreeZero(t, start(t, nil, "--simulate="+file))
}

func TestServeWithAnAccountElsewhere(t *testing.T) {
	simulator, endpoint := simulate(t)
	s := start(t, simulatedKey(), "--config", nodeGroups(t, string(embeddedNodeGroups)), "--ess-endpoint", endpoint)
	zeroThreeZero(t, s)
	for _, group := range simulator.State().Groups {
		assert.Empty(t, group.Instances)
	}
	assert.NotContains(t, s.stderr.String(), `"level":"ERROR"`)
	assert.NotContains(t, s.stderr.String(), "sim-secret")
}

// nodeGroups writes a node-group file.
func nodeGroups(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "nodegroups.yaml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func TestServeIsUpBeforeTheAccount(t *testing.T) {
	simulator, endpoint := simulate(t)
	require.NoError(t, simulator.InjectFault(esssim.Fault{API: "*", Kind: esssim.FaultError, Code: "ServiceUnavailable", Status: 503}))
	s := start(t, simulatedKey(), "--config", nodeGroups(t, string(embeddedNodeGroups)), "--ess-endpoint", endpoint)

	_, err := s.NodeGroups(t.Context(), &protos.NodeGroupsRequest{})
	require.Equal(t, codes.Unavailable, status.Code(err), err)
	code, body := s.get(t, "/readyz")
	assert.Equal(t, http.StatusServiceUnavailable, code)
	assert.Contains(t, body, "not ready: the account has not been read yet")
	code, _ = s.get(t, "/healthz")
	assert.Equal(t, http.StatusOK, code)
	_, metrics := s.get(t, "/metrics")
	assert.Contains(t, metrics, "\nbuildpool_ready 0\n")

	simulator.ClearFaults()
	s.awaitReady(t)
	response, err := s.NodeGroups(t.Context(), &protos.NodeGroupsRequest{})
	require.NoError(t, err)
	assert.Len(t, response.GetNodeGroups(), 3)
}

func TestServeKeepsTheLastGoodConfiguration(t *testing.T) {
	_, endpoint := simulate(t)
	path := nodeGroups(t, string(embeddedNodeGroups))
	s := start(t, simulatedKey(), "--config", path, "--ess-endpoint", endpoint)
	s.awaitReady(t)
	spotMax := func() int32 {
		s.refresh(t)
		response, err := s.NodeGroups(t.Context(), &protos.NodeGroupsRequest{})
		require.NoError(t, err)
		require.Len(t, response.GetNodeGroups(), 3)
		return response.GetNodeGroups()[2].GetMaxSize()
	}
	require.EqualValues(t, 40, spotMax())

	write := func(old, new string) {
		text := strings.Replace(string(embeddedNodeGroups), old, new, 1)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	}
	write("max: 40", "max: 40\n    maks: 7")
	line := s.await(t, "node-group file not taken over, the last good one stays in force")
	assert.Contains(t, line["error"], "maks")
	_, metrics := s.get(t, "/metrics")
	assert.Contains(t, metrics, `buildpool_config_reloads_total{result="failure"} 1`)
	assert.Contains(t, metrics, "\nbuildpool_config_last_reload_success 0\n")
	assert.EqualValues(t, 40, spotMax())

	write("max: 40", "max: 7")
	s.await(t, "node-group file taken over, in force with the next refresh")
	assert.EqualValues(t, 7, spotMax())
	_, metrics = s.get(t, "/metrics")
	assert.Contains(t, metrics, "\nbuildpool_config_last_reload_success 1\n")
}

func TestServeFinishesWhatIsUnderWay(t *testing.T) {
	simulator, endpoint := simulate(t)
	s := start(t, simulatedKey(), "--config", nodeGroups(t, string(embeddedNodeGroups)), "--ess-endpoint", endpoint)
	s.awaitReady(t)
	for _, api := range []string{"ScaleWithAdjustment", "ModifyScalingGroup"} {
		require.NoError(t, simulator.InjectFault(esssim.Fault{
			API: api, Kind: esssim.FaultSlow, Delay: account.Duration(500 * time.Millisecond), AfterEffect: true}))
	}
	answered := make(chan error, 1)
	go func() {
		_, err := s.NodeGroupIncreaseSize(context.WithoutCancel(t.Context()), &protos.NodeGroupIncreaseSizeRequest{Id: spot, Delta: 1})
		answered <- err
	}()
	require.Eventually(t, func() bool { // the write has reached the account
		for _, group := range simulator.State().Groups {
			if group.ID == "asg-spot" && len(group.Instances) > 0 {
				return true
			}
		}
		return false
	}, waitLong, waitStep)
	s.stop()
	require.NoError(t, <-answered)
	s.await(t, "stopping")
}

func TestServeWithWrongKeyTellsSoWithoutTheKey(t *testing.T) {
	_, endpoint := simulate(t)
	wrong := simulatedKey()
	wrong["ALIBABA_CLOUD_ACCESS_KEY_SECRET"] = "another-secret"
	s := start(t, wrong, "--config", nodeGroups(t, string(embeddedNodeGroups)), "--ess-endpoint", endpoint, "--log-level", "debug")
	_, err := s.Refresh(t.Context(), &protos.RefreshRequest{})
	require.Equal(t, codes.PermissionDenied, status.Code(err), err)
	s.await(t, "cannot read the account yet, will try again")
	_, ready := s.get(t, "/readyz")
	for _, text := range []string{err.Error(), ready, s.stderr.String()} {
		assert.NotContains(t, text, "another-secret")
		assert.NotContains(t, text, "sim-secret")
		assert.NotContains(t, text, "Signature=")
	}
}

func TestServeWithoutCredentialsSaysWhatIsMissing(t *testing.T) {
	path := nodeGroups(t, strings.Replace(string(embeddedNodeGroups), "groups:", "account: {credentials: environment}\ngroups:", 1))
	_, endpoint := simulate(t)
	s := start(t, nil, "--config", path, "--ess-endpoint", endpoint)
	line := s.await(t, "cannot read the account yet, will try again")
	assert.Contains(t, line["error"], "ALIBABA_CLOUD_ACCESS_KEY_ID")
	_, body := s.get(t, "/readyz")
	assert.Contains(t, body, "ALIBABA_CLOUD_ACCESS_KEY_ID")
}

func TestServeRefusesToStart(t *testing.T) {
	good := nodeGroups(t, string(embeddedNodeGroups))
	bad := nodeGroups(t, strings.Replace(string(embeddedNodeGroups), "max: 40", "max: -1", 1))
	taken := start(t, nil, "--simulate")
	for name, test := range map[string]struct {
		arguments []string
		says      string
	}{
		"plaintext off loopback":    {[]string{"--simulate", "--address", "0.0.0.0:0"}, "--insecure"},
		"no configuration":          {nil, "--config FILE is required"},
		"two accounts":              {[]string{"--simulate", "--ess-endpoint", "http://127.0.0.1:1"}, "two different accounts"},
		"no time":                   {[]string{"--simulate", "--max-snapshot-age", "0s"}, "--max-snapshot-age is 0s"},
		"no window":                 {[]string{"--simulate", "--delete-window", "-1s"}, "--delete-window is -1s"},
		"no interval":               {[]string{"--simulate", "--resync-interval", "0s"}, "--resync-interval is 0s"},
		"a missing file":            {[]string{"--config", "/nowhere/nodegroups.yaml"}, "/nowhere/nodegroups.yaml"},
		"a wrong file":              {[]string{"--config", bad}, "max"},
		"a missing account":         {[]string{"--simulate=/nowhere/account.yaml"}, "/nowhere/account.yaml"},
		"an endpoint off loopback":  {[]string{"--config", good, "--ess-endpoint", "http://192.0.2.1:80"}, "192.0.2.1"},
		"a taken port for probes":   {[]string{"--simulate", "--address", "127.0.0.1:0", "--http-address", taken.http}, "address already in use"},
		"a relative socket":         {[]string{"--simulate", "--address", "unix://s"}, "absolute"},
		"a dry run that leads":      {[]string{"--simulate", "--dry-run", "--leader-elect"}, "must not lead"},
		"a log format of its own":   {[]string{"--simulate", "--log-format", "xml"}, "--log-format"},
		"an address without a port": {[]string{"--simulate", "--address", "127.0.0.1"}, "host:port"},
	} {
		t.Run(name, func(t *testing.T) {
			w := world{variables: simulatedKey()}
			ctx, cancel := context.WithTimeout(t.Context(), waitLong)
			defer cancel()
			assert.Equal(t, 1, w.run(ctx, append([]string{"serve"}, test.arguments...)...))
			require.NoError(t, ctx.Err(), "it did start")
			assert.Contains(t, w.stderr.String(), test.says)
		})
	}
}
