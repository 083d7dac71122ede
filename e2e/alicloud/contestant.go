package main

import (
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider"
)

// kind is one of the two providers.
type kind int

const (
	inTree kind = iota
	buildpool
)

var kinds = [...]kind{inTree, buildpool}

func (k kind) String() string { return [...]string{"in-tree", "buildpool"}[k] }

// contestant is a provider over an account of its own, as CA holds it.
type contestant struct {
	cloudprovider.CloudProvider
	account *simulation
	// nodes are the cluster's, one for each instance.
	nodes []*corev1.Node
	// modelled are the groups that have had a node, which CA remembers as their model.
	modelled map[string]bool
	close    func() error
}

func open(k kind, f fleet) (*contestant, error) {
	account, err := simulate(f)
	if err != nil {
		return nil, err
	}
	c := &contestant{account: account, modelled: map[string]bool{}, close: account.close}
	if k == inTree {
		c.CloudProvider, err = openInTree(f, account)
	} else {
		var end func() error
		if c.CloudProvider, end, err = openBuildpool(f, account); err == nil {
			c.close = func() error { return errors.Join(end(), account.close()) }
		}
	}
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", k, errors.Join(err, c.close()))
	}
	c.meetNodes()
	return c, nil
}

// meetNodes lets every instance in service be a ready node.
func (c *contestant) meetNodes() {
	c.nodes = nil
	for _, i := range c.account.Account().Running() {
		c.nodes = append(c.nodes, node(region+"."+i.ID, nil))
	}
}

// node has what CA tells a provider of a node. Clusters that are autoscaled by
// instance ID name their nodes like it.
func node(providerID string, annotations map[string]string) *corev1.Node {
	return &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: providerID, Annotations: annotations},
		Spec:       corev1.NodeSpec{ProviderID: providerID},
	}
}

// cost is what something took.
type cost struct {
	calls int
	took  time.Duration
}

// measure counts the calls to the account that do makes, and times it.
func (c *contestant) measure(do func() error) (cost, error) {
	c.account.ForgetCalls()
	began := time.Now()
	err := do()
	return cost{calls: c.account.count(), took: time.Since(began)}, err
}
