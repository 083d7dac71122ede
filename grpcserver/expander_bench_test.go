package grpcserver

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/proto"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/autoscaler/cluster-autoscaler/expander/grpcplugin/protos"
	"k8s.io/utils/clock"

	"github.com/buildpool/buildpool/cloudprovider"
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

// BenchmarkBestOptions times the choice alone, with decoding before it, and the whole
// RPC as CA waits for it: encoding and a loopback connection, too.
func BenchmarkBestOptions(b *testing.B) {
	request := benchRequest(b)
	encoded, err := proto.Marshal(request)
	require.NoError(b, err)
	quiet := slog.New(slog.DiscardHandler)
	server := New(Options{Provider: &account{}, Log: quiet, Clock: clock.RealClock{}}).Expander(nil, benchPolicy)
	service := &expanderService{expander: benchPolicy, explain: newExplainer(quiet, nil)}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(b, err)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	connection, err := grpc.NewClient("passthrough:///expander",
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
			return net.Dial("tcp", listener.Addr().String())
		}))
	require.NoError(b, err)
	client := protos.NewExpanderClient(connection)

	for _, way := range []struct {
		name string
		ask  func() (*protos.BestOptionsResponse, error)
	}{
		{"choice", func() (*protos.BestOptionsResponse, error) { return service.BestOptions(b.Context(), request) }},
		{"decode", func() (*protos.BestOptionsResponse, error) {
			received := &protos.BestOptionsRequest{}
			if err := proto.Unmarshal(encoded, received); err != nil {
				return nil, err
			}
			return service.BestOptions(b.Context(), received)
		}},
		{"rpc", func() (*protos.BestOptionsResponse, error) { return client.BestOptions(b.Context(), request) }},
	} {
		b.Run(fmt.Sprintf("%s/pods=%d/options=%d", way.name, benchPods, benchOptions), func(b *testing.B) {
			b.ReportAllocs()
			slowest := time.Duration(0)
			for b.Loop() {
				began := clock.RealClock{}.Now()
				answer, err := way.ask()
				if err != nil || answer.GetOptions()[0].GetNodeGroupId() != "spot-0" {
					b.Fatal(answer, err)
				}
				slowest = max(slowest, clock.RealClock{}.Since(began))
			}
			b.ReportMetric(float64(slowest.Milliseconds()), "slowest-ms")
			b.ReportMetric(float64(len(encoded))/(1<<20), "request-MiB")
		})
	}
	require.NoError(b, connection.Close())
	require.NoError(b, server.Stop(context.WithoutCancel(b.Context())))
	require.NoError(b, <-served)
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
