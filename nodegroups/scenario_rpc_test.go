package nodegroups_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/status"
	"k8s.io/utils/clock"

	"github.com/buildpool/buildpool/cloudprovider"
)

// commands are all that a scenario can say; the folder's README explains them.
var commands map[string]func(*stage, order) []string

func init() {
	commands = map[string]func(*stage, order) []string{
		// The stage.
		"group": (*stage).doGroup, "start": (*stage).doStart, "restart": (*stage).doRestart, "stop": (*stage).doStop,
		"config": (*stage).doConfig, "pass": (*stage).doPass, "spelling": (*stage).doSpelling,
		// What CA asks.
		"refresh": (*stage).doRefresh, "loop": (*stage).doLoop, "groups": (*stage).doGroups, "nodes": (*stage).doNodes,
		"target": (*stage).doTarget, "node-group-for": (*stage).doNodeGroupFor, "increase": (*stage).doIncrease,
		"decrease": (*stage).doDecrease, "delete": (*stage).doDelete, "delete-each": (*stage).doDeleteEach,
		"template": (*stage).doTemplate, "options": (*stage).doOptions, "expand": (*stage).doExpand,
		// What happens in the cluster.
		"cluster": (*stage).doCluster, "pod": (*stage).doPod, "expiring": (*stage).doExpiring, "protect-builds": (*stage).doProtectBuilds,
		// What happens in the account.
		"account": (*stage).doAccount, "stock": (*stage).doStock, "fault": (*stage).doFault, "clear": (*stage).doClear,
		"reclaim": (*stage).doReclaim, "edit": (*stage).doEdit, "protect": (*stage).doProtect, "by-hand": (*stage).doByHand,
		"delays": (*stage).doDelays, "machine": (*stage).doMachine, "standby": (*stage).doStandby,
		"unhealthy": (*stage).doUnhealthy, "suspend": (*stage).doSuspend, "quota": (*stage).doQuota,
	}
}

// rpcTimeout is CA's default grpc_timeout.
const rpcTimeout = 5 * time.Second

// call makes an RPC with CA's deadline and says what came of it. With killed=1s the
// provider is killed so long after the RPC began.
func (s *stage) call(o order, do func(ctx context.Context, c caller) error) []string {
	s.t.Helper()
	require.NotNil(s.t, o.actor, "there is no provider %q", o.name)
	deadline := clock.RealClock{}.Now().Add(rpcTimeout)
	ctx, cancel := context.WithDeadline(s.t.Context(), deadline)
	defer cancel()
	if after := o.duration(s.t, "killed", 0); after > 0 {
		done := make(chan error, 1)
		go func() { done <- do(ctx, o.actor.caller) }()
		clock.RealClock{}.Sleep(after)
		o.actor.line.dead.Store(true)
		cancel()
		s.kill(o.name)
		<-done
		s.log.take(&s.aliases) // a process that was killed says nothing more
		return []string{"the provider was killed"}
	}
	err := do(ctx, o.actor.caller)
	if !(clock.RealClock{}).Now().Before(deadline) {
		return []string{"error: no answer in time"} // an answer at the deadline comes too late for CA
	}
	return s.outcome(o.actor.caller, err)
}

// outcome tells an RPC's result as both ways of calling know it.
func (s *stage) outcome(c caller, err error) []string {
	if err == nil {
		return []string{"ok"}
	}
	class := c.className(err)
	message := strings.ReplaceAll(status.Convert(err).Message(), "\n", "; ")
	if _, overWire := c.(remote); !overWire {
		message = strings.ReplaceAll(err.Error(), "\n", "; ")
	}
	if strings.HasPrefix(class, "invalid argument") || strings.HasPrefix(class, "group not found") {
		return []string{"error: " + class} // gRPC's door says it in other words
	}
	return []string{"error: " + class, "  " + message}
}

func (s *stage) doRefresh(o order) []string {
	return s.call(o, func(ctx context.Context, c caller) error { return c.refresh(ctx) })
}

