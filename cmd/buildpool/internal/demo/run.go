package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc/protos"
	"k8s.io/utils/clock"
)

// Instance is an instance of the account as the demo's kubelets need it.
type Instance struct {
	ID, Group string
	InService bool
	Since     time.Time
}

// Account is what happens behind the provider's back.
type Account interface {
	// Instances returns every instance that exists.
	Instances() []Instance
	// SpotStockOut makes every further spot instance fail.
	SpotStockOut() error
	// Calls counts the API calls the account has answered, by API.
	Calls() map[string]int
	// CostPerHour is what the instances that exist cost now, in CNY.
	CostPerHour() float64
}

// Options are what a demo works with.
type Options struct {
	Provider protos.CloudProviderClient
	Account  Account
	// Clock tells the afternoon's time, faster than the wall's.
	Clock  clock.Clock
	Region string
	Random *rand.Rand
	Out    io.Writer
	// Live: Out is a terminal whose last line can be drawn again.
	Live bool
}

// tick is how often the cluster is looked at.
const tick = 2 * time.Second

// Errors of a demo that did not go well.
var (
	errBuildLost = errors.New("a build was lost")
	errNodeLeft  = errors.New("a node was left over")
)

// Run plays the afternoon. It fails if a build was lost or a node is left at the end.
func Run(ctx context.Context, o Options) error {
	start := o.Clock.Now()
	screen := newScreen(o.Out, o.Live, o.Clock)
	c := &cluster{builds: afternoon(start, o.Random), nodes: map[string]*node{}, shape: map[class]shape{}, tell: screen.tell}
	a := &autoscaler{provider: o.Provider, cluster: c, tell: screen.tell, seen: map[string]bool{}, backoff: map[string]time.Time{}}
	t := newTally()
	screen.tell("build %s is pending, no node has its class (spot)", c.builds[0].name)

	nextLoop, dry := start, false
	for last := start; ; o.Clock.Sleep(tick) {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("demo: %w", err)
		}
		now := o.Clock.Now()
		instances := o.Account.Instances()
		c.follow(now, instances, func(id string) string { return o.Region + "." + id })
		c.work(now)
		t.count(now.Sub(last), instances, o.Account.CostPerHour())
		last = now
		if !dry && now.Sub(start) >= spotRunsDry {
			dry = true
			if err := o.Account.SpotStockOut(); err != nil {
				return fmt.Errorf("demo: %w", err)
			}
			screen.tell("spot instances are out of stock from now on")
		}
		if !now.Before(nextLoop) {
			if err := a.loop(ctx, now); err != nil {
				return fmt.Errorf("demo: cluster-autoscaler's loop: %w", err)
			}
			nextLoop = now.Add(scanInterval)
		}
		screen.draw(c, a, now)
		if c.allDone() && len(instances) == 0 && now.Sub(start) > burstBegins+burstLasts {
			break
		}
		if now.Sub(start) > dayEndsBefore {
			break
		}
	}
	screen.end()
	return t.report(o.Out, c, o.Account)
}
