package nodegroups_test

import (
	"strings"

	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/ess/esssim/account"
)

// doMachine declares an ECS instance of no group, to be attached by hand.
func (s *stage) doMachine(o order) []string {
	s.machines = append(s.machines, o.word(s.t, 0))
	return nil
}

// doStandby puts instances on standby in the console, off=yes back into service.
func (s *stage) doStandby(o order) []string {
	change := s.account.Account().EnterStandby
	if o.settings["off"] == "yes" {
		change = s.account.Account().ExitStandby
	}
	require.NoError(s.t, change("asg-"+o.word(s.t, 0), s.realIDs(o.words[1:])))
	return nil
}

// doUnhealthy makes instances fail ESS's health check.
func (s *stage) doUnhealthy(o order) []string {
	for _, id := range s.realIDs(o.words) {
		require.NoError(s.t, s.account.Account().SetHealth(id, account.Unhealthy))
	}
	return nil
}

// doSuspend suspends a process of a group in the console, off=yes resumes it.
func (s *stage) doSuspend(o order) []string {
	require.NoError(s.t, s.account.Account().SuspendProcesses("asg-"+o.word(s.t, 0), o.words[1:], o.settings["off"] != "yes"))
	return nil
}

// doQuota bounds the account: "quota instances=3", "quota spot-vcpus=16", "quota broke=yes".
func (s *stage) doQuota(o order) []string {
	require.NoError(s.t, s.account.Account().SetQuotas(account.Quotas{
		Instances: o.integer(s.t, "instances"), SpotVCPUs: o.integer(s.t, "spot-vcpus"),
		Broke: strings.EqualFold(o.settings["broke"], "yes"),
	}))
	return nil
}
