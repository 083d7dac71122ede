package main

import (
	"errors"
	"fmt"
	"os"

	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/alicloud"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/alicloud/alibaba-cloud-sdk-go/sdk/endpoints"
)

// openInTree makes upstream's provider over the simulated account, with the settings
// it has by default. Its keys come from the environment, as in a cluster.
func openInTree(f fleet, s *simulation) (cloudprovider.CloudProvider, error) {
	host := name(s.address())
	err := errors.Join(
		os.Setenv("ACCESS_KEY_ID", accessKey),
		os.Setenv("ACCESS_KEY_SECRET", accessSecret),
		os.Setenv("REGION_ID", region),
		endpoints.AddEndpointMapping(region, "Ess", host),
		endpoints.AddEndpointMapping(region, "Ecs", host),
	)
	if err != nil {
		return nil, fmt.Errorf("point the in-tree provider at the simulated account: %w", err)
	}
	manager, err := alicloud.CreateAliCloudManager(nil)
	if err != nil {
		return nil, fmt.Errorf("make the in-tree provider's manager: %w", err)
	}
	var specs []string
	for n := range f.groups {
		specs = append(specs, fmt.Sprintf("0:%d:%s", maxSize, groupID(n)))
	}
	provider, err := alicloud.BuildAliCloudProvider(manager, cloudprovider.NodeGroupDiscoveryOptions{NodeGroupSpecs: specs}, nil)
	if err != nil {
		return nil, fmt.Errorf("make the in-tree provider: %w", err)
	}
	return provider, nil
}
