package main

import (
	"encoding/json"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/durationpb"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc/protos"
)

// statusOf runs the command against a server.
func statusOf(t *testing.T, address string, arguments ...string) string {
	t.Helper()
	var w world
	require.Zero(t, w.run(t.Context(), append([]string{"status", "--server", address}, arguments...)...), w.stderr.String())
	assert.Empty(t, w.stderr.String())
	return w.stdout.String()
}

func TestStatusOfARunningServer(t *testing.T) {
	file := filepath.Join(t.TempDir(), "account.yaml")
	require.NoError(t, os.WriteFile(file, []byte(fastAccountFile()), 0o600))
	s := start(t, nil, "--simulate="+file)
	s.awaitReady(t)
	_, err := s.NodeGroupIncreaseSize(t.Context(), &protos.NodeGroupIncreaseSizeRequest{Id: spot, Delta: 2})
	require.NoError(t, err)
	s.awaitRunning(t, 2)
	var text string
	require.Eventually(t, func() bool { // prices are read in the background
		text = statusOf(t, s.http)
		return strings.Contains(text, "0.2 CNY") && strings.Contains(text, "9.533 CNY")
	}, waitLong, waitStep)
	lines := strings.Split(text, "\n")
	assert.Regexp(t, `^buildpool \S+: ready$`, lines[0])
	assert.Regexp(t, `^snapshot: \d+s old   autoscaler: release not known yet   provider IDs: <region>\.<id> \(assumed\)$`, lines[1])
	assert.Regexp(t, `^builds-spot    spot      0  configured   40  configured       2        2         0         0       0    0\.2 CNY  -         -         yes$`, lines[6])
	assert.Len(t, lines, 8, text)

	var report statusReport
	require.NoError(t, json.Unmarshal([]byte(statusOf(t, s.http, "-o", "json")), &report))
	assert.True(t, report.Ready)
	require.Len(t, report.Groups, 3)
	assert.Equal(t, instancesReport{Running: 2}, report.Groups[2].Instances)
	assert.Equal(t, "asg-spot", report.Groups[2].ScalingGroup)
	assert.Equal(t, "ECS DescribeSpotPriceHistory in cn-hangzhou-h", report.Groups[2].Price.Source)

	_, err = s.NodeGroupGetOptions(t.Context(), &protos.NodeGroupAutoscalingOptionsRequest{Id: spot, Defaults: &protos.NodeGroupAutoscalingOptions{
		ScaleDownUnneededDuration: durationpb.New(time.Minute), ScaleDownUnreadyDuration: durationpb.New(time.Minute), MaxNodeProvisionDuration: durationpb.New(time.Minute),
	}})
	require.NoError(t, err)
	assert.Contains(t, statusOf(t, s.http), "autoscaler: 1.35+ ")

	code, _ := s.get(t, "/healthz")
	assert.Equal(t, http.StatusOK, code, "the status is beside the probes, not in their place")
	response, err := http.Post("http://"+s.http+statusPath, "text/plain", nil)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	assert.Equal(t, http.StatusNotFound, response.StatusCode, "it is there to be read only")
	http.DefaultClient.CloseIdleConnections()
}

// The JSON is for programs: its fields are a promise.
func TestStatusJSONHasEveryFieldAlways(t *testing.T) {
	keys := func(v any) []string { return slices.Sorted(maps.Keys(v.(map[string]any))) }
	encoded, err := json.Marshal(reportOn(anAfternoon(), threePM, "", "1.35+"))
	require.NoError(t, err)
	var tree map[string]any
	require.NoError(t, json.Unmarshal(encoded, &tree))
	assert.Equal(t, []string{"apiVersion", "client", "decisions", "dryRun", "groups", "kind", "lastError", "notReady", "noticesProblem", "now", "overflow", "providerID", "ready", "snapshot", "timeZone", "version", "waits"}, keys(tree))
	assert.Equal(t, []string{"ageSeconds", "taken"}, keys(tree["snapshot"]))
	assert.Equal(t, []string{"form", "origin"}, keys(tree["providerID"]))
	groups := tree["groups"].([]any)
	for _, group := range groups {
		assert.Equal(t, []string{"bootSeconds", "bootStartedSeconds", "class", "coming", "cooldown", "cooldowns", "cost", "costProblem", "inactive", "instances", "lastError", "max", "maxReason", "min", "minReason", "name", "notices", "price", "priceProblem", "problem", "reclaims", "recycles", "scalingGroup", "schedule", "served", "target", "template", "templateProblem", "troubles", "windows"}, keys(group))
		assert.Equal(t, []string{"creating", "deleting", "failed", "running", "stopped"}, keys(group.(map[string]any)["instances"]))
	}
	spotty := groups[1].(map[string]any)
	assert.Equal(t, []string{"asOf", "assumed", "currency", "perHour", "source"}, keys(spotty["price"]))
	assert.Equal(t, []string{"at", "message"}, keys(spotty["lastError"]))
	assert.Nil(t, groups[2].(map[string]any)["price"])

	var help world
	require.Zero(t, help.run(t.Context(), "status", "--help"))
	for _, key := range append(keys(tree), keys(groups[0])...) {
		assert.Contains(t, help.stdout.String(), key, "the help tells of every field")
	}
}

func TestStatusSaysWhatIsWrong(t *testing.T) {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	nobody := free.Addr().String()
	require.NoError(t, free.Close())
	other := func(code int, body string) string {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(code)
			_, _ = w.Write([]byte(body))
		}))
		t.Cleanup(server.Close)
		return server.Listener.Addr().String()
	}
	for name, test := range map[string]struct {
		arguments []string
		says      string
	}{
		"nothing listens":  {[]string{"--server", nobody}, "nothing listens on " + nobody + ": is buildpool serve running, and is this its --http-address?"},
		"no port":          {[]string{"--server", "localhost"}, `--server is "localhost", but must be host:port`},
		"a URL":            {[]string{"--server", "http://localhost:1"}, "must be host:port"},
		"a strange output": {[]string{"--output", "yaml"}, `--output is "yaml", but must be text or json`},
		"an older server":  {[]string{"--server", other(404, "no such page")}, "it answers 404 Not Found: is it buildpool serve, and as new as this command?"},
		"another program":  {[]string{"--server", other(200, "<html>")}, "the answer is not that of buildpool serve"},
		"another JSON":     {[]string{"--server", other(200, `{"kind":"Pod"}`)}, "the answer is not that of buildpool serve"},
		"a newer server":   {[]string{"--server", other(200, `{"kind":"Status","apiVersion":"buildpool/v2"}`)}, `it speaks "buildpool/v2", this command buildpool/v1alpha1`},
	} {
		t.Run(name, func(t *testing.T) {
			var w world
			assert.Equal(t, 1, w.run(t.Context(), append([]string{"status"}, test.arguments...)...))
			assert.Contains(t, w.stderr.String(), test.says)
			assert.Empty(t, w.stdout.String())
		})
	}
}
