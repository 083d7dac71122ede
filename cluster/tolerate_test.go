package cluster

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/rest"

	"github.com/buildpool/buildpool/cloudprovider"
)

var toVirtual = corev1.Toleration{Key: "virtual-kubelet.io/provider", Operator: corev1.TolerationOpExists}

func TestTolerate(t *testing.T) {
	const spec, strategy = "k8s.aliyun.com/eci-use-specs", "k8s.aliyun.com/eci-spot-strategy"
	own := corev1.Toleration{Key: "buildpool.io/class", Operator: corev1.TolerationOpEqual, Value: "spot"}
	for name, test := range map[string]struct {
		tolerations, want []corev1.Toleration
		has, added, ends  map[string]string
	}{
		"bare": {nil, []corev1.Toleration{toVirtual}, nil, nil, nil},
		"beside its own": {[]corev1.Toleration{own}, []corev1.Toleration{own, toVirtual},
			map[string]string{spec: "2-4Gi"}, map[string]string{spec: "4-8Gi", strategy: "SpotAsPriceGo"},
			map[string]string{spec: "2-4Gi", strategy: "SpotAsPriceGo"}},
		"first annotation": {nil, []corev1.Toleration{toVirtual}, nil, map[string]string{strategy: "SpotAsPriceGo"}, map[string]string{strategy: "SpotAsPriceGo"}},
	} {
		t.Run(name, func(t *testing.T) {
			read := &corev1.Pod{
				ObjectMeta: metav1.ObjectMeta{Namespace: "ci", Name: "build", UID: "u1", ResourceVersion: "7", Annotations: test.has},
				Spec:       corev1.PodSpec{Tolerations: test.tolerations},
			}
			client := fake.NewClientset(read.DeepCopy())
			require.NoError(t, tolerate(t.Context(), client, read, toVirtual, test.added))
			pod, err := client.CoreV1().Pods("ci").Get(t.Context(), "build", metav1.GetOptions{})
			require.NoError(t, err)
			assert.Equal(t, test.want, pod.Spec.Tolerations)
			assert.Equal(t, test.ends, pod.Annotations)
		})
	}
}

// TestPatchIsOfThePodAsItWasRead: the apiserver is told which pod in which version is
// meant, and what it says of another one is told apart from a failure.
func TestPatchIsOfThePodAsItWasRead(t *testing.T) {
	read := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "ci", Name: "build", UID: "u1", ResourceVersion: "7"}}
	for status, changed := range map[int]bool{http.StatusConflict: true, http.StatusNotFound: true, http.StatusForbidden: false, http.StatusUnprocessableEntity: false} {
		var asked []operation
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			assert.Equal(t, "PATCH /api/v1/namespaces/ci/pods/build", r.Method+" "+r.URL.Path)
			assert.Equal(t, "application/json-patch+json", r.Header.Get("Content-Type"))
			body, err := io.ReadAll(r.Body)
			assert.NoError(t, err)
			assert.NoError(t, json.Unmarshal(body, &asked))
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			_ = json.NewEncoder(w).Encode(metav1.Status{TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Code: int32(status), Reason: map[int]metav1.StatusReason{
				409: metav1.StatusReasonConflict, 404: metav1.StatusReasonNotFound, 403: metav1.StatusReasonForbidden, 422: metav1.StatusReasonInvalid,
			}[status]})
		}))
		client, err := kubernetes.NewForConfig(&rest.Config{Host: server.URL, ContentConfig: rest.ContentConfig{ContentType: "application/json"}})
		require.NoError(t, err)
		err = tolerate(t.Context(), client, read, toVirtual, nil)
		client.CoreV1().RESTClient().(*rest.RESTClient).Client.CloseIdleConnections()
		server.Close()
		require.ErrorContains(t, err, "add a toleration to pod ci/build: ")
		if changed {
			require.ErrorIs(t, err, cloudprovider.ErrPodChanged, "%d", status)
		} else {
			require.NotErrorIs(t, err, cloudprovider.ErrPodChanged, "%d", status)
		}
		require.Len(t, asked, 2)
		assert.Equal(t, operation{"replace", "/metadata/resourceVersion", "7"}, asked[0])
		assert.Equal(t, "/spec/tolerations", asked[1].Path)
	}
}
