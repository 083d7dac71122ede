package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/buildpool/buildpool/e2e/internal/autoscaler"
	"github.com/buildpool/buildpool/e2e/internal/certificates"
	"github.com/buildpool/buildpool/e2e/internal/deploy"
	"github.com/buildpool/buildpool/e2e/internal/kubelet"
	"github.com/buildpool/buildpool/e2e/internal/metrics"
	"github.com/buildpool/buildpool/e2e/internal/provider"
	"github.com/buildpool/buildpool/e2e/internal/service"
)

// chartName is the namespace in which the chart is installed, and the name of its release.
const chartName = "buildpool"

// TestChartService: the chart as topology service with mTLS and the expander, in the
// real cluster, under the rights that it gives. Programs run as its pods' containers
// say. CA finds the leading replica behind the Service by the label that it puts on its
// own pod; a build makes a group grow; a spot node is taken back; the leader ends, and the
// other replica goes on, and knows of it; a node that is half empty is drained. Nobody is
// refused anything.
func TestChartService(t *testing.T) {
	s := newChartScenario(t, chartValues{Topology: "service", Replicas: 2, Expander: true})
	replicas := s.podsOf("provider", 2)
	network, err := service.StartNetwork(s.resolver(replicas))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, network.Stop()) })
	serving := map[string]*provider.Provider{}
	for _, pod := range replicas {
		serving[pod.Name] = s.serveIn(pod, "--leader-elect-identity="+pod.Name)
	}
	leader := s.awaitLeader("")
	s.provider = serving[leader]
	ca := s.podsOf("autoscaler", 1)[0]
	s.autoscaleIn(ca, "HTTPS_PROXY="+network.Proxy)

	s.create(buildPod("build-0", normal, normal.whole))
	s.runningOn(90*time.Second, "build-0")
	assertPositive(t, s, serving[leader], "buildpool_expander_choices_total")
	named, err := serving[leader].LogLines(regexp.MustCompile(`"client":"` + allowed + `"`))
	require.NoError(t, err)
	assert.NotEmpty(t, named, "the access log names the client")
	s.reclaimUnder("spot-0")

	serving[leader].Stop(10 * time.Second)
	next := s.awaitLeader(leader)
	s.provider = serving[next]
	s.create(buildPod("build-1", normal, normal.whole))
	s.runningOn(90*time.Second, "build-1")
	s.eventually(30*time.Second, "the other replica to know of the reclaim", func(ctx context.Context) error {
		perHour, err := s.provider.Sum(ctx, "buildpool_spot_reclaims_per_instance_hour", nil)
		if err == nil && perHour <= 0 {
			err = errors.New("it knows of none")
		}
		return err
	})
	s.expectDrained()
	s.expectNothingForbidden(serving[leader].LogPath(), serving[next].LogPath(), s.autoscaler.LogPath())
}

// TestChartSidecar: the same for CA and buildpool in one pod, over a socket in a volume
// that both have.
func TestChartSidecar(t *testing.T) {
	s := newChartScenario(t, chartValues{Topology: "sidecar", Replicas: 1})
	pod := s.podsOf("provider", 1)[0]
	s.provider = s.serveIn(pod)
	s.autoscaleIn(pod)
	names := []string{"build-0", "build-1"}
	for _, name := range names {
		s.create(buildPod(name, normal, normal.whole))
	}
	for _, name := range names {
		s.runningOn(90*time.Second, name)
	}
	s.expectDrained()
	s.expectNothingForbidden(s.provider.LogPath(), s.autoscaler.LogPath())
}

// chartValues are what tests change of testdata/chart-values.yaml.
type chartValues struct {
	Topology             string
	Replicas             int
	Expander             bool
	Endpoint, NodeGroups string
	// World is what the node-group file says; nil: newWorld's. With classes in Overflow
	// their builds move.
	World *world
}

// newChartScenario installs the chart beside a simulated account. The chart's own pods
// run, as far as Kubernetes can tell, on a node that belongs to no group.
func newChartScenario(t *testing.T, v chartValues) *scenario {
	t.Helper()
	s := newBareScenario(t)
	s.createNode("system", nil)
	if v.World == nil {
		w := newWorld()
		v.World = &w
	}
	s.startSimulator(*v.World)
	groups, err := os.ReadFile(s.render("nodegroups.yaml", *v.World))
	require.NoError(t, err)
	v.Endpoint = s.simulator.URL
	v.NodeGroups = "  " + strings.ReplaceAll(strings.TrimSpace(string(groups)), "\n", "\n  ")
	objects, err := deploy.Render(s.ctx, s.render("chart-values.yaml", v), chartName)
	require.NoError(t, err)
	s.apply(namespace(chartName, map[string]string{"pod-security.kubernetes.io/enforce": "restricted"}))
	s.createSecrets()
	s.apply(objects...)
	return s
}

