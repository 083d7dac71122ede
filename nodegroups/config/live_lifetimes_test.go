package config

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/buildpool/buildpool/cloudprovider"
)

func TestCompareReclaims(t *testing.T) {
	remedy := setGroup(2, func(g *cloudprovider.ScalingGroup) { g.ReplacesSpot = true })
	notices := func(on OnReclaimNotice) func(*Config) {
		return func(c *Config) { c.Groups[2].Spot.OnReclaimNotice = on }
	}
	const common = "s warning groups[2].spot.onReclaimNotice: scaling group asg-spot replaces spot instances itself (SpotInstanceRemedy): ESS removes the old instance as soon as the new one is in service, and the builds on it end early"
	checkChanges(t, []change{
		{"replaced by both", remedy, nil, []string{common + "; it replaces what buildpool replaces by itself, and each has to wait for the other"}},
		{"cordoned", remedy, notices(ReclaimCordoned), []string{common}},
		{"left to ESS", remedy, notices(ReclaimIgnored), nil},
		{"of no spot instances", setGroup(0, func(g *cloudprovider.ScalingGroup) { g.ReplacesSpot = true }), nil, nil},
	})
}

func TestCompareRecycling(t *testing.T) {
	registers := goodAccount().launches["asg-normal"].UserData
	recycles := func(i int) func(*account) {
		return setGroup(i, func(g *cloudprovider.ScalingGroup) { g.Recycles = true })
	}
	both := func(changes ...func(*account)) func(*account) {
		return func(a *account) {
			for _, change := range changes {
				change(a)
			}
		}
	}
	joins := userData(registers + "\nkubeadm join 10.0.0.1:6443 --token x")
	checkChanges(t, []change{
		{"spot that recycles", recycles(2), nil, []string{
			"s warning groups[2].scalingGroup: scaling group asg-spot stops what is removed from it (ScalingPolicy recycle), but buys spot instances: nothing holds a stopped one's stock and price. buildpool has them released; those that ESS or a person removes are stopped, and cost their disks"}},
		{"on demand that recycles", recycles(0), nil, nil},
		{"recommended", joins, nil, []string{
			"n advice groups[0].scalingGroup: scaling group asg-normal releases what is removed from it, and by the user data of asc-normal a node comes up again after a restart: stopped instances would start faster than new ones are made, with their images and caches, and cost their disks meanwhile"}},
		{"followed", both(joins, recycles(0)), nil, nil},
		{"not for spot", setLaunch("asg-spot", func(l *cloudprovider.Launch) { l.UserData += "\nkubeadm join 10.0.0.1:6443" }), nil, nil},
	})
}

func TestSurvivesRestart(t *testing.T) {
	for script, want := range map[string]bool{
		"systemctl enable kubelet":                                          true,
		"systemctl enable --now containerd kubelet":                         true,
		"systemctl daemon-reload && systemctl enable --now kubelet.service": true,
		"kubeadm  join 10.0.0.1:6443":                                       true,
		"systemctl start kubelet":                                           false,
		"systemctl enable containerd; systemctl start kubelet":              false,
		"systemctl enable containerd\nsystemctl start kubelet":              false,
		"# systemctl enable kubelet":                                        false,
		"kubelet --node-labels=a=b &":                                       false,
		"":                                                                  false,
	} {
		assert.Equal(t, want, survivesRestart(script), script)
	}
}