// doLoop does what CA reads in a loop: Refresh, then every group's target and nodes.
func (s *stage) doLoop(o order) []string {
	lines := s.doRefresh(o)
	if lines[0] != "ok" {
		return lines
	}
	groups, err := o.actor.caller.groups(s.t.Context())
	require.NoError(s.t, err)
	lines = nil
	for _, g := range groups {
		lines = append(lines, s.describe(o, g)...)
	}
	if len(groups) == 0 {
		return []string{"no groups"}
	}
	return lines
}

func (s *stage) doGroups(o order) []string {
	var lines []string
	outcome := s.call(o, func(ctx context.Context, c caller) error {
		groups, err := c.groups(ctx)
		for _, g := range groups {
			lines = append(lines, fmt.Sprintf("%s: min %d, max %d", g.ID, g.Min, g.Max))
		}
		return err
	})
	if lines == nil {
		return outcome
	}
	return lines
}

func (s *stage) doNodes(o order) []string {
	groups, err := o.actor.caller.groups(s.t.Context())
	require.NoError(s.t, err)
	at := slices.IndexFunc(groups, func(g cloudprovider.NodeGroup) bool { return g.ID == o.word(s.t, 0) })
	if at < 0 {
		return []string{"group " + o.word(s.t, 0) + " is not served"}
	}
	return s.describe(o, groups[at])
}

// describe is one group as CA would see it.
func (s *stage) describe(o order, g cloudprovider.NodeGroup) []string {
	target, err := o.actor.caller.target(s.t.Context(), g.ID)
	require.NoError(s.t, err)
	instances, err := o.actor.caller.instances(s.t.Context(), g.ID)
	require.NoError(s.t, err)
	s.aliases.learn(s.account.State())
	lines := []string{fmt.Sprintf("%s: target %d (min %d, max %d), %d listed", g.ID, target, g.Min, g.Max, len(instances))}
	return append(lines, s.aliases.list(instances)...)
}

func (s *stage) doTarget(o order) []string {
	target := 0
	outcome := s.call(o, func(ctx context.Context, c caller) (err error) {
		target, err = c.target(ctx, o.word(s.t, 0))
		return err
	})
	if outcome[0] != "ok" {
		return outcome
	}
	return []string{fmt.Sprintf("target %d", target)}
}

// node is a node by its alias: a real one, or CA's stand-in with reason=….
func (s *stage) node(alias, reason string) cloudprovider.Node {
	id := s.aliases.real(alias)
	if strings.HasPrefix(id, "i-") {
		id = cloudprovider.ProviderID{Region: "cn-hangzhou", InstanceID: id}.Format(s.spelling)
	}
	if reason == "" && strings.HasPrefix(alias, "failed-") {
		reason = "create-error"
	}
	if reason != "" {
		return fakeNode(id, reason)
	}
	return node(id)
}

func (s *stage) nodes(o order, from int) []cloudprovider.Node {
	var nodes []cloudprovider.Node
	for _, alias := range o.words[from:] {
		for _, one := range spread(alias) {
			nodes = append(nodes, s.node(one, o.settings["fake"]))
		}
	}
	return nodes
}

func (s *stage) doNodeGroupFor(o order) []string {
	n := cloudprovider.Node{Name: "a node without a provider ID"}
	if len(o.words) > 0 {
		n = s.nodes(o, 0)[0]
	}
	answer := "no group"
	outcome := s.call(o, func(ctx context.Context, c caller) error {
		group, ours, err := c.groupForNode(ctx, n)
		if ours {
			answer = fmt.Sprintf("%s (min %d, max %d)", group.ID, group.Min, group.Max)
		}
		return err
	})
	if outcome[0] != "ok" {
		return outcome
	}
	return []string{answer}
}

func (s *stage) doIncrease(o order) []string {
	return s.call(o, func(ctx context.Context, c caller) error { return c.increase(ctx, o.word(s.t, 0), o.number(s.t, 1)) })
}

