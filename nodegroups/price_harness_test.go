package nodegroups_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/utils/clock"

	"github.com/buildpool/buildpool/ess/esssim"
	"github.com/buildpool/buildpool/nodegroups/config"
)

// The account and the groups of the tests of prices. ecs.odd is in no table, and the
// real price of ecs.c7.2xlarge is not the shipped one.
const (
	pricedAccount = `
apiVersion: buildpool/v1alpha1
kind: Account
region: cn-hangzhou
accessKeys: [{id: sim-access-key, secret: sim-secret}]
delays: {create: 20s, join: 20s, remove: 10s, retry: 60s, check: 1s}
vSwitches: [{id: vsw-h, zone: cn-hangzhou-h}, {id: vsw-i, zone: cn-hangzhou-i}]
instanceTypes:
  - {name: ecs.c7.2xlarge, cpus: 8, memoryGiB: 16, arch: X86, enis: 4, ipsPerENI: 15, pricePerHour: 2, spotPricePerHour: 0.25}
  - {name: ecs.c7.4xlarge, cpus: 16, memoryGiB: 32, arch: X86, enis: 8, ipsPerENI: 15, pricePerHour: 4, spotPricePerHour: 0.5}
  - {name: ecs.gn7i-c8g1.2xlarge, cpus: 8, memoryGiB: 30, arch: X86, enis: 4, ipsPerENI: 15, gpus: 1, gpuModel: NVIDIA A10, pricePerHour: 9}
  - {name: ecs.odd, cpus: 64, memoryGiB: 128, arch: X86, enis: 4, ipsPerENI: 15, pricePerHour: 20}
scalingGroups:
`
	pricedGroup = `
  - id: asg-%[1]s
    name: %[1]s
    max: 10
    expectedNumberMode: true
    vSwitchIds: [vsw-h, vsw-i]
    scalingConfiguration: {id: asc-%[1]s, instanceTypes: [%[2]s], spotStrategy: %[3]s, systemDiskGiB: 120}
`
	pricedConfig = "apiVersion: buildpool/v1alpha1\nkind: NodeGroups\nregion: cn-hangzhou\n"
)

// pricedSpec is a group of these tests; class spot buys spot instances.
type pricedSpec struct {
	name, class, types, more string
}

var (
	plain  = pricedSpec{name: "plain", class: "normal", types: "ecs.c7.2xlarge"}
	spotty = pricedSpec{name: "spotty", class: "spot", types: "ecs.c7.2xlarge"}
	cards  = pricedSpec{name: "cards", class: "gpu", types: "ecs.gn7i-c8g1.2xlarge", more: "template: {gpu: {type: NVIDIA-A10}}"}
	odd    = pricedSpec{name: "odd", class: "normal", types: "ecs.odd", more: "labels: {size: odd}"}
)

func (s pricedSpec) with(more string) pricedSpec { s.more = more; return s }

func pricedFiles(t testing.TB, extra string, groups []pricedSpec) (esssim.Config, config.Config) {
	t.Helper()
	accountText, configText := pricedAccount, pricedConfig+extra+"groups:\n"
	for _, g := range groups {
		strategy := "NoSpot"
		if g.class == "spot" {
			strategy = "SpotAsPriceGo"
		}
		accountText += fmt.Sprintf(pricedGroup, g.name, g.types, strategy)
		fields := []string{"name: " + g.name, "class: " + g.class, "max: 10", "scalingGroup: {id: asg-" + g.name + "}"}
		if g.more != "" {
			fields = append(fields, g.more)
		}
		configText += "  - {" + strings.Join(fields, ", ") + "}\n"
	}
	account, err := esssim.Parse("account.yaml", []byte(accountText))
	require.NoError(t, err)
	cfg, err := config.Parse("nodegroups.yaml", []byte(configText))
	require.NoError(t, err)
	return account, cfg
}

// price runs a test on groups that have been refreshed once, in virtual time; prepare
// shapes the account before.
func price(t *testing.T, groups []pricedSpec, prepare func(*esssim.Simulator), test func(w *world)) {
	t.Helper()
	priceWith(t, "", groups, prepare, test)
}

func priceWith(t *testing.T, extra string, groups []pricedSpec, prepare func(*esssim.Simulator), test func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		accountConfig, cfg := pricedFiles(t, extra, groups)
		account, err := esssim.New(esssim.Options{Config: accountConfig, Clock: clock.RealClock{}, Seed: 1})
		require.NoError(t, err)
		if prepare != nil {
			prepare(account)
		}
		w := &world{t: t, account: account, cloud: newCloud(t, account), config: cfg, log: &strings.Builder{}}
		w.restart()
		require.NoError(t, w.Refresh(t.Context()))
		synctest.Wait() // prices are read in the background
		test(w)
		w.Close()
	})
}

// settle lets time pass, refreshes, and waits for the prices that were due.
func (w *world) settle(d time.Duration) {
	w.t.Helper()
	w.after(d)
	synctest.Wait()
}

// priceCalls are the readings of prices since the last call.
func (w *world) priceCalls() map[string]int {
	calls := map[string]int{}
	for api, n := range w.account.Calls() {
		if api == "DescribePrice" || api == "DescribeSpotPriceHistory" {
			calls[api] = n
		}
	}
	w.account.ForgetCalls()
	return calls
}

func requests(pairs ...string) corev1.ResourceList {
	list := corev1.ResourceList{}
	for i := 0; i+1 < len(pairs); i += 2 {
		list[corev1.ResourceName(pairs[i])] = resource.MustParse(pairs[i+1])
	}
	return list
}

// now is the bubble's time.
func now() time.Time { return clock.RealClock{}.Now() }
