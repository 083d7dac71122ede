package nodegroups

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/buildpool/buildpool/cloudprovider"
)

// unwritten is a cloud that is read and never written: every write is logged and
// refused. A provider in a dry run has no other cloud, so that nothing it decides can
// reach the account.
type unwritten struct {
	cloudprovider.Cloud
	log *slog.Logger
}

// SetCapacity implements cloudprovider.GroupWriter. It always returns ErrDryRun.
func (u unwritten) SetCapacity(_ context.Context, write cloudprovider.SetCapacity) (string, error) {
	u.log.Info("dry run: not sent", "write", "SetCapacity", "scaling_group", write.GroupID, "total", write.Total)
	return "", fmt.Errorf("%w: it would have set the capacity of scaling group %s to %d", cloudprovider.ErrDryRun, write.GroupID, write.Total)
}

// RemoveInstances implements cloudprovider.GroupWriter. It always returns ErrDryRun.
func (u unwritten) RemoveInstances(_ context.Context, write cloudprovider.RemoveInstances) (string, error) {
	u.log.Info("dry run: not sent", "write", "RemoveInstances", "scaling_group", write.GroupID, "instances", write.InstanceIDs)
	return "", fmt.Errorf("%w: it would have removed %v from scaling group %s", cloudprovider.ErrDryRun, write.InstanceIDs, write.GroupID)
}

// DetachInstances implements cloudprovider.GroupWriter. It always returns ErrDryRun.
func (u unwritten) DetachInstances(_ context.Context, write cloudprovider.DetachInstances) (string, error) {
	u.log.Info("dry run: not sent", "write", "DetachInstances", "scaling_group", write.GroupID, "instances", write.InstanceIDs)
	return "", fmt.Errorf("%w: it would have detached %v from scaling group %s", cloudprovider.ErrDryRun, write.InstanceIDs, write.GroupID)
}

// ProtectInstances implements cloudprovider.GroupWriter. It always returns ErrDryRun.
func (u unwritten) ProtectInstances(_ context.Context, write cloudprovider.ProtectInstances) error {
	u.log.Info("dry run: not sent", "write", "ProtectInstances", "scaling_group", write.GroupID, "instances", write.InstanceIDs, "protected", write.Protected)
	return fmt.Errorf("%w: it would have set the protection of %v in scaling group %s to %t", cloudprovider.ErrDryRun, write.InstanceIDs, write.GroupID, write.Protected)
}

// keepsPlaceholders refuses, in a dry run, to give failed instances up: the cloud goes on
// trying to create them, and that is what cluster-autoscaler is to see.
func (p *Provider) keepsPlaceholders(m *member, ids []string) error {
	if !p.DryRun {
		return nil
	}
	p.Log.Info("dry run: failed instances are not given up", "group", m.config.Name, "scaling_group", m.cloudID, "count", len(ids))
	return fmt.Errorf("%w: it would have given up %d failed instances", cloudprovider.ErrDryRun, len(ids))
}

// keepsTarget reports that, in a dry run, the target is not lowered: it is the account's.
func (p *Provider) keepsTarget(m *member, from, to int) bool {
	if p.DryRun && to < from {
		p.Log.Info("dry run: target not lowered", "group", m.config.Name, "scaling_group", m.cloudID, "from", from, "to", to)
	}
	return p.DryRun
}
