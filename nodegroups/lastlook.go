package nodegroups

import (
	"fmt"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/nodegroups/config"
)

// spare drops the removals of instances on whose nodes a build runs now, each with an
// error of its own. CA looks, taints, drains, waits and only then asks: a build that was
// bound in between would die with its node.
func (p *Provider) spare(removals []*removal) []*removal {
	if p.Cluster == nil || len(removals) == 0 {
		return removals
	}
	p.mu.Lock()
	cfg := p.cfg.LastLook
	p.mu.Unlock()
	if err := p.Cluster.Current(); err != nil {
		if cfg.WhenUnseen == config.RemoveUnseen {
			p.Log.Warn("removing without a last look at the nodes", "instances", instanceIDs(removals), "why", err)
			return removals
		}
		fail(removals, fmt.Errorf("whether builds run cannot be told (lastLook.whenUnseen): %w", err))
		return nil
	}
	builds, err := newBuilds(cfg)
	if err != nil {
		fail(removals, err)
		return nil
	}
	var spared []*removal
	for _, r := range removals {
		if pod, node := builds.on(p.Cluster, r.instanceID); pod != nil {
			p.Log.Warn("node is kept: a build runs on it", "instance", r.instanceID, "node", node, "pod", pod.String())
			if p.Kept != nil {
				p.Kept(r.instanceID, pod)
			}
			r.err = fmt.Errorf("pod %s runs on node %s: %w", pod, node, cloudprovider.ErrNodeInUse)
			continue
		}
		spared = append(spared, r)
	}
	return spared
}

// builds tells the pods that a node is kept for from those that end with it.
type builds struct {
	selector labels.Selector
	cutoff   int
}

func newBuilds(cfg config.LastLook) (builds, error) {
	selector, err := cfg.Selector()
	if err != nil {
		return builds{}, fmt.Errorf("tell builds from other pods: %w", err)
	}
	b := builds{selector: selector}
	if cfg.ExpendableBelow != nil {
		b.cutoff = *cfg.ExpendableBelow
	}
	return b, nil
}

// Builds returns what tells a build's pod from others.
func (p *Provider) Builds() (isBuild func(*cloudprovider.Pod) bool, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	b, err := newBuilds(p.cfg.LastLook)
	return b.counts, err
}

// on finds a build on the instance's node; nil if there is none.
func (b builds) on(c cloudprovider.Cluster, instanceID string) (pod *cloudprovider.Pod, node string) {
	for _, n := range c.NodesOf(instanceID) {
		for _, pod := range c.PodsOn(n.Name) {
			if b.counts(pod) {
				return pod, n.Name
			}
		}
	}
	return nil, ""
}

// counts reports whether the pod is a build: one that CA would have evicted, and has
// not. DaemonSets' and static pods belong to the node, one below the cut-off is
// expendable, one that keeps headroom is there to give way, and one that is leaving is
// CA's own drain at work.
func (b builds) counts(pod *cloudprovider.Pod) bool {
	switch {
	case pod.Leaving, pod.Mirror, pod.OwnerKind == "DaemonSet":
		return false
	case pod.Labels[cloudprovider.LabelHeadroom] != "":
		return false
	case int(pod.Priority) < b.cutoff:
		return false
	}
	return b.selector.Matches(labels.Set(pod.Labels))
}
