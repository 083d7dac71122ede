package kubelet

import (
	"testing"

	"github.com/stretchr/testify/assert"
	corev1 "k8s.io/api/core/v1"
)

func TestWhatStandsForPathsAndPorts(t *testing.T) {
	c := corev1.Container{
		Ports: []corev1.ContainerPort{{Name: "grpc", ContainerPort: 8086}, {Name: "http", ContainerPort: 8085}},
		VolumeMounts: []corev1.VolumeMount{
			{Name: "config", MountPath: "/etc/cluster-autoscaler"}, {Name: "tls", MountPath: "/etc/cluster-autoscaler-tls"},
		},
	}
	p := &Pod{
		dir: "/run", pod: &corev1.Pod{Spec: corev1.PodSpec{Containers: []corev1.Container{c}}},
		ports: map[string]string{"grpc": "127.0.0.1:1", "http": "127.0.0.1:2"},
	}
	for arg, want := range map[string]string{
		"--address=0.0.0.0:8086":                             "--address=127.0.0.1:1",
		"--address=:8085":                                    "--address=127.0.0.1:2",
		"--address=127.0.0.1:8086":                           "--address=127.0.0.1:8086",
		"--http-address=0.0.0.0:8081":                        "--http-address=0.0.0.0:8081", // no port of the container
		"--grpc-expander-url=buildpool.buildpool.svc:8086":   "--grpc-expander-url=buildpool.buildpool.svc:8086",
		"--cloud-config=/etc/cluster-autoscaler/cloud":       "--cloud-config=/run/config/cloud",
		"--cert=/etc/cluster-autoscaler-tls/tls.crt":         "--cert=/run/tls/tls.crt",
		"cert: /etc/cluster-autoscaler-tls/a\nkey: /etc/b/a": "cert: /run/tls/a\nkey: /etc/b/a",
	} {
		assert.Equal(t, want, p.here(p.listen(c, arg)))
	}
}
