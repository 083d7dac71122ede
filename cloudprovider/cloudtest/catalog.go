package cloudtest

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/cloudprovider"
)

func catalogReads() []conformance {
	return []conformance{
		{"launch settings of a scaling configuration", expected(0, 1, 0), func(t *testing.T, a Account) {
			launch, err := a.Cloud().Launch(t.Context(), only(t, a, "asg-a"))
			require.NoError(t, err)
			assert.NotEmpty(t, launch.Source)
			launch.Source = ""
			assert.Equal(t, cloudprovider.Launch{
				InstanceTypes: []string{InstanceType}, Zones: []string{Zone}, SystemDiskGiB: SystemDiskGiB,
				SpotStrategy: cloudprovider.NoSpot, UserData: UserData, Tags: map[string]string{TagKey: TagValue},
			}, launch)
		}},
		{"launch settings of a spot group", []Group{{ID: "asg-a", Max: 1, Spot: true}}, func(t *testing.T, a Account) {
			launch, err := a.Cloud().Launch(t.Context(), only(t, a, "asg-a"))
			require.NoError(t, err)
			assert.True(t, launch.Spot())
		}},
		{"launch settings of a launch template", []Group{{ID: "asg-a", Max: 1, LaunchTemplate: true}}, func(t *testing.T, a Account) {
			g := only(t, a, "asg-a")
			assert.Empty(t, g.ScalingConfigurationID)
			assert.NotEmpty(t, g.LaunchTemplateID)
			launch, err := a.Cloud().Launch(t.Context(), g)
			require.NoError(t, err)
			launch.Source = ""
			assert.Equal(t, cloudprovider.Launch{
				InstanceTypes: []string{OverrideType}, Zones: []string{Zone}, SystemDiskGiB: SystemDiskGiB,
				SpotStrategy: cloudprovider.NoSpot, UserData: UserData, Tags: map[string]string{TagKey: TagValue},
			}, launch)
		}},
		{"no launch settings", expected(0, 1, 0), func(t *testing.T, a Account) {
			g := only(t, a, "asg-a")
			g.ScalingConfigurationID, g.LaunchTemplateID = "", ""
			_, err := a.Cloud().Launch(t.Context(), g)
			require.ErrorIs(t, err, cloudprovider.ErrNoTemplate)
		}},
		{"launch settings that are gone", expected(0, 1, 0), func(t *testing.T, a Account) {
			g := only(t, a, "asg-a")
			g.ScalingConfigurationID = "asc-gone"
			_, err := a.Cloud().Launch(t.Context(), g)
			require.ErrorIs(t, err, cloudprovider.ErrNoTemplate)
		}},
		{"instance types", expected(0, 1, 0), func(t *testing.T, a Account) {
			types, err := a.Cloud().InstanceTypes(t.Context(), []string{GPUType, InstanceType, GPUType})
			require.NoError(t, err)
			assert.Equal(t, []cloudprovider.InstanceType{
				{Name: GPUType, CPUs: 8, MemoryGiB: 30, Arch: "amd64", GPUs: 1, GPUModel: "NVIDIA A10", ENIs: 4, IPsPerENI: 15},
				{Name: InstanceType, CPUs: 8, MemoryGiB: 16, Arch: "amd64", ENIs: 4, IPsPerENI: 15},
			}, types)
		}},
		{"an unknown instance type is named", expected(0, 1, 0), func(t *testing.T, a Account) {
			_, err := a.Cloud().InstanceTypes(t.Context(), []string{InstanceType, "ecs.unknown"})
			require.ErrorIs(t, err, cloudprovider.ErrNoTemplate)
			assert.ErrorContains(t, err, "ecs.unknown")
			assert.NotContains(t, err.Error(), InstanceType)
		}},
	}
}
