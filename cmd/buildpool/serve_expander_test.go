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
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/autoscaler/cluster-autoscaler/expander/grpcplugin/protos"
	"k8s.io/utils/clock"
)

// renew writes a new authority, and a server certificate of it, over the old ones.
func renew(t *testing.T, dir string) {
	t.Helper()
	files, err := issueAll([]string{"127.0.0.1"}, "client", clock.RealClock{}.Now(), time.Hour)
	require.NoError(t, err)
	for name, content := range files {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), content, 0o600))
	}
}

// askExpander asks once, on a connection of its own, as cluster-autoscaler does: with
// the authorities of a file, or in plaintext if there is none.
func askExpander(t *testing.T, address, authorities string) (string, error) {
	t.Helper()
	meet := insecure.NewCredentials()
	if authorities != "" {
		var err error
		meet, err = credentials.NewClientTLSFromFile(authorities, "")
		require.NoError(t, err)
	}
	connection, err := grpc.NewClient(address, grpc.WithTransportCredentials(meet))
	require.NoError(t, err)
	defer func() { assert.NoError(t, connection.Close()) }()
	pod := corev1.Pod{Spec: corev1.PodSpec{Containers: []corev1.Container{{Resources: corev1.ResourceRequirements{
		Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("2"), corev1.ResourceMemory: resource.MustParse("4Gi")},
	}}}}}
	encoded, err := pod.Marshal()
	require.NoError(t, err)
	request := &protos.BestOptionsRequest{}
	for _, group := range []string{"builds-gpu", "builds-normal", spot} {
		request.Options = append(request.Options, &protos.Option{NodeGroupId: group, NodeCount: 1, PodBytes: [][]byte{encoded}})
	}
	ctx, cancel := context.WithTimeout(t.Context(), waitLong)
	defer cancel()
	answer, err := protos.NewExpanderClient(connection).BestOptions(ctx, request)
	if err != nil {
		return "", err
	}
	require.Len(t, answer.GetOptions(), 1)
	return answer.GetOptions()[0].GetNodeGroupId(), nil
}

func TestExpanderBesideAPlaintextProvider(t *testing.T) {
	dir := t.TempDir()
	renew(t, dir)
	authority := filepath.Join(dir, caCertFile)
	s := start(t, nil, "--simulate", "--expander-address", "127.0.0.1:0",
		"--expander-tls-cert", filepath.Join(dir, serverCertFile), "--expander-tls-key", filepath.Join(dir, serverKeyFile))
	address := s.await(t, "serving")["expander"].(string)
	s.awaitReady(t)

	chosen, err := askExpander(t, address, authority)
	require.NoError(t, err)
	assert.Equal(t, spot, chosen)
	line := s.await(t, "expander chose")
	assert.Equal(t, spot, line["chosen"])
	assert.Equal(t, "tier", line["reason"])
	code, metrics := s.get(t, "/metrics")
	assert.Equal(t, http.StatusOK, code)
	assert.Contains(t, metrics, `buildpool_expander_choices_total{node_group="builds-spot",reason="tier"} 1`)
	assert.Contains(t, metrics, `buildpool_expander_skipped_total{node_group="builds-gpu",reason="no_gpu_pod"} 1`)
	assert.Contains(t, metrics, `buildpool_grpc_requests_total{code="OK",method="BestOptions"} 1`)

	_, err = askExpander(t, address, "")
	assert.Equal(t, codes.Unavailable, status.Code(err), "plaintext is not answered")
	require.Eventually(t, func() bool {
		_, metrics := s.get(t, "/metrics")
		return refusedFor(metrics, "expander", "not_tls")
	}, waitLong, waitStep, "and counted")
	assert.Equal(t, "expander", s.await(t, "client refused")["certificate"])

	old := filepath.Join(dir, "old.crt")
	require.NoError(t, os.Rename(authority, old))
	renew(t, dir)
	require.Eventually(t, func() bool {
		chosen, err = askExpander(t, address, authority)
		return err == nil && chosen == spot
	}, waitLong, 10*waitStep, "a renewed certificate is used")
	assert.Equal(t, "expander", s.await(t, "TLS files taken over")["certificate"])
	_, err = askExpander(t, address, old)
	assert.Equal(t, codes.Unavailable, status.Code(err), "the old authority does not vouch for it")

	require.NoError(t, os.WriteFile(filepath.Join(dir, serverCertFile), []byte("half a fi"), 0o600))
	require.Eventually(t, func() bool { // each connection makes the files be looked at
		_, err = askExpander(t, address, authority)
		require.NoError(t, err, "the last good certificate stays")
		_, metrics := s.get(t, "/metrics")
		return !strings.Contains(metrics, `buildpool_tls_reloads_total{certificate="expander",result="failure"} 0`)
	}, waitLong, 10*waitStep, "and the broken one is told of")
}

func TestExpanderInPlaintextIsForTryingOut(t *testing.T) {
	s := start(t, nil, "--simulate", "--expander-address", "127.0.0.1:0")
	s.await(t, "the expander is served in plaintext, but cluster-autoscaler asks by TLS only")
	s.awaitReady(t)
	chosen, err := askExpander(t, s.await(t, "serving")["expander"].(string), "")
	require.NoError(t, err)
	assert.Equal(t, spot, chosen)
}

func TestExpanderFlagsThatCannotBeMeant(t *testing.T) {
	for name, test := range map[string]struct {
		arguments []string
		says      string
	}{
		"a certificate without key": {[]string{"--expander-address", "127.0.0.1:0", "--expander-tls-cert", "x"}, "--expander-tls-cert and --expander-tls-key belong together"},
		"a certificate for nothing": {[]string{"--expander-tls-cert", "x", "--expander-tls-key", "y"}, "--expander-tls-cert needs --expander-address"},
		"a file that is not there":  {[]string{"--expander-address", "127.0.0.1:0", "--expander-tls-cert", "/x", "--expander-tls-key", "/y"}, "certificate of the expander's port: open TLS: read TLS files"},
		"plaintext for everybody":   {[]string{"--expander-address", "0.0.0.0:0"}, "plaintext is refused off loopback"},
	} {
		t.Run(name, func(t *testing.T) {
			w := &world{}
			arguments := append([]string{"serve", "--simulate", "--address", "127.0.0.1:0", "--http-address", ""}, test.arguments...)
			assert.Equal(t, 1, w.run(t.Context(), arguments...))
			assert.Contains(t, w.stderr.String(), test.says)
		})
	}
}
