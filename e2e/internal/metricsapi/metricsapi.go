// Package metricsapi is a resource metrics API (metrics.k8s.io/v1beta1) whose
// figures a test sets. It runs behind the API server's aggregation layer, so that
// the real horizontal pod autoscaler reads it as it reads metrics-server.
//
// It must not know what is scaled.
package metricsapi

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// The name under which the API server reaches the API, and its certificate's.
const (
	serviceName      = "metrics"
	serviceNamespace = metav1.NamespaceDefault
	// DNSName is the name the serving certificate must carry.
	DNSName = serviceName + "." + serviceNamespace + ".svc"
)

const groupVersion = "metrics.k8s.io/v1beta1"

// Server answers with the same total load always, spread evenly over the running
// pods that are asked for: more pods, less load each, as with real work.
type Server struct {
	client    kubernetes.Interface
	listener  net.Listener
	server    *http.Server
	milliCPUs atomic.Int64
	questions atomic.Int64
}

// Start listens on a port of 127.0.0.1 of the kernel's choice.
func Start(client kubernetes.Interface, config *tls.Config) (*Server, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for the metrics API: %w", err)
	}
	s := &Server{client: client, listener: listener}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /apis/"+groupVersion, s.resources)
	mux.HandleFunc("GET /apis/"+groupVersion+"/namespaces/{namespace}/pods", s.pods)
	s.server = &http.Server{Handler: mux, TLSConfig: config, ReadHeaderTimeout: 10 * time.Second}
	go func() {
		if err := s.server.ServeTLS(listener, "", ""); !errors.Is(err, http.ErrServerClosed) {
			panic(fmt.Sprintf("metrics API: %v", err)) // nothing else would tell the test
		}
	}()
	return s, nil
}

// Stop closes the listener and every connection.
func (s *Server) Stop() error {
	if err := s.server.Close(); err != nil {
		return fmt.Errorf("stop the metrics API: %w", err)
	}
	return nil
}

// SetLoad sets the CPU that all pods together use.
func (s *Server) SetLoad(total resource.Quantity) { s.milliCPUs.Store(total.MilliValue()) }

// Questions is how often pod metrics were asked for.
func (s *Server) Questions() int64 { return s.questions.Load() }

func (s *Server) port() int32 {
	return int32(s.listener.Addr().(*net.TCPAddr).Port)
}

// resources is the API's discovery document; the API server also takes it as the
// sign that the API is available.
func (s *Server) resources(w http.ResponseWriter, _ *http.Request) {
	reply(w, metav1.APIResourceList{
		TypeMeta:     metav1.TypeMeta{Kind: "APIResourceList", APIVersion: "v1"},
		GroupVersion: groupVersion,
		APIResources: []metav1.APIResource{{
			Name: "pods", Namespaced: true, Kind: "PodMetrics", Verbs: metav1.Verbs{"get", "list"},
		}},
	})
}

// podMetrics has the JSON form of metrics.k8s.io's PodMetrics.
type podMetrics struct {
	metav1.ObjectMeta `json:"metadata"`
	Timestamp         metav1.Time        `json:"timestamp"`
	Window            metav1.Duration    `json:"window"`
	Containers        []containerMetrics `json:"containers"`
}

type containerMetrics struct {
	Name  string              `json:"name"`
	Usage corev1.ResourceList `json:"usage"`
}

type podMetricsList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata"`
	Items           []podMetrics `json:"items"`
}

func (s *Server) pods(w http.ResponseWriter, r *http.Request) {
	s.questions.Add(1)
	running, err := s.running(r.Context(), r.PathValue("namespace"), r.URL.Query().Get("labelSelector"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	list := podMetricsList{
		TypeMeta: metav1.TypeMeta{Kind: "PodMetricsList", APIVersion: groupVersion},
		Items:    []podMetrics{},
	}
	for _, pod := range running {
		list.Items = append(list.Items, s.measure(pod, int64(len(running))))
	}
	reply(w, list)
}

func (s *Server) running(ctx context.Context, namespace, selector string) ([]corev1.Pod, error) {
	pods, err := s.client.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{LabelSelector: selector})
	if err != nil {
		return nil, fmt.Errorf("list pods to measure: %w", err)
	}
	var running []corev1.Pod
	for _, pod := range pods.Items {
		if pod.Status.Phase == corev1.PodRunning && pod.DeletionTimestamp == nil {
			running = append(running, pod)
		}
	}
	return running, nil
}

// measure gives the pod its share of the load, all of it to the first container.
func (s *Server) measure(pod corev1.Pod, pods int64) podMetrics {
	m := podMetrics{
		ObjectMeta: metav1.ObjectMeta{Name: pod.Name, Namespace: pod.Namespace, Labels: pod.Labels},
		Timestamp:  metav1.Now(),
		Window:     metav1.Duration{Duration: time.Second},
	}
	for i, container := range pod.Spec.Containers {
		share := int64(0)
		if i == 0 {
			share = s.milliCPUs.Load() / pods
		}
		m.Containers = append(m.Containers, containerMetrics{Name: container.Name, Usage: corev1.ResourceList{
			corev1.ResourceCPU:    *resource.NewMilliQuantity(share, resource.DecimalSI),
			corev1.ResourceMemory: resource.MustParse("64Mi"),
		}})
	}
	return m
}

func reply(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body) // the reader has gone away; it will ask again
}
