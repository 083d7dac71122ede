package nodegroups

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/buildpool/buildpool/cloudprovider"
)

func TestBootsAreMeasuredOnce(t *testing.T) {
	seen := map[string]time.Time{}
	firstSeen := func(id string) (time.Time, bool) {
		at, ok := seen[id]
		return at, ok
	}
	created := func(id string, at time.Time) cloudprovider.Instance {
		return cloudprovider.Instance{ID: id, Created: at, Lifecycle: cloudprovider.InService}
	}
	b := boots{}.measure(groupState{}, []cloudprovider.Instance{created("i-new", at(0))}, firstSeen, at(-60))
	assert.Zero(t, b.created.typical(), "its node has not been shown")

	seen["i-new"], seen["i-old"], seen["i-again"] = at(90), at(1), at(-10)
	all := []cloudprovider.Instance{created("i-new", at(0)), created("i-old", at(-3600)), created("i-again", at(5))}
	b = b.measure(groupState{}, all, firstSeen, at(-60))
	assert.Equal(t, 90*time.Second, b.created.typical(), "not one from before our start, nor one that was seen before it was created")
	b = b.measure(groupState{}, all, firstSeen, at(-60))
	assert.Len(t, b.created, 1, "once each")
}

func TestTypicalBootIsThatOfFourInFive(t *testing.T) {
	var b boots
	for n := range 3 * bootsKept {
		id := fmt.Sprintf("i-%d", n)
		took := time.Duration(n%10+1) * time.Second
		b = b.measure(groupState{}, []cloudprovider.Instance{{ID: id, Created: at(0)}}, func(string) (time.Time, bool) { return at(0).Add(took), true }, at(-1))
	}
	assert.Len(t, b.created, bootsKept)
	assert.Equal(t, 9*time.Second, b.created.typical())
}
