package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/utils/clock"

	"github.com/buildpool/buildpool/nodegroups"
)

func TestLeaderFlags(t *testing.T) {
	for name, c := range map[string]struct {
		flags leaderFlags
		wrong string // empty: nothing
	}{
		"none":                   {leaderFlags{lease: "kube-system/buildpool"}, ""},
		"an election":            {leaderFlags{elect: true, lease: "ci/buildpool"}, ""},
		"with a label":           {leaderFlags{elect: true, lease: "ci/buildpool", label: "buildpool.io/leader"}, ""},
		"a lease without name":   {leaderFlags{elect: true, lease: "ci"}, "--leader-elect-lease"},
		"a label of nobody":      {leaderFlags{lease: "ci/buildpool", label: "buildpool.io/leader"}, "needs --leader-elect"},
		"a label that is no key": {leaderFlags{elect: true, lease: "ci/buildpool", label: "the leader"}, "--leader-elect-label"},
	} {
		t.Run(name, func(t *testing.T) {
			err := c.flags.check()
			if c.wrong == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.wrong)
		})
	}
}

// TestStandbyIsReadyForProbes: where a Service finds the leader by its label, a replica
// that stands by is healthy; for those that ask by gRPC it serves nothing all the same.
func TestStandbyIsReadyForProbes(t *testing.T) {
	standing := "standing by: another leads"
	r := &readiness{
		status:  func() nodegroups.Status { return nodegroups.Status{} },
		clock:   clock.RealClock{},
		standby: func() string { return standing },
	}
	assert.Equal(t, standing, r.probe(), "without a label readiness tells the leader")

	r.standbyReady = true
	assert.Empty(t, r.probe())
	assert.Equal(t, standing, r.notReady())

	standing = ""
	assert.Contains(t, r.probe(), "has not been read yet", "a leader is judged as ever")

	standing = "standing by: another leads"
	r.stopping.Store(true)
	assert.Equal(t, "stopping", r.probe())
}
