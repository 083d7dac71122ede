package ess

import (
	"context"
	"fmt"

	sdkvpc "github.com/aliyun/alibaba-cloud-sdk-go/services/vpc"
)

// zonesOf returns the zones of the vSwitches, in order. A vSwitch is asked for once:
// it never moves. One that no longer exists has no zone.
func (c *Cloud) zonesOf(ctx context.Context, vSwitches []string) ([]string, error) {
	var zones []string
	for _, id := range vSwitches {
		zone, err := c.zoneOf(ctx, id)
		if err != nil {
			return nil, err
		}
		zones = append(zones, zone)
	}
	return distinct(zones), nil
}

func (c *Cloud) zoneOf(ctx context.Context, vSwitch string) (string, error) {
	c.mu.Lock()
	zone, known := c.zones[vSwitch]
	c.mu.Unlock()
	if known {
		return zone, nil
	}
	answer, err := read(ctx, c, func() *sdkvpc.DescribeVSwitchesRequest {
		request := sdkvpc.CreateDescribeVSwitchesRequest()
		request.VSwitchId = vSwitch
		return request
	}, sdkvpc.CreateDescribeVSwitchesResponse)
	if err != nil {
		return "", fmt.Errorf("read the zone of %s: %w", vSwitch, err)
	}
	for _, v := range answer.VSwitches.VSwitch {
		if v.VSwitchId == vSwitch && v.ZoneId != "" {
			c.mu.Lock()
			c.zones[vSwitch] = v.ZoneId
			c.mu.Unlock()
			return v.ZoneId, nil
		}
	}
	return "", nil
}
