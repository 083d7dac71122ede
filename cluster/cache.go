package cluster

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/utils/clock"

	"github.com/buildpool/buildpool/cloudprovider"
)

const (
	// pulseEvery is how often the apiserver is asked for a single node, and pulseTimeout
	// how long it may take: a connection that died silently shows no other sign for
	// most of a minute.
	pulseEvery   = 5 * time.Second
	pulseTimeout = 4 * time.Second
	// pulseLost is how old the last answer may be.
	pulseLost = 3 * pulseEvery
)

// notEnded leaves out the pods that have ended: of a CI cluster's they are most.
const notEnded = "status.phase!=Succeeded,status.phase!=Failed"

// Cache keeps the cluster's pods and nodes, cut down to what buildpool asks of them.
// It implements cloudprovider.Cluster.
type Cache struct {
	client kubernetes.Interface
	clock  clock.WithTicker
	log    *slog.Logger

	pods, nodes           cache.SharedIndexInformer
	podStream, nodeStream *stream
	pulse                 atomic.Int64 // Unix nanoseconds of the last answer; 0: none
}

var _ cloudprovider.Cluster = (*Cache)(nil)

// NewCache prepares a cache; nothing is read before Run. Its identity may get, list and
// watch pods and nodes.
func NewCache(client kubernetes.Interface, clock clock.WithTicker, log *slog.Logger) (*Cache, error) {
	c := &Cache{
		client: client, clock: clock, log: log,
		podStream: newStream("pods", clock, log), nodeStream: newStream("nodes", clock, log),
	}
	var err error
	if c.pods, err = newInformer(client, c.podStream, &corev1.Pod{}, source{
		list: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			o.FieldSelector = notEnded
			return client.CoreV1().Pods("").List(ctx, o)
		},
		watch: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
			o.FieldSelector = notEnded
			return client.CoreV1().Pods("").Watch(ctx, o)
		},
	}, keepPod, cache.Indexers{byNode: nodeOfPod}); err != nil {
		return nil, fmt.Errorf("prepare the cache of pods: %w", err)
	}
	if c.nodes, err = newInformer(client, c.nodeStream, &corev1.Node{}, source{
		list: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			return client.CoreV1().Nodes().List(ctx, o)
		},
		watch: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
			return client.CoreV1().Nodes().Watch(ctx, o)
		},
	}, keepNode, cache.Indexers{byInstance: instanceOfNode}); err != nil {
		return nil, fmt.Errorf("prepare the cache of nodes: %w", err)
	}
	return c, nil
}

// source is how a kind of object is read.
type source struct {
	list  func(context.Context, metav1.ListOptions) (runtime.Object, error)
	watch func(context.Context, metav1.ListOptions) (watch.Interface, error)
}

func newInformer(client kubernetes.Interface, s *stream, kind runtime.Object, from source, keep cache.TransformFunc, indexers cache.Indexers) (cache.SharedIndexInformer, error) {
	lw := cache.ToListWatcherWithWatchListSemantics(&cache.ListWatch{
		ListWithContextFunc:  from.list,
		WatchFuncWithContext: s.observe(from.watch),
	}, client)
	informer := cache.NewSharedIndexInformerWithOptions(lw, kind, cache.SharedIndexInformerOptions{Indexers: indexers})
	if err := informer.SetTransform(keep); err != nil {
		return nil, err
	}
	// The stream has told why, once; client-go would tell at every attempt.
	err := informer.SetWatchErrorHandlerWithContext(func(_ context.Context, _ *cache.Reflector, err error) { s.failed(err) })
	return informer, err
}

// OnPod has changed called for every change of a pod, one after the other: before is
// nil for a new one, after for one that has ended or gone. It must be called before Run, and
// changed must not wait for anything.
func (c *Cache) OnPod(changed func(before, after *cloudprovider.Pod)) error {
	_, err := c.pods.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(o any) { changed(nil, podOf(o)) },
		UpdateFunc: func(o, n any) { changed(podOf(o), podOf(n)) },
		DeleteFunc: func(o any) {
			if last, ok := o.(cache.DeletedFinalStateUnknown); ok {
				o = last.Obj
			}
			changed(podOf(o), nil)
		},
	})
	if err != nil {
		return fmt.Errorf("follow pods: %w", err)
	}
	return nil
}

// Run keeps the cache until ctx ends.
func (c *Cache) Run(ctx context.Context) {
	var parts sync.WaitGroup
	parts.Go(func() { c.pods.RunWithContext(ctx) })
	parts.Go(func() { c.nodes.RunWithContext(ctx) })
	parts.Go(func() { c.feelPulse(ctx) })
	parts.Wait()
}

func (c *Cache) feelPulse(ctx context.Context) {
	ticker := c.clock.NewTicker(pulseEvery)
	defer ticker.Stop()
	for {
		asking, cancel := context.WithTimeout(ctx, pulseTimeout)
		if _, err := c.client.CoreV1().Nodes().List(asking, metav1.ListOptions{Limit: 1}); err == nil {
			c.pulse.Store(c.clock.Now().UnixNano())
		}
		cancel()
		select {
		case <-ctx.Done():
			return
		case <-ticker.C():
		}
	}
}

// Current implements cloudprovider.Cluster.
func (c *Cache) Current() error {
	for _, part := range []struct {
		stream   *stream
		informer cache.SharedIndexInformer
	}{{c.podStream, c.pods}, {c.nodeStream, c.nodes}} {
		if err := part.stream.current(); err != nil {
			return err
		}
		if !part.informer.HasSynced() {
			return fmt.Errorf("%w: its %s have not been read yet", cloudprovider.ErrClusterUnseen, part.stream.what)
		}
	}
	if age := c.clock.Since(time.Unix(0, c.pulse.Load())); age > pulseLost {
		return fmt.Errorf("%w: the apiserver has not answered for more than %v", cloudprovider.ErrClusterUnseen, pulseLost)
	}
	return nil
}

// Nodes implements cloudprovider.Cluster.
func (c *Cache) Nodes() []*cloudprovider.ClusterNode {
	return nodesOf(c.nodes.GetStore().List())
}

// NodesOf implements cloudprovider.Cluster.
func (c *Cache) NodesOf(instanceID string) []*cloudprovider.ClusterNode {
	found, err := c.nodes.GetIndexer().ByIndex(byInstance, instanceID)
	if err != nil {
		panic("cluster: " + err.Error()) // the index is our own
	}
	return nodesOf(found)
}

// PodsOn implements cloudprovider.Cluster.
func (c *Cache) PodsOn(nodeName string) []*cloudprovider.Pod {
	found, err := c.pods.GetIndexer().ByIndex(byNode, nodeName)
	if err != nil {
		panic("cluster: " + err.Error()) // the index is our own
	}
	pods := make([]*cloudprovider.Pod, len(found))
	for n, o := range found {
		pods[n] = podOf(o)
	}
	return pods
}

func nodesOf(objects []any) []*cloudprovider.ClusterNode {
	nodes := make([]*cloudprovider.ClusterNode, len(objects))
	for n, o := range objects {
		nodes[n] = &o.(*keptNode).node
	}
	return nodes
}