func (s *stage) doDecrease(o order) []string {
	return s.call(o, func(ctx context.Context, c caller) error { return c.decrease(ctx, o.word(s.t, 0), o.number(s.t, 1)) })
}

func (s *stage) doDelete(o order) []string {
	return s.call(o, func(ctx context.Context, c caller) error { return c.remove(ctx, o.word(s.t, 0), s.nodes(o, 1)) })
}

// doDeleteEach deletes nodes as CA does: one RPC for each, all at the same time but
// for the moment that tells the first from the second.
func (s *stage) doDeleteEach(o order) []string {
	var mu sync.Mutex
	outcomes := map[string]int{}
	var deletes sync.WaitGroup
	for nth, n := range s.nodes(o, 1) {
		deletes.Go(func() {
			clock.RealClock{}.Sleep(time.Duration(nth) * 100 * time.Microsecond)
			got := s.call(o, func(ctx context.Context, c caller) error {
				return c.remove(ctx, o.word(s.t, 0), []cloudprovider.Node{n})
			})
			mu.Lock()
			defer mu.Unlock()
			outcomes[got[0]]++
		})
	}
	deletes.Wait()
	var lines []string
	for _, outcome := range slices.Sorted(maps.Keys(outcomes)) {
		lines = append(lines, fmt.Sprintf("%d x %s", outcomes[outcome], outcome))
	}
	return lines
}

func (s *stage) doTemplate(o order) []string {
	var lines []string
	outcome := s.call(o, func(ctx context.Context, c caller) error {
		n, err := c.template(ctx, o.word(s.t, 0))
		if err != nil {
			return err
		}
		for _, name := range slices.Sorted(maps.Keys(n.Labels)) {
			lines = append(lines, "label "+name+": "+n.Labels[name])
		}
		for _, taint := range n.Taints {
			lines = append(lines, "taint "+taint.ToString())
		}
		for resource, quantity := range n.Capacity {
			allocatable, ok := n.Allocatable[resource]
			if !ok {
				return errors.New("capacity without allocatable: " + resource.String())
			}
			lines = append(lines, fmt.Sprintf("resource %s: %s of %s", resource, allocatable.String(), quantity.String()))
		}
		slices.Sort(lines)
		return nil
	})
	if outcome[0] != "ok" {
		return outcome
	}
	return lines
}

func (s *stage) doOptions(o order) []string {
	defaults := cloudprovider.Options{
		ScaleDownUtilizationThreshold: 0.5, ScaleDownUnneededTime: 10 * time.Minute,
		ScaleDownUnreadyTime: 20 * time.Minute, MaxNodeProvisionTime: 15 * time.Minute,
	}
	answer := "CA's defaults"
	outcome := s.call(o, func(ctx context.Context, c caller) error {
		got, set, err := c.options(ctx, o.word(s.t, 0), defaults)
		if set {
			answer = fmt.Sprintf("unneeded %v, unready %v, provision %v, threshold %v",
				got.ScaleDownUnneededTime, got.ScaleDownUnreadyTime, got.MaxNodeProvisionTime, got.ScaleDownUtilizationThreshold)
		}
		return err
	})
	if outcome[0] != "ok" {
		return outcome
	}
	return []string{answer}
}

// doPass lets time pass; with refresh=10s CA's loop goes on meanwhile.
func (s *stage) doPass(o order) []string {
	total, err := time.ParseDuration(o.word(s.t, 0))
	require.NoError(s.t, err)
	every := o.duration(s.t, "refresh", total)
	var failed []string
	for end := (clock.RealClock{}).Now().Add(total); ; {
		left := end.Sub(clock.RealClock{}.Now())
		if left <= 0 {
			break
		}
		clock.RealClock{}.Sleep(min(every, left))
		if o.settings["refresh"] != "" {
			if got := s.doRefresh(o); got[0] != "ok" {
				failed = append(failed, got[0])
			}
			synctest.Wait()
		}
	}
	return slices.Compact(failed)
}
