package nodegroups_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/buildpool/buildpool/cloudprovider"
)

// stagedCluster is a cluster whose nodes are called like their instances.
type stagedCluster struct {
	settings []string // of lastLook

	mu   sync.Mutex
	away bool
	pods []*cloudprovider.Pod
	// nodes that a test made, by name; deleted are those that were deleted.
	nodes   map[string]*cloudprovider.ClusterNode
	deleted []string
	// expiring are the nodes whose problem detector tells of a reclaim notice.
	expiring map[string]bool
	// mayNotOpen: the right to patch nodes is missing.
	mayNotOpen bool
}

func (c *stagedCluster) Current() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.away {
		return fmt.Errorf("%w: its pods cannot be watched: connection refused", cloudprovider.ErrClusterUnseen)
	}
	return nil
}

func (c *stagedCluster) Nodes() []*cloudprovider.ClusterNode {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Collect(maps.Values(c.nodes))
}

// DeleteNode implements cloudprovider.NodeDeleter.
func (c *stagedCluster) DeleteNode(_ context.Context, node *cloudprovider.ClusterNode) (bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.nodes, node.Name)
	c.deleted = append(c.deleted, node.Name)
	return true, nil
}

// ReopenNode implements cloudprovider.NodeReopener.
func (c *stagedCluster) ReopenNode(_ context.Context, node *cloudprovider.ClusterNode) (bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.mayNotOpen {
		return false, errors.New("nodes is forbidden")
	}
	open := *node
	open.Taints = slices.DeleteFunc(slices.Clone(node.Taints), func(t corev1.Taint) bool { return t.Key == cloudprovider.TaintToBeDeleted })
	c.nodes[node.Name] = &open
	return true, nil
}

func (c *stagedCluster) NodesOf(instanceID string) []*cloudprovider.ClusterNode {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.nodes == nil {
		return []*cloudprovider.ClusterNode{{Name: instanceID, InstanceID: instanceID, Expiring: c.expiring[instanceID]}}
	}
	var found []*cloudprovider.ClusterNode
	for _, n := range c.nodes {
		if n.InstanceID == instanceID {
			found = append(found, n)
		}
	}
	return found
}

func (c *stagedCluster) PodsOn(nodeName string) []*cloudprovider.Pod {
	c.mu.Lock()
	defer c.mu.Unlock()
	var found []*cloudprovider.Pod
	for _, p := range c.pods {
		if p.Node == nodeName {
			found = append(found, p)
		}
	}
	return found
}

// set replaces the pod of the name; nil removes it.
func (c *stagedCluster) set(name string, pod *cloudprovider.Pod) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pods = slices.DeleteFunc(slices.Clone(c.pods), func(p *cloudprovider.Pod) bool { return p.Name == name })
	if pod != nil {
		c.pods = append(c.pods, pod)
	}
}

func (s *stage) seen() cloudprovider.Cluster {
	if s.cluster == nil {
		return nil
	}
	return s.cluster
}

// doCluster lets the providers see a cluster, with settings of lastLook above start;
// "cluster away" and "cluster back" take the apiserver away and back.
func (s *stage) doCluster(o order) []string {
	if s.cluster == nil {
		s.cluster = &stagedCluster{}
		for key, value := range o.settings {
			s.cluster.settings = append(s.cluster.settings, key+": "+strconv.Quote(value))
			if key == "expendableBelow" {
				s.cluster.settings[len(s.cluster.settings)-1] = key + ": " + value
			}
		}
		slices.Sort(s.cluster.settings)
	}
	s.cluster.mu.Lock()
	defer s.cluster.mu.Unlock()
	s.cluster.away = slices.Contains(o.words, "away")
	return nil
}

// doPod puts a pod on a node, "pod compile node-1 owner=DaemonSet", or changes it;
// "pod compile gone" removes it, and "pod compile waiting" has no node yet.
func (s *stage) doPod(o order) []string {
	require.NotNil(s.t, s.cluster, "there is no cluster: say so above start")
	name, node := o.word(s.t, 0), o.word(s.t, 1)
	if node == "gone" {
		s.cluster.set(name, nil)
		return nil
	}
	bound := s.aliases.real(node)
	if node == "waiting" {
		bound = ""
	}
	pod := &cloudprovider.Pod{
		Namespace: "ci", Name: name, Node: bound, OwnerKind: o.settings["owner"],
		Leaving: o.settings["leaving"] == "yes", Mirror: o.settings["mirror"] == "yes",
	}
	if key, value, ok := strings.Cut(o.settings["label"], ":"); ok {
		pod.Labels = map[string]string{key: value}
	}
	if p := o.integer(s.t, "priority"); p != nil {
		pod.Priority = int32(*p)
	}
	s.cluster.set(name, pod)
	return nil
}

// doExpiring sets the node condition by which a problem detector tells of a notice.
func (s *stage) doExpiring(o order) []string {
	require.NotNil(s.t, s.cluster, "there is no cluster: say so above start")
	s.cluster.mu.Lock()
	defer s.cluster.mu.Unlock()
	s.cluster.expiring = map[string]bool{s.aliases.real(o.word(s.t, 0)): true}
	return nil
}

// doProtectBuilds is a round of what serve does every five seconds.
func (s *stage) doProtectBuilds(o order) []string {
	if err := o.actor.provider.ProtectBuilds(s.t.Context()); err != nil {
		return []string{"error: " + err.Error()}
	}
	return nil
}
