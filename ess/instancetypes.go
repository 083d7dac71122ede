package ess

import (
	"context"
	"fmt"
	"slices"
	"strings"

	sdkecs "github.com/aliyun/alibaba-cloud-sdk-go/services/ecs"

	"github.com/buildpool/buildpool/cloudprovider"
)

// maxTypesPerRead is the most names DescribeInstanceTypes takes.
const maxTypesPerRead = 10

// InstanceTypes returns the named types in the order of the names. Each is read
// once, 10 a call: a type does not change.
func (c *Cloud) InstanceTypes(ctx context.Context, names []string) ([]cloudprovider.InstanceType, error) {
	names = distinct(names)
	_, missing := c.knownTypes(names)
	for chunk := range slices.Chunk(missing, maxTypesPerRead) {
		if err := c.readTypes(ctx, chunk); err != nil {
			return nil, fmt.Errorf("read instance types: %w", err)
		}
	}
	types, unknown := c.knownTypes(names)
	if len(unknown) > 0 {
		return nil, fmt.Errorf("read instance types: the region has no %s: %w", strings.Join(unknown, ", "), cloudprovider.ErrNoTemplate)
	}
	return types, nil
}

func (c *Cloud) knownTypes(names []string) (types []cloudprovider.InstanceType, missing []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, name := range names {
		if t, known := c.types[name]; known {
			types = append(types, t)
		} else {
			missing = append(missing, name)
		}
	}
	return types, missing
}

func (c *Cloud) readTypes(ctx context.Context, names []string) error {
	answer, err := read(ctx, c, func() *sdkecs.DescribeInstanceTypesRequest {
		request := sdkecs.CreateDescribeInstanceTypesRequest()
		request.InstanceTypes = &names
		return request
	}, sdkecs.CreateDescribeInstanceTypesResponse)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, t := range answer.InstanceTypes.InstanceType {
		c.types[t.InstanceTypeId] = toInstanceType(t)
	}
	return nil
}

func toInstanceType(t sdkecs.InstanceType) cloudprovider.InstanceType {
	arch := "amd64"
	if strings.EqualFold(t.CpuArchitecture, "ARM") {
		arch = "arm64"
	}
	return cloudprovider.InstanceType{
		Name:      t.InstanceTypeId,
		CPUs:      t.CpuCoreCount,
		MemoryGiB: t.MemorySize,
		Arch:      arch,
		GPUs:      t.GPUAmount,
		GPUModel:  t.GPUSpec,
		ENIs:      t.EniQuantity,
		IPsPerENI: t.EniPrivateIpAddressQuantity,
	}
}