// createSecrets makes what the values expect to be there: an access key, and the
// certificates of a first try.
func (s *scenario) createSecrets() {
	s.t.Helper()
	files, err := certificates.FirstTry(s.ctx, shared.buildpool, s.subdirectory("certificates"), chartName+"."+chartName+".svc")
	require.NoError(s.t, err)
	read := func(path string) string {
		content, err := os.ReadFile(path)
		require.NoError(s.t, err)
		return string(content)
	}
	for name, data := range map[string]map[string]string{
		"buildpool-account": {"accessKeyId": "sim-access-key", "accessKeySecret": "sim-secret"},
		"buildpool-server":  {"tls.crt": read(files.Server.Cert), "tls.key": read(files.Server.Key), "ca.crt": read(files.Authority)},
		"buildpool-client":  {"tls.crt": read(files.Client.Cert), "tls.key": read(files.Client.Key), "ca.crt": read(files.Authority)},
	} {
		secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: name}, StringData: data}
		_, err := s.cluster.Client.CoreV1().Secrets(chartName).Create(s.ctx, secret, metav1.CreateOptions{})
		require.NoError(s.t, err)
	}
}

// podsOf waits until so many pods of a component of the chart run, and prepares them.
func (s *scenario) podsOf(component string, count int) []*kubelet.Pod {
	s.t.Helper()
	var found []corev1.Pod
	s.eventually(30*time.Second, "the pods of "+component, func(ctx context.Context) error {
		list, err := s.cluster.Client.CoreV1().Pods(chartName).List(ctx, metav1.ListOptions{LabelSelector: "app.kubernetes.io/component=" + component})
		if err != nil {
			return fmt.Errorf("list pods: %w", err)
		}
		found = list.Items
		if len(found) != count {
			return fmt.Errorf("there are %d, want %d", len(found), count)
		}
		for i := range found {
			if err := running(&found[i]); err != nil {
				return err
			}
		}
		return nil
	})
	var pods []*kubelet.Pod
	for i := range found {
		pod, err := kubelet.Prepare(s.ctx, kubelet.Cluster{Client: s.cluster.Client, Server: s.cluster.Server}, &found[i], s.subdirectory(found[i].Name))
		require.NoError(s.t, err)
		pods = append(pods, pod)
	}
	return pods
}

// serveIn runs buildpool as the pod says and waits until it is ready.
func (s *scenario) serveIn(pod *kubelet.Pod, args ...string) *provider.Provider {
	s.t.Helper()
	started, err := pod.Run(s.ctx, "buildpool", shared.buildpool, args, nil)
	require.NoError(s.t, err)
	s.t.Cleanup(func() { started.Stop(2 * time.Second) })
	p := provider.Adopt(started, pod.Address("http"))
	ctx, cancel := context.WithTimeout(s.ctx, 30*time.Second)
	defer cancel()
	require.NoError(s.t, p.WaitReady(ctx, p.Ready))
	return p
}

// autoscaleIn runs CA as the pod says.
func (s *scenario) autoscaleIn(pod *kubelet.Pod, env ...string) {
	s.t.Helper()
	started, err := pod.Run(s.ctx, "cluster-autoscaler", shared.programs.Autoscaler, nil, env)
	require.NoError(s.t, err)
	s.autoscaler = autoscaler.Adopt(started, pod.Address("ca-http"))
	ctx, cancel := context.WithTimeout(s.ctx, 30*time.Second)
	defer cancel()
	require.NoError(s.t, s.autoscaler.WaitReady(ctx, s.autoscaler.Healthy))
}

// endpoint is the one pod behind the chart's Service, and the name of its port.
func (s *scenario) endpoint(ctx context.Context, port int32) (pod, name string, err error) {
	slices, err := s.cluster.Client.DiscoveryV1().EndpointSlices(chartName).List(ctx, metav1.ListOptions{LabelSelector: "kubernetes.io/service-name=" + chartName})
	if err != nil {
		return "", "", fmt.Errorf("read endpoints: %w", err)
	}
	var behind []string
	for _, slice := range slices.Items {
		for _, p := range slice.Ports {
			if p.Port != nil && *p.Port == port && p.Name != nil {
				name = *p.Name
			}
		}
		for _, endpoint := range slice.Endpoints {
			if endpoint.TargetRef != nil && endpoint.Conditions.Ready != nil && *endpoint.Conditions.Ready {
				behind = append(behind, endpoint.TargetRef.Name)
			}
		}
	}
	if len(behind) != 1 || name == "" {
		return "", "", fmt.Errorf("behind the Service are %v, by port %q", behind, name)
	}
	return behind[0], name, nil
}

