package cloudtest

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/buildpool/buildpool/cloudprovider"
)

func concurrency() []conformance {
	groups, ids := many(8, nil)
	return []conformance{
		{"readers and writers of many groups", groups, func(t *testing.T, a Account) {
			var work sync.WaitGroup
			for n, id := range ids {
				work.Go(func() {
					_, err := a.Cloud().SetCapacity(t.Context(), cloudprovider.SetCapacity{GroupID: id, Total: n + 1, Token: "t-" + id})
					assert.NoError(t, err)
				})
				work.Go(func() {
					_, err := a.Cloud().Groups(t.Context(), ids)
					assert.NoError(t, err)
				})
				work.Go(func() {
					_, err := a.Cloud().Instances(t.Context(), id)
					assert.NoError(t, err)
				})
				work.Go(func() {
					_, err := a.Cloud().InstanceTypes(t.Context(), []string{InstanceType, GPUType})
					assert.NoError(t, err)
				})
			}
			work.Wait()
			for n, id := range ids {
				assert.Equal(t, n+1, only(t, a, id).Desired)
			}
		}},
		{"one token from many callers is one write", expected(0, 10, 0), func(t *testing.T, a Account) {
			var work sync.WaitGroup
			activities := make([]string, 10)
			for n := range activities {
				work.Go(func() {
					id, err := a.Cloud().SetCapacity(t.Context(), cloudprovider.SetCapacity{GroupID: "asg-a", Total: 2, Token: "t1"})
					assert.NoError(t, err)
					activities[n] = id
				})
			}
			work.Wait()
			for _, id := range activities {
				assert.Equal(t, activities[0], id)
			}
		}},
		{"many removals of different instances", expected(0, 60, 40), func(t *testing.T, a Account) {
			_, instances := instancesOf(t, a, "asg-a")
			var work sync.WaitGroup
			for n, id := range instances[:20] {
				work.Go(func() {
					_, err := a.Cloud().RemoveInstances(t.Context(), cloudprovider.RemoveInstances{GroupID: "asg-a", InstanceIDs: []string{id}, Token: fmt.Sprint("t", n)})
					assert.NoError(t, err)
				})
			}
			work.Wait()
			assert.Equal(t, 20, only(t, a, "asg-a").Desired)
			a.Advance(patience)
			_, left := instancesOf(t, a, "asg-a")
			assert.Equal(t, instances[20:], left)
		}},
	}
}
