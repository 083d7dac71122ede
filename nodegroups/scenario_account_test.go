package nodegroups_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/ess/esssim"
	"github.com/buildpool/buildpool/ess/esssim/account"
)

func (s *stage) doGroup(o order) []string {
	s.declared = append(s.declared, stagedGroup{name: o.word(s.t, 0), settings: o.settings})
	return nil
}

// doStart starts a provider and lets CA's first loop look at it; refresh=no leaves
// that out.
func (s *stage) doStart(o order) []string {
	s.start(o.name)
	o.actor = s.actors[o.name]
	if o.settings["refresh"] == "no" {
		return nil
	}
	return s.doLoop(o)
}

// doRestart kills the provider and starts another, which remembers nothing.
func (s *stage) doRestart(o order) []string {
	s.kill(o.name)
	return s.doStart(o)
}

func (s *stage) doStop(o order) []string {
	s.kill(o.name)
	return nil
}

// doConfig changes the node-group file and reloads it: "config spot max=2",
// "config spot removed=true", "config spot removed=false".
func (s *stage) doConfig(o order) []string {
	at := slices.IndexFunc(s.declared, func(g stagedGroup) bool { return g.name == o.word(s.t, 0) })
	require.GreaterOrEqual(s.t, at, 0)
	for key, value := range o.settings {
		if key == "removed" {
			s.declared[at].removed = value == "true"
			continue
		}
		s.declared[at].settings[key] = value
	}
	for _, a := range s.actors {
		a.provider.Reload(s.configuration())
	}
	return nil
}

func (s *stage) doSpelling(o order) []string {
	s.spelling = map[string]cloudprovider.ProviderIDForm{"dot": cloudprovider.FormDot, "url": cloudprovider.FormURL}[o.word(s.t, 0)]
	require.NotEmpty(s.t, s.spelling)
	return nil
}

// doAccount tells what the account holds, past every API and provider.
func (s *stage) doAccount(o order) []string {
	var lines []string
	for _, g := range s.account.State().Groups {
		if len(o.words) > 0 && g.ID != "asg-"+o.words[0] {
			continue
		}
		states := map[string]int{}
		var order []string
		for _, i := range g.Instances {
			if states[string(i.State)] == 0 {
				order = append(order, string(i.State))
			}
			states[string(i.State)]++
		}
		text := g.ID + ": desired " + strconv.Itoa(g.Desired)
		if !g.ExpectedNumberMode {
			text = g.ID + ": no desired number"
		}
		for _, state := range order {
			text += fmt.Sprintf(", %d %s", states[state], state)
		}
		if len(order) == 0 {
			text += ", no instances"
		}
		lines = append(lines, text)
	}
	return lines
}

// doStock bounds how many instances of a charge may run: "stock spot 0", "stock
// onDemand any".
func (s *stage) doStock(o order) []string {
	n := -1
	if o.word(s.t, 1) != "any" {
		n = o.number(s.t, 1)
	}
	require.NoError(s.t, setStock(s.account, o.word(s.t, 0), n))
	return nil
}

// doFault makes an API go wrong: "fault ScaleWithAdjustment drop count=1 effect=yes".
func (s *stage) doFault(o order) []string {
	f := esssim.Fault{
		API: o.word(s.t, 0), Kind: esssim.FaultKind(o.word(s.t, 1)), Code: o.settings["code"],
		Delay: account.Duration(o.duration(s.t, "delay", 0)), AfterEffect: o.settings["effect"] == "yes",
	}
	if n := o.integer(s.t, "count"); n != nil {
		f.Count = *n
	}
	if n := o.integer(s.t, "status"); n != nil {
		f.Status = *n
	}
	require.NoError(s.t, s.account.InjectFault(f))
	return nil
}

func (s *stage) doClear(order) []string {
	s.account.ClearFaults()
	return nil
}

func (s *stage) doReclaim(o order) []string {
	for _, alias := range o.words {
		require.NoError(s.t, s.account.Reclaim(s.aliases.real(alias), o.duration(s.t, "notice", account.ReclaimNotice)))
	}
	return nil
}

// doEdit is somebody in the console: "edit spot desired=9", "edit spot lifecycle=Inactive".
func (s *stage) doEdit(o order) []string {
	change := account.GroupChange{Min: o.integer(s.t, "min"), Max: o.integer(s.t, "max"), Desired: o.integer(s.t, "desired")}
	if l, ok := o.settings["lifecycle"]; ok {
		lifecycle := account.GroupLifecycle(l)
		change.Lifecycle = &lifecycle
	}
	require.NoError(s.t, s.account.Account().EditGroup("asg-"+o.word(s.t, 0), change))
	return nil
}

func (s *stage) doProtect(o order) []string {
	require.NoError(s.t, s.account.Account().SetProtection(account.Protection{
		GroupID: "asg-" + o.word(s.t, 0), InstanceIDs: s.realIDs(o.words[1:]), Protected: o.settings["off"] != "yes",
	}))
	return nil
}

// doByHand is somebody else's write: "by-hand remove spot node-1 desired=kept",
// "by-hand set spot 5".
func (s *stage) doByHand(o order) []string {
	group := "asg-" + o.word(s.t, 1)
	switch o.word(s.t, 0) {
	case "remove":
		_, err := s.account.Account().RemoveInstances(account.Removal{
			GroupID: group, InstanceIDs: s.realIDs(o.words[2:]), KeepDesired: o.settings["desired"] == "kept",
			Policy: account.ScalingPolicy(o.settings["policy"]),
		})
		require.NoError(s.t, err)
	case "attach":
		_, err := s.account.Account().AttachInstances(account.Attachment{GroupID: group, InstanceIDs: s.realIDs(o.words[2:])})
		require.NoError(s.t, err)
	case "detach":
		_, err := s.account.Account().DetachInstances(account.Removal{GroupID: group, InstanceIDs: s.realIDs(o.words[2:])})
		require.NoError(s.t, err)
	case "set":
		_, err := s.account.Account().ScaleWithAdjustment(account.Adjustment{GroupID: group, Type: "TotalCapacity", Value: o.number(s.t, 2)})
		require.NoError(s.t, err)
	default:
		require.Fail(s.t, "unknown", "by-hand %v", o.words)
	}
	return nil
}

// doDelays changes how long the account takes: "delays create=5m fail=20s".
func (s *stage) doDelays(o order) []string {
	var change account.DelayChange
	for key, to := range map[string]**account.Duration{
		"create": &change.Create, "fail": &change.Fail, "remove": &change.Remove, "retry": &change.Retry,
		"list-groups": &change.ListGroups, "list-instances": &change.ListInstances,
	} {
		if _, given := o.settings[key]; given {
			d := account.Duration(o.duration(s.t, key, 0))
			*to = &d
		}
	}
	require.NoError(s.t, s.account.Account().SetDelays(change))
	return nil
}

func (s *stage) realIDs(names []string) []string {
	var ids []string
	for _, name := range names {
		for _, one := range spread(name) {
			ids = append(ids, strings.TrimPrefix(s.aliases.real(one), "cn-hangzhou."))
		}
	}
	return ids
}
