package esssim_test

import (
	"encoding/json"
	"errors"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/services/ess"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/sts"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/utils/clock"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/buildpool/buildpool/ess/esssim"
	"github.com/buildpool/buildpool/ess/esssim/account"
	"github.com/buildpool/buildpool/ess/esssim/statefile"
)

// mortal is a world whose simulator can be killed and started again with its file.
type mortal struct {
	*world
	cfg   esssim.Config
	state string
	file  *statefile.File
}

func newMortal(t *testing.T) *mortal {
	t.Helper()
	cfg, err := esssim.Load("testdata/account.yaml")
	require.NoError(t, err)
	m := &mortal{
		world: &world{t: t, clock: clocktesting.NewFakePassiveClock(start), key: "sim-access-key", sec: "sim-secret"},
		cfg:   cfg, state: filepath.Join(t.TempDir(), "state.jsonl"),
	}
	m.start()
	return m
}

func (m *mortal) start() {
	m.t.Helper()
	var err error
	m.file, err = statefile.Open(m.state, statefile.Origin{Seed: 1, Speed: 1}, m.clock.Now())
	require.NoError(m.t, err)
	m.sim, err = esssim.New(esssim.Options{Config: m.cfg, Clock: m.clock, AuthClock: clock.RealClock{}, Seed: 1, History: m.file})
	require.NoError(m.t, err)
	server := httptest.NewServer(m.sim)
	m.t.Cleanup(server.Close)
	m.url = server.URL
}

// kill starts another simulator with what the file holds now. Nothing of the old one
// is brought to an end.
func (m *mortal) kill() {
	m.t.Helper()
	content, err := os.ReadFile(m.state)
	require.NoError(m.t, err)
	m.state = filepath.Join(m.t.TempDir(), "state.jsonl")
	require.NoError(m.t, os.WriteFile(m.state, content, 0o600))
	m.start()
}

func (m *mortal) stateText() string {
	m.t.Helper()
	data, err := json.Marshal(m.sim.State())
	require.NoError(m.t, err)
	return string(data)
}

func TestAKilledSimulatorGoesOn(t *testing.T) {
	m := newMortal(t)
	_, err := m.scale("asg-spot", "TotalCapacity", "3")
	require.NoError(t, err)
	m.pass(2 * time.Second)
	before := m.stateText()
	require.Contains(t, before, `"State":"Pending"`)
	m.kill()
	assert.Equal(t, before, m.stateText())

	// What is being created comes at its time, even if that is while nobody runs.
	m.pass(time.Hour)
	m.kill()
	for _, i := range m.sim.State().Groups[0].Instances {
		assert.Equal(t, account.InService, i.State)
		assert.Less(t, i.InService.Sub(start), time.Minute)
	}
	assert.Equal(t, 3, m.group("asg-spot").ActiveCapacity)
}

func TestFaultsOutliveTheKill(t *testing.T) {
	one, other := newMortal(t), newMortal(t)
	for _, m := range []*mortal{one, other} {
		require.NoError(t, m.sim.InjectFault(esssim.Fault{API: "*", Kind: esssim.FaultError, Status: 500, Code: "InternalError", Count: 5}))
		require.NoError(t, m.sim.InjectFault(esssim.Fault{API: "*", Kind: esssim.FaultThrottle, Rate: 0.3}))
	}
	read := func(m *mortal) string {
		_, err := m.ess().DescribeScalingGroups(ess.CreateDescribeScalingGroupsRequest())
		if err == nil {
			return "ok"
		}
		var known interface{ ErrorCode() string }
		require.ErrorAs(t, err, &known)
		return known.ErrorCode()
	}
	heard := map[string]int{}
	for n := range 60 {
		if n%7 == 3 {
			other.kill()
		}
		want := read(one)
		require.Equal(t, want, read(other), "call %d", n)
		heard[want]++
	}
	assert.Equal(t, 5, heard["InternalError"])
	assert.Greater(t, heard["Throttling.User"], 5)
	assert.Greater(t, heard["ok"], 20)

	require.NoError(t, other.sim.ClearFaults())
	other.kill()
	for range 20 {
		assert.Equal(t, "ok", read(other))
	}
}