// resolver finds the address of the chart's Service by what the cluster says of it.
func (s *scenario) resolver(replicas []*kubelet.Pod) func(context.Context, string) (string, error) {
	return func(ctx context.Context, called string) (string, error) {
		var port int32
		if _, err := fmt.Sscanf(called, chartName+"."+chartName+".svc:%d", &port); err != nil {
			return "", fmt.Errorf("find service %s: there is none", called)
		}
		pod, name, err := s.endpoint(ctx, port)
		if err != nil {
			return "", err
		}
		for _, replica := range replicas {
			if replica.Name == pod {
				return replica.Address(name), nil
			}
		}
		return "", fmt.Errorf("find service %s: pod %s does not run", called, pod)
	}
}

// awaitLeader waits until one pod is behind the Service, another than the one before.
func (s *scenario) awaitLeader(before string) string {
	s.t.Helper()
	var leader string
	s.eventually(30*time.Second, "a leader behind the Service", func(ctx context.Context) error {
		var err error
		if leader, _, err = s.endpoint(ctx, 8086); err == nil && leader == before {
			err = errors.New("it is the one from before")
		}
		return err
	})
	return leader
}

// reclaimUnder has the cloud take a spot node back under a build, which is written down.
func (s *scenario) reclaimUnder(name string) {
	s.t.Helper()
	s.create(buildPod(name, spot, spot.whole))
	instance := s.instanceOf(s.runningOn(90*time.Second, name))
	require.NoError(s.t, s.simulator.Reclaim(s.ctx, instance, time.Minute))
	s.eventually(60*time.Second, "the reclaim to be written down", func(ctx context.Context) error {
		kept, err := s.cluster.Client.CoreV1().ConfigMaps(chartName).Get(ctx, chartName+"-reclaims", metav1.GetOptions{})
		if err == nil && !strings.Contains(kept.Data["reclaims.json"], instance) {
			err = fmt.Errorf("it says %s", kept.Data["reclaims.json"])
		}
		return err
	})
	s.finish(name)
}

// expectDrained ends the builds of two nodes on which a deployment has a pod each, and
// waits until one of the pods has been evicted to the other's node, and its own is gone.
func (s *scenario) expectDrained() {
	s.t.Helper()
	require.NoError(s.t, s.expectSize(s.ctx, normal, 2))
	s.createSpread("idle", 2)
	s.eventually(30*time.Second, "a pod on each node", func(ctx context.Context) error { return s.expectSpread(ctx, "idle", 2, 2) })
	s.finish("build-0", "build-1")
	s.eventually(90*time.Second, "a node to be drained", func(ctx context.Context) error {
		return errors.Join(s.expectSpread(ctx, "idle", 2, 1), s.expectSize(ctx, normal, 1))
	})
	text, err := s.autoscaler.Metrics(s.ctx)
	require.NoError(s.t, err)
	samples, err := metrics.Parse(text)
	require.NoError(s.t, err)
	assert.EqualValues(s.t, 1, samples.Sum("cluster_autoscaler_evicted_pods_total", nil))
}

var refusals = regexp.MustCompile(`(?i)\bforbidden\b|\bunauthorized\b|cannot (get|list|watch|create|update|patch|delete) resource`)

// expectNothingForbidden checks that the API server refused the programs nothing, though
// it does refuse: deleting nodes is nobody's right here.
func (s *scenario) expectNothingForbidden(logs ...string) {
	s.t.Helper()
	review, err := s.cluster.Client.AuthorizationV1().SubjectAccessReviews().Create(s.ctx, &authorizationv1.SubjectAccessReview{
		Spec: authorizationv1.SubjectAccessReviewSpec{
			User:               "system:serviceaccount:" + chartName + ":" + chartName,
			ResourceAttributes: &authorizationv1.ResourceAttributes{Verb: "delete", Resource: "nodes"},
		},
	}, metav1.CreateOptions{})
	require.NoError(s.t, err)
	require.False(s.t, review.Status.Allowed, "the API server asks for no rights: %s", review.Status.Reason)
	for _, log := range logs {
		content, err := os.ReadFile(log)
		require.NoError(s.t, err)
		require.NotEmpty(s.t, content)
		assert.Empty(s.t, refusals.FindAllString(string(content), -1), log)
	}
}

func assertPositive(t *testing.T, s *scenario, p *provider.Provider, metric string) {
	t.Helper()
	sum, err := p.Sum(s.ctx, metric, nil)
	require.NoError(t, err)
	assert.Positive(t, sum, metric)
}
