package oracle

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	kube_util "k8s.io/autoscaler/cluster-autoscaler/utils/kubernetes"
	"k8s.io/client-go/kubernetes/fake"
	appslisters "k8s.io/client-go/listers/apps/v1"
	batchlisters "k8s.io/client-go/listers/batch/v1"
	corelisters "k8s.io/client-go/listers/core/v1"
	core "k8s.io/client-go/testing"
	"k8s.io/client-go/tools/cache"
)

// newClient is a client of the world: cluster-autoscaler taints nodes, evicts pods
// and looks whether they are gone. Everything else meets an empty cluster.
func (w *world) newClient() *fake.Clientset {
	client := fake.NewSimpleClientset() // the newer one keeps managed fields, which nobody reads here
	client.PrependReactor("get", "nodes", func(a core.Action) (bool, runtime.Object, error) {
		w.mu.Lock()
		defer w.mu.Unlock()
		name := a.(core.GetAction).GetName()
		if n := w.cluster.nodes[name]; n != nil {
			return true, n.object.DeepCopy(), nil
		}
		return true, nil, notFound("nodes", name)
	})
	client.PrependReactor("update", "nodes", func(a core.Action) (bool, runtime.Object, error) {
		w.mu.Lock()
		defer w.mu.Unlock()
		object := a.(core.UpdateAction).GetObject().(*corev1.Node)
		n := w.cluster.nodes[object.Name]
		if n == nil {
			return true, nil, notFound("nodes", object.Name)
		}
		w.recordTaints(n, object)
		w.change(n, object.DeepCopy(), time.Now())
		return true, object, nil
	})
	client.PrependReactor("get", "pods", func(a core.Action) (bool, runtime.Object, error) {
		w.mu.Lock()
		defer w.mu.Unlock()
		name := a.(core.GetAction).GetName()
		if p := w.cluster.pods[name]; p != nil {
			return true, p.object.DeepCopy(), nil
		}
		return true, nil, notFound("pods", name)
	})
	client.PrependReactor("create", "pods", func(a core.Action) (bool, runtime.Object, error) {
		if a.GetSubresource() != "eviction" {
			return false, nil, nil
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		// Whichever version of the policy API the eviction is of, it is named as the pod.
		eviction, err := meta.Accessor(a.(core.CreateAction).GetObject())
		if err != nil {
			return true, nil, err
		}
		p := w.cluster.pods[eviction.GetName()]
		if p == nil {
			return true, nil, notFound("pods", eviction.GetName())
		}
		w.interrupt(p, time.Now())
		w.poke()
		return true, nil, nil
	})
	return client
}

func notFound(resource, name string) error {
	return errors.NewNotFound(schema.GroupResource{Resource: resource}, name)
}

// listers are what cluster-autoscaler sees of the world: the present, without an
// informer's delay. Lists come in a random order, as informers' do.
func (w *world) listers() kube_util.ListerRegistry {
	jobs := cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc})
	for n := range w.cluster.shapes {
		if job := w.cluster.shapes[n].job; job != nil {
			w.must(jobs.Add(job))
		}
	}
	empty := func() cache.Indexer {
		return cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc})
	}
	return kube_util.NewListerRegistry(
		nodeLister{w, func(*corev1.Node) bool { return true }}, nodeLister{w, kube_util.IsNodeReadyAndSchedulable},
		podLister{w}, noBudgets{},
		appslisters.NewDaemonSetLister(empty()), corelisters.NewReplicationControllerLister(empty()),
		batchlisters.NewJobLister(jobs), appslisters.NewReplicaSetLister(empty()), appslisters.NewStatefulSetLister(empty()))
}

type nodeLister struct {
	world *world
	keep  func(*corev1.Node) bool
}

func (l nodeLister) List() ([]*corev1.Node, error) {
	l.world.mu.Lock()
	defer l.world.mu.Unlock()
	nodes := make([]*corev1.Node, 0, len(l.world.cluster.order))
	for _, n := range l.world.cluster.order {
		if l.keep(n.object) {
			nodes = append(nodes, n.object)
		}
	}
	l.world.rng.Shuffle(len(nodes), func(a, b int) { nodes[a], nodes[b] = nodes[b], nodes[a] })
	return nodes, nil
}

func (l nodeLister) Get(name string) (*corev1.Node, error) {
	l.world.mu.Lock()
	defer l.world.mu.Unlock()
	if n := l.world.cluster.nodes[name]; n != nil && l.keep(n.object) {
		return n.object, nil
	}
	return nil, notFound("nodes", name)
}

type podLister struct{ world *world }

func (l podLister) List() ([]*corev1.Pod, error) {
	l.world.mu.Lock()
	defer l.world.mu.Unlock()
	pods := make([]*corev1.Pod, 0, len(l.world.cluster.pods))
	for _, n := range l.world.cluster.order {
		for _, p := range n.pods {
			pods = append(pods, p.object)
		}
	}
	for _, p := range l.world.cluster.pending {
		pods = append(pods, p.object)
	}
	l.world.rng.Shuffle(len(pods), func(a, b int) { pods[a], pods[b] = pods[b], pods[a] })
	return pods, nil
}

type noBudgets struct{}

func (noBudgets) List() ([]*policyv1.PodDisruptionBudget, error) { return nil, nil }
