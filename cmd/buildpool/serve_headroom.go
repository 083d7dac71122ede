package main

import (
	"context"
	"fmt"
	"reflect"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/client-go/dynamic"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/cluster"
	"github.com/buildpool/buildpool/nodegroups"
	"github.com/buildpool/buildpool/nodegroups/config"
)

const (
	// headroomPeriod is how late headroom follows the hours and the builds.
	headroomPeriod = 15 * time.Second
	// headroomAgain is how often what keeps it is applied although nothing changed: it
	// may have been deleted.
	headroomAgain = 5 * time.Minute
	// headroomTimeout bounds one round.
	headroomTimeout = 10 * time.Second
)

// headroomKeeper keeps the spare room of the groups.
type headroomKeeper struct {
	s *serving
	// kept is what was applied last, and when; begun: something may be there to be swept.
	kept  headroomPlan
	at    time.Time
	begun bool
}

// headroomPlan is what is to be in the cluster.
type headroomPlan struct {
	settings cluster.HeadroomSettings
	spares   []cluster.Spare
}

// keepHeadroom follows hours, builds and the configuration until ctx ends. Replicas
// that do it side by side apply the same.
func (s *serving) keepHeadroom(ctx context.Context) {
	if s.cluster == nil || s.flags.dryRun {
		return
	}
	k := &headroomKeeper{s: s}
	ticker := s.env.clock.NewTicker(headroomPeriod)
	defer ticker.Stop()
	for {
		if err := k.round(ctx); err != nil && ctx.Err() == nil {
			s.log.Warn("headroom is not kept", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C():
		}
	}
}

// round applies what is to be kept now, if that is not there already. Without any
// headroom in the configuration, and none kept before, nothing is asked of the cluster.
func (k *headroomKeeper) round(ctx context.Context) error {
	if k.s.election != nil && !k.s.election.Leading() {
		return nil
	}
	rooms, keeping, err := k.s.provider.Rooms()
	if err != nil {
		return err
	}
	if len(rooms) == 0 && !k.begun {
		return nil
	}
	plan := planOf(rooms, keeping)
	now := k.s.env.clock.Now()
	if now.Sub(k.at) < headroomAgain && reflect.DeepEqual(plan, k.kept) {
		return nil
	}
	client, err := k.s.kubernetes()
	if err != nil {
		return err
	}
	untyped, err := dynamic.NewForConfig(k.s.restConfig)
	if err != nil {
		return fmt.Errorf("reach the cluster: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, headroomTimeout)
	defer cancel()
	if err := cluster.NewHeadroom(client, untyped, plan.settings, k.s.log).Keep(ctx, plan.spares); err != nil {
		return err
	}
	for _, r := range rooms {
		k.s.log.Info("headroom is kept", "group", r.Group.Name, "slots", r.Slots, "builds", r.Running)
	}
	k.kept, k.at, k.begun = plan, now, len(rooms) > 0
	return nil
}

func planOf(rooms []nodegroups.Room, keeping config.HeadroomKeeping) headroomPlan {
	plan := headroomPlan{settings: cluster.HeadroomSettings{
		Form: cluster.HeadroomForm(keeping.By), Namespace: keeping.Namespace,
		Image: keeping.Image, PriorityClass: keeping.PriorityClass,
	}}
	for _, r := range rooms {
		slot := r.Group.Headroom.Slot
		requests := corev1.ResourceList{corev1.ResourceCPU: slot.CPU, corev1.ResourceMemory: slot.Memory}
		if slot.GPUs > 0 {
			requests[cloudprovider.GPUResource] = *resource.NewQuantity(int64(slot.GPUs), resource.DecimalSI)
		}
		spare := cluster.Spare{Group: r.Group.Name, Slots: r.Slots, Requests: requests, NodeLabels: r.Group.Labels}
		for _, t := range r.Group.Taints {
			spare.Taints = append(spare.Taints, corev1.Taint{Key: t.Key, Value: t.Value, Effect: t.Effect})
		}
		plan.spares = append(plan.spares, spare)
	}
	return plan
}
