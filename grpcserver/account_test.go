package grpcserver

import (
	"context"
	"fmt"
	"sync"

	"github.com/buildpool/buildpool/cloudprovider"
)

// account is a provider that keeps a few groups in memory, just enough to see that
// requests reach it as they were sent and answers leave it unchanged.
type account struct {
	mu        sync.Mutex
	groups    []cloudprovider.NodeGroup
	targets   map[string]int
	instances map[string][]cloudprovider.InstanceStatus
	owners    map[string]string // provider ID to group
	templates map[string]cloudprovider.NodeTemplate
	options   map[string]cloudprovider.Options
	gpus      cloudprovider.GPUs
	prices    prices

	// fail is what every method that can fail returns, if set.
	fail error
	// hold, if set, keeps a Refresh until it is closed or the caller gives up.
	hold chan struct{}
	// panicValue, if set, is what every method panics with.
	panicValue any

	calls    []string
	deleted  []cloudprovider.Node
	asked    cloudprovider.Node
	defaults cloudprovider.Options
}

var _ cloudprovider.Provider = (*account)(nil)

func (a *account) enter(call string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.calls = append(a.calls, call)
	if a.panicValue != nil {
		panic(a.panicValue)
	}
	return a.fail
}

func (a *account) made() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]string(nil), a.calls...)
}

func (a *account) find(id string) (cloudprovider.NodeGroup, error) {
	for _, group := range a.groups {
		if group.ID == id {
			return group, nil
		}
	}
	return cloudprovider.NodeGroup{}, fmt.Errorf("look up group %q: %w", id, cloudprovider.ErrGroupNotFound)
}

func (a *account) Refresh(ctx context.Context) error {
	if err := a.enter("Refresh"); err != nil {
		return err
	}
	if a.hold != nil {
		select {
		case <-a.hold:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func (a *account) NodeGroups() ([]cloudprovider.NodeGroup, error) {
	return a.groups, a.enter("NodeGroups")
}

func (a *account) NodeGroupForNode(node cloudprovider.Node) (cloudprovider.NodeGroup, error) {
	if err := a.enter("NodeGroupForNode"); err != nil {
		return cloudprovider.NodeGroup{}, err
	}
	a.asked = node
	owner, ok := a.owners[node.ProviderID]
	if !ok {
		return cloudprovider.NodeGroup{}, fmt.Errorf("node %s: %w", node.Name, cloudprovider.ErrNotManaged)
	}
	return a.find(owner)
}

func (a *account) TargetSize(id string) (int, error) {
	if err := a.enter("TargetSize " + id); err != nil {
		return 0, err
	}
	_, err := a.find(id)
	return a.targets[id], err
}

func (a *account) Instances(id string) ([]cloudprovider.InstanceStatus, error) {
	if err := a.enter("Instances " + id); err != nil {
		return nil, err
	}
	_, err := a.find(id)
	return a.instances[id], err
}

func (a *account) IncreaseSize(_ context.Context, id string, delta int) error {
	if err := a.enter(fmt.Sprintf("IncreaseSize %s %d", id, delta)); err != nil {
		return err
	}
	_, err := a.find(id)
	return err
}

func (a *account) DeleteNodes(_ context.Context, id string, nodes []cloudprovider.Node) error {
	if err := a.enter(fmt.Sprintf("DeleteNodes %s %d", id, len(nodes))); err != nil {
		return err
	}
	a.deleted = nodes
	_, err := a.find(id)
	return err
}

func (a *account) DecreaseTargetSize(_ context.Context, id string, delta int) error {
	if err := a.enter(fmt.Sprintf("DecreaseTargetSize %s %d", id, delta)); err != nil {
		return err
	}
	_, err := a.find(id)
	return err
}

func (a *account) TemplateNode(id string) (cloudprovider.NodeTemplate, error) {
	if err := a.enter("TemplateNode " + id); err != nil {
		return cloudprovider.NodeTemplate{}, err
	}
	template, ok := a.templates[id]
	if !ok {
		return template, fmt.Errorf("group %s: %w", id, cloudprovider.ErrNoTemplate)
	}
	return template, nil
}

func (a *account) Options(id string, defaults cloudprovider.Options) (cloudprovider.Options, bool, error) {
	if err := a.enter("Options " + id); err != nil {
		return cloudprovider.Options{}, false, err
	}
	a.defaults = defaults
	options, ok := a.options[id]
	return options, ok, nil
}

func (a *account) GPUs() cloudprovider.GPUs {
	_ = a.enter("GPUs")
	return a.gpus
}