func TestKeysAndPermissionsOutliveTheKill(t *testing.T) {
	m := newMortal(t)
	issue := func() sts.Credentials {
		r := sts.CreateAssumeRoleRequest()
		r.RoleArn, r.RoleSessionName = "acs:ram::1:role/r", "s"
		answer, err := m.sts().AssumeRole(r)
		require.NoError(t, err)
		return answer.Credentials
	}
	first := issue()
	require.NoError(t, m.sim.SetPermissions(esssim.Permissions{AccessKey: first.AccessKeyId, Allow: []string{"ess:Describe*"}}))
	m.kill()
	second := issue()
	assert.NotEqual(t, first.AccessKeyId, second.AccessKeyId, "no key is issued twice")

	m.key, m.sec, m.token = first.AccessKeyId, first.AccessKeySecret, first.SecurityToken
	assert.Len(t, m.groups(), len(m.cfg.ScalingGroups))
	_, err := m.scale("asg-spot", "TotalCapacity", "1")
	requireCode(t, err, 403, "Forbidden.RAM")

	content, err := os.ReadFile(m.state)
	require.NoError(t, err)
	for _, secret := range []string{"sim-secret", first.AccessKeySecret, first.SecurityToken, second.AccessKeySecret} {
		assert.NotContains(t, string(content), secret)
	}
}

func TestNoRequestIDComesTwice(t *testing.T) {
	m := newMortal(t)
	seen := map[string]bool{}
	for range 5 {
		for range 5 {
			answer, err := m.ess().DescribeScalingGroups(ess.CreateDescribeScalingGroupsRequest())
			require.NoError(t, err)
			require.False(t, seen[answer.RequestId])
			seen[answer.RequestId] = true
		}
		m.kill()
	}
}

func TestACallThatCannotBeKeptFailsAndDoesNothing(t *testing.T) {
	m := newMortal(t)
	before := m.stateText()
	require.NoError(t, m.file.Close()) // as good as a full disk
	_, err := m.scale("asg-spot", "TotalCapacity", "3")
	requireCode(t, err, 500, "InternalError")
	require.ErrorContains(t, m.sim.SetStock("cn-hangzhou-h", "ecs.c7.2xlarge", account.Spot, 0), "keep change SetStock")
	require.ErrorContains(t, m.sim.InjectFault(esssim.Fault{API: "*", Kind: esssim.FaultError}), "keep change InjectFault")
	require.ErrorContains(t, m.sim.ClearFaults(), "keep change ClearFaults")
	require.ErrorContains(t, m.sim.SetPermissions(esssim.Permissions{}), "keep change SetPermissions")
	assert.Equal(t, before, m.stateText())
	assert.Len(t, m.groups(), len(m.cfg.ScalingGroups), "it can still be read")
}

// past is a history of another program.
type past struct{ changes []account.Change }

func (p past) Begun() time.Time          { return start }
func (p past) Past() []account.Change    { return p.changes }
func (p past) Keep(account.Change) error { return errors.New("not kept") }

func TestAHistoryThatCannotBeDoneAgainIsAnError(t *testing.T) {
	cfg, err := esssim.Load("testdata/account.yaml")
	require.NoError(t, err)
	for says, c := range map[string]account.Change{
		`change 1: "Paint" is unknown`:     {Do: "Paint"},
		"change 1: decode change Strike":   {Do: "Strike", With: json.RawMessage(`[]`)},
		"change 1: decode change SetStock": {Do: "SetStock", With: json.RawMessage(`[]`)},
		"keep change Start: not kept":      {Do: "Start"},
	} {
		_, err := esssim.New(esssim.Options{Config: cfg, Clock: clocktesting.NewFakePassiveClock(start), Seed: 1, History: past{[]account.Change{c}}})
		assert.ErrorContains(t, err, says)
	}
}
