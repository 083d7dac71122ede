package grpcserver

import (
	"context"
	"crypto/tls"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/proto"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/autoscaler/cluster-autoscaler/expander/grpcplugin/protos"
	"k8s.io/utils/clock"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/grpcserver/dialect"
	"github.com/buildpool/buildpool/nodegroups/config"
	"github.com/buildpool/buildpool/nodegroups/expander"
)

// The size the documentation speaks of: every one of 5,000 pods in every option.
const (
	benchPods    = 5000
	benchOptions = 5
)

// policy is the real policy over groups of which two pairs have to be told apart by
// waste, and one is for GPUs: the choice that has to look at most pods.
type policy struct{ groups map[string]expander.Group }

func (p policy) BestOptions(options []cloudprovider.ExpansionOption) (cloudprovider.Expansion, error) {
	return expander.Choose(config.DefaultExpander(), p.groups, options, epoch), nil
}

var benchPolicy = policy{map[string]expander.Group{
	"spot-0": {Class: config.ClassSpot}, "spot-1": {Class: config.ClassSpot},
	"normal-0": {Class: config.ClassNormal}, "normal-1": {Class: config.ClassNormal},
	"gpu-0": {Class: config.ClassGPU},
}}

// buildPod is a pod such as a CI system makes: an agent, a build, and a sidecar,
// about 2 KiB.
func buildPod(n int) *corev1.Pod {
	env := []corev1.EnvVar{}
	for v := range 12 {
		env = append(env, corev1.EnvVar{Name: fmt.Sprintf("CI_VARIABLE_%d", v), Value: strings.Repeat("v", 30)})
	}
	mounts := []corev1.VolumeMount{{Name: "workspace", MountPath: "/home/jenkins/agent"}, {Name: "token", MountPath: "/var/run/secrets/kubernetes.io/serviceaccount"}}
	of := func(name, cpu, memory string) corev1.Container {
		return corev1.Container{Name: name, Image: "registry.example.com/ci/" + name + ":1.2.3", Env: env, VolumeMounts: mounts,
			Resources: corev1.ResourceRequirements{Requests: list(cpu, memory, ""), Limits: list(cpu, memory, "")}}
	}
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name: fmt.Sprintf("build-%d", n), Namespace: "ci", UID: "0b6a4b3e-6f4a-4e0a-9a53-4c1d6c7f8a90",
			Labels:      map[string]string{"app": "jenkins-agent", "job": fmt.Sprintf("job-%d", n%40)},
			Annotations: map[string]string{"cluster-autoscaler.kubernetes.io/safe-to-evict": "false"},
		},
		Spec: corev1.PodSpec{
			Containers:   []corev1.Container{of("build", "2", "4Gi"), of("agent", "250m", "512Mi")},
			NodeSelector: map[string]string{"buildpool.io/class": "spot"},
			Tolerations:  []corev1.Toleration{{Key: "buildpool.io/class", Operator: corev1.TolerationOpExists}},
		},
	}
}

func benchRequest(b *testing.B) *protos.BestOptionsRequest {
	b.Helper()
	request := &protos.BestOptionsRequest{NodeBytesMap: map[string][]byte{}}
	for id := range benchPolicy.groups {
		option := &protos.Option{NodeGroupId: id, NodeCount: 1500}
		for n := range benchPods {
			encoded, err := buildPod(n).Marshal()
			require.NoError(b, err)
			option.PodBytes = append(option.PodBytes, encoded)
		}
		request.Options = append(request.Options, option)
		request.NodeBytesMap[id] = nodeOf(b, "8", "16Gi")
	}
	require.Len(b, request.Options, benchOptions)
	return request
}

// BenchmarkBestOptions times the server's own share, decoding and choice, and the whole
// RPC as CA waits for it: encoding and a connection, too. CA itself asks by TLS only.
func BenchmarkBestOptions(b *testing.B) {
	request := benchRequest(b)
	encoded, err := proto.Marshal(request)
	require.NoError(b, err)
	b.Run("share", func(b *testing.B) {
		pieces := slices.Collect(slices.Chunk(encoded, 16<<10)) // as HTTP/2 delivers it
		service := &expanderService{expander: benchPolicy, explain: newExplainer(infoLog(), nil)}
		timeChoice(b, len(encoded), func() (*protos.BestOptionsResponse, error) {
			received := &dialect.ExpanderRequest{}
			if err := received.Read(pieces); err != nil {
				return nil, err
			}
			return service.BestOptions(b.Context(), received)
		})
	})
	ca := newAuthority(b, "authority")
	at := func() time.Time { return epoch }
	for _, way := range []benchTransport{
		{"plaintext", "127.0.0.1:0", nil, insecure.NewCredentials()},
		{"TLS", "127.0.0.1:0",
			credentials.NewTLS(&tls.Config{MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{ca.server(b)}}),
			credentials.NewTLS(&tls.Config{MinVersion: tls.VersionTLS13, RootCAs: ca.pool(), Time: at})},
	} {
		b.Run("rpc/"+way.name, func(b *testing.B) {
			parent := New(Options{Provider: &account{}, Log: infoLog(), Clock: clock.RealClock{}})
			defer func() { require.NoError(b, parent.Stop(context.Background())) }()
			client := protos.NewExpanderClient(way.connect(b, parent.Expander(way.server, benchPolicy).grpc))
			timeChoice(b, len(encoded), func() (*protos.BestOptionsResponse, error) { return client.BestOptions(b.Context(), request) })
		})
	}
}

func timeChoice(b *testing.B, size int, ask func() (*protos.BestOptionsResponse, error)) {
	b.Helper()
	b.ReportAllocs()
	slowest, used := time.Duration(0), processorTime(b)
	for b.Loop() {
		began := clock.RealClock{}.Now()
		answer, err := ask()
		if err != nil || answer.GetOptions()[0].GetNodeGroupId() != "spot-0" {
			b.Fatal(answer, err)
		}
		slowest = max(slowest, clock.RealClock{}.Since(began))
	}
	b.ReportMetric((processorTime(b)-used).Seconds()*1e3/float64(b.N), "cpu-ms/op")
	b.ReportMetric(float64(slowest.Milliseconds()), "slowest-ms")
	b.ReportMetric(float64(size)/(1<<20), "request-MiB")
}

// BenchmarkPodRequests compares the walk over one pod with decoding it.
func BenchmarkPodRequests(b *testing.B) {
	encoded, err := buildPod(1).Marshal()
	require.NoError(b, err)
	b.Run("walk", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := podRequests(encoded); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var pod corev1.Pod
			if err := pod.Unmarshal(encoded); err != nil {
				b.Fatal(err)
			}
		}
	})
}
