package oracle

import (
	"errors"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/clock"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/ess/esssim"
	"github.com/buildpool/buildpool/ess/esssim/account"
	"github.com/buildpool/buildpool/nodegroups/config"
	"github.com/buildpool/buildpool/simulations/engine"
)

// The simulated account's access key.
const (
	accessKeyID     = "sim-access-key"
	accessKeySecret = "sim-secret"
)

// accountFile is the account's head. An activity ends, and so a failure is known, after
// the groups' Refusal; the time to a Ready node is drawn per node by the world and
// counts from the request.
const accountFile = `
apiVersion: buildpool/v1alpha1
kind: Account
region: %[1]s
accessKeys: [{id: ` + accessKeyID + `, secret: ` + accessKeySecret + `}]
delays: {check: 0s, create: %[2]s, fail: %[2]s, retry: 1m, remove: %[3]s}
vSwitches: [{id: vsw-1, zone: %[4]s}]
`

// groupFile is one scaling group; 2000 is ESS's largest size, the real bounds are the
// provider's.
const groupFile = `
  - id: %[1]s
    min: 0
    max: 2000
    inService: %[2]d
    expectedNumberMode: true
    vSwitchIds: [vsw-1]
    scalingConfiguration: {id: asc-%[1]s, instanceTypes: [%[3]s], spotStrategy: %[4]s}
`

// newAccount makes the account behind the groups: per group a scaling group with an
// instance type of its own, so that each has its own stock.
func newAccount(s engine.Settings, initial func(engine.Group) int) (*esssim.Simulator, error) {
	removal, err := common(s.Groups, func(g engine.Group) time.Duration { return g.Removal })
	if err != nil {
		return nil, fmt.Errorf("read the groups' Removal: %w", err)
	}
	refusal, err := common(s.Groups, func(g engine.Group) time.Duration { return g.Refusal })
	if err != nil {
		return nil, fmt.Errorf("read the groups' Refusal: %w", err)
	}
	var file strings.Builder
	fmt.Fprintf(&file, accountFile, regionOf(s), refusal, removal, zoneOf(s))
	if s.Quota > 0 {
		fmt.Fprintf(&file, "quotas: {instances: %d}\n", s.Quota)
	}
	file.WriteString("instanceTypes:\n")
	for n, g := range s.Groups {
		capacity := g.Template.Capacity
		gpus := capacity[cloudprovider.GPUResource]
		fmt.Fprintf(&file, "  - {name: %s, cpus: %d, memoryGiB: %.17g, arch: %s, enis: 4, ipsPerENI: 15, gpus: %d, gpuModel: %q, pricePerHour: %g}\n",
			typeName(n), capacity.Cpu().Value(), float64(capacity.Memory().Value())/(1<<30), archOf(g), gpus.Value(), modelOf(g), g.PricePerHour)
	}
	file.WriteString("scalingGroups:")
	for n, g := range s.Groups {
		fmt.Fprintf(&file, groupFile, scalingGroupID(n), initial(g), typeName(n), strategyOf(g))
	}
	cfg, err := esssim.Parse("the oracle's account", []byte(file.String()))
	if err != nil {
		return nil, err
	}
	simulator, err := esssim.New(esssim.Options{Config: cfg, Clock: clock.RealClock{}, Seed: s.Seed})
	if err != nil {
		return nil, fmt.Errorf("make the simulated account: %w", err)
	}
	for n, g := range s.Groups {
		if err := setStock(simulator.Account(), s, n, g.Stock); err != nil {
			return nil, err
		}
	}
	return simulator, nil
}

// setStock bounds a group's instances; 0: as many as asked.
func setStock(a *account.Account, s engine.Settings, group, stock int) error {
	if stock == 0 {
		stock = -1
	}
	return setStockExactly(a, s, group, stock)
}

func setStockExactly(a *account.Account, s engine.Settings, group, stock int) error {
	charge := account.OnDemand
	if strategyOf(s.Groups[group]) != account.NoSpot {
		charge = account.Spot
	}
	if err := a.SetStock(account.Stock{Zone: zoneOf(s), Type: typeName(group), Charge: charge, Count: stock}); err != nil {
		return fmt.Errorf("set the stock of %s: %w", s.Groups[group].Config.Name, err)
	}
	return nil
}

// common is the one value that all groups have: the account's delays are its own.
func common(groups []engine.Group, of func(engine.Group) time.Duration) (time.Duration, error) {
	for _, g := range groups {
		if of(g) != of(groups[0]) {
			return 0, errors.New("the simulated account has one for all, and the groups have several")
		}
	}
	return of(groups[0]), nil
}

func scalingGroupID(n int) string { return fmt.Sprintf("asg-oracle%02d", n) }
func typeName(n int) string       { return fmt.Sprintf("ecs.oracle%d.large", n) }

func strategyOf(g engine.Group) account.SpotStrategy {
	if g.Spot != nil || g.Config.Class == config.ClassSpot {
		return account.SpotAsPriceGo
	}
	return account.NoSpot
}

func archOf(g engine.Group) string {
	if g.Template.Labels[corev1.LabelArchStable] == "arm64" {
		return "ARM"
	}
	return "X86"
}

func modelOf(g engine.Group) string {
	return strings.ReplaceAll(g.Template.Labels[cloudprovider.LabelGPU], "-", " ")
}

func regionOf(s engine.Settings) string {
	return labelOr(s, corev1.LabelTopologyRegion, "cn-hangzhou")
}

func zoneOf(s engine.Settings) string {
	return labelOr(s, corev1.LabelTopologyZone, regionOf(s)+"-h")
}

func labelOr(s engine.Settings, key, or string) string {
	for _, g := range s.Groups {
		if value := g.Template.Labels[key]; value != "" {
			return value
		}
	}
	return or
}
