package main

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/ess/esssim"
	"github.com/buildpool/buildpool/ess/esssim/account"
	"github.com/buildpool/buildpool/nodegroups/config"
	"github.com/buildpool/buildpool/simulations/engine"
	"github.com/buildpool/buildpool/simulations/scenario"
)

// accountFacts reads what an account file tells of the groups, through the same client
// that production reads the real account with.
func accountFacts(ctx context.Context, env environment, file string, cfg config.Config) (facts map[string]scenario.Facts, err error) {
	log := slog.New(slog.DiscardHandler)
	simulated, err := openSimulatedAccount(env, file, log)
	if err != nil {
		return nil, err
	}
	served := make(chan error, 1)
	go func() { served <- simulated.serve() }()
	defer func() {
		closing := simulated.close()
		if serving := <-served; err == nil && serving != nil {
			err = serving
		}
		if err == nil && closing != nil {
			err = closing
		}
	}()
	cloud, err := simulated.open(env, cfg, prometheus.NewRegistry(), log)
	if err != nil {
		return nil, err
	}
	parsed, err := loadAccount(file)
	if err != nil {
		return nil, err
	}
	facts = map[string]scenario.Facts{}
	for _, g := range cfg.Groups {
		f, err := groupFacts(ctx, cloud, g, parsed)
		if err != nil {
			return nil, fmt.Errorf("group %q in %s: %w", g.Name, file, err)
		}
		facts[g.Name] = f
	}
	return facts, nil
}

func groupFacts(ctx context.Context, cloud cloudprovider.Cloud, g config.Group, file esssim.Config) (scenario.Facts, error) {
	group, err := scalingGroupOf(ctx, cloud, g)
	if err != nil {
		return scenario.Facts{}, err
	}
	launch, err := cloud.Launch(ctx, group)
	if err != nil {
		return scenario.Facts{}, fmt.Errorf("read launch settings: %w", err)
	}
	names := launch.InstanceTypes
	if g.Template.InstanceType != "" {
		names = []string{g.Template.InstanceType}
	}
	types, err := cloud.InstanceTypes(ctx, names)
	if err != nil {
		return scenario.Facts{}, fmt.Errorf("read instance types: %w", err)
	}
	delays := file.Delays.Delays()
	boot, warm := delays.Create+delays.Join, delays.Start+delays.Join
	return scenario.Facts{
		Launch: launch, Types: types, Boot: &engine.Delay{Median: boot, P95: boot}, Warm: &engine.Delay{Median: warm, P95: warm},
		Recycles: group.Recycles && !launch.Spot(), Removal: &delays.Remove,
		PricePerHour: accountPrice(file, launch, types), Stock: accountStock(file, launch, types),
	}, nil
}

func scalingGroupOf(ctx context.Context, cloud cloudprovider.Cloud, g config.Group) (cloudprovider.ScalingGroup, error) {
	var found []cloudprovider.ScalingGroup
	var err error
	if g.ScalingGroup.ID != "" {
		found, err = cloud.Groups(ctx, []string{g.ScalingGroup.ID})
	} else {
		found, err = cloud.GroupsByTags(ctx, g.ScalingGroup.Tags)
	}
	if err != nil {
		return cloudprovider.ScalingGroup{}, fmt.Errorf("read scaling group: %w", err)
	}
	if len(found) != 1 {
		return cloudprovider.ScalingGroup{}, fmt.Errorf("%s match, want one: %w", plural(len(found), "scaling group"), cloudprovider.ErrGroupNotFound)
	}
	return found[0], nil
}

// accountPrice is the price of the group's first type in the account file.
func accountPrice(file esssim.Config, launch cloudprovider.Launch, types []cloudprovider.InstanceType) *float64 {
	for _, t := range file.InstanceTypes {
		if t.Name != types[0].Name || t.PricePerHour == 0 {
			continue
		}
		price := t.PricePerHour
		if launch.Spot() && t.SpotPricePerHour > 0 {
			price = t.SpotPricePerHour
		}
		return &price
	}
	return nil
}

// accountStock is how many instances of the group's types the account has, 0 if one of
// them is not bounded.
func accountStock(file esssim.Config, launch cloudprovider.Launch, types []cloudprovider.InstanceType) int {
	total := 0
	for _, zone := range launch.Zones {
		for _, t := range types {
			count := -1
			for _, s := range file.Stock {
				if s.Zone == zone && s.Type == t.Name && (s.Charge == account.Spot) == launch.Spot() {
					count = s.Count
				}
			}
			if count < 0 {
				return 0
			}
			total += count
		}
	}
	return total
}
