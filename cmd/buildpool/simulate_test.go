package main

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/simulations/report"
	"github.com/buildpool/buildpool/simulations/scenarios"
)

var rewrite = flag.Bool("rewrite-simulations", false, "write the golden transcripts of the scenarios anew")

// simulated runs the command and returns what it printed.
func simulated(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var w world
	code = run(t.Context(), w.environment(), append([]string{"simulate"}, args...))
	return w.stdout.String(), w.stderr.String(), code
}

// TestScenariosGiveTheirTranscripts: a transcript changes only with a rule of the engine
// or an assumption, and the change says which.
func TestScenariosGiveTheirTranscripts(t *testing.T) {
	for _, s := range scenarios.All() {
		t.Run(s.Name, func(t *testing.T) {
			got, stderr, code := simulated(t, "--scenario", s.Name)
			require.Zero(t, code, stderr)
			golden := filepath.Join("testdata", "simulate", s.Name+".txt")
			if *rewrite {
				require.NoError(t, os.MkdirAll(filepath.Dir(golden), 0o755))
				require.NoError(t, os.WriteFile(golden, []byte(got), 0o644))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err)
			assert.Equal(t, string(want), got)
		})
	}
}

const nodeGroupsForSimulation = `
apiVersion: buildpool/v1alpha1
kind: NodeGroups
region: cn-hangzhou
groups:
  - {name: builds-normal, class: normal, scalingGroup: {id: asg-normal}, max: 20}
`

func written(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func TestSimulateATraceWithFactsOfAnAccount(t *testing.T) {
	cfg := written(t, "nodegroups.yaml", nodeGroupsForSimulation)
	trace := written(t, "builds.csv", "arrival,duration,cpu,memory,class\n0,600,2,4Gi,normal\n30,300,2,4Gi,normal\n")
	manifest := written(t, "autoscaler.yaml", `
apiVersion: apps/v1
kind: Deployment
spec: {template: {spec: {containers: [{name: cluster-autoscaler, args: [--scan-interval=20s, --v=4]}]}}}
`)
	got, stderr, code := simulated(t, "--config", cfg, "--account", "embedded", "--trace", trace,
		"--ca-flags-from", manifest, "--ca-flag=--scale-down-unneeded-time=2m", "--ca-flag=--frequent-loops-enabled=false")
	require.Zero(t, code, stderr)
	assert.Contains(t, stderr, "--v changes nothing of a simulation and is ignored")
	assert.Contains(t, got, "2 builds")
	assert.Contains(t, got, "builds-normal")
	again, _, _ := simulated(t, "--config", cfg, "--account", "embedded", "--trace", trace,
		"--ca-flags-from", manifest, "--ca-flag=--scale-down-unneeded-time=2m", "--ca-flag=--frequent-loops-enabled=false")
	assert.Equal(t, got, again, "the same command gives the same bytes")
}

// TestSimulateKnowsOfAnAccountThatItsInstancesAreStopped: a group of the recycle policy
// starts what it has stopped, which takes the account's start and not its create.
func TestSimulateKnowsOfAnAccountThatItsInstancesAreStopped(t *testing.T) {
	embedded, err := os.ReadFile("embedded/account.yaml")
	require.NoError(t, err)
	text := strings.Replace(string(embedded), "create: 20s,", "create: 20s, start: 5s,", 1)
	text = strings.Replace(text, "scalingPolicy: release", "scalingPolicy: recycle", 1)
	cfg := written(t, "nodegroups.yaml", nodeGroupsForSimulation)
	// An hour lies between the two builds, in which the first one's node is removed.
	trace := written(t, "builds.csv", "arrival,duration,cpu,memory,class\n0,60,2,4Gi,normal\n3600,60,2,4Gi,normal\n")
	waits := func(account string) (max, p50 float64) {
		got, stderr, code := simulated(t, "--config", cfg, "--account", account, "--trace", trace, "--json")
		require.Zero(t, code, stderr)
		r, err := report.Read(strings.NewReader(got))
		require.NoError(t, err)
		return r.Waits.Max, r.Waits.P50
	}
	releasedMax, releasedLeast := waits(written(t, "released.yaml", string(embedded)))
	stoppedMax, stoppedLeast := waits(written(t, "stopped.yaml", text))
	assert.InDelta(t, releasedMax, stoppedMax, 10, "the first instance is new either way")
	assert.InDelta(t, releasedLeast-15, stoppedLeast, 10, "the second is started in 5 s and not made in 20")
}

func TestSimulateSaysWhatIsMissing(t *testing.T) {
	cfg := written(t, "nodegroups.yaml", nodeGroupsForSimulation)
	bad := written(t, "assumptions.yaml", "apiVersion: buildpool/v1alpha1\nkind: Simulation\nscheduler: Least\ngroups:\n  - {name: builds-normal, cpu: 4}\n")
	slip := written(t, "slip.yaml", "apiVersion: buildpool/v1alpha1\nkind: Simulation\ngroups:\n  - {name: builds-norma, cpus: 4, memoryGiB: 8}\n")
	for name, test := range map[string]struct {
		args []string
		want []string
	}{
		"no groups":          {[]string{"--profile", "afternoon"}, []string{"which node groups?"}},
		"no builds":          {[]string{"--config", cfg}, []string{"which builds?"}},
		"two kinds":          {[]string{"--config", cfg, "--trace", "a.csv", "--profile", "afternoon"}, []string{"use one of them"}},
		"unknown scenario":   {[]string{"--scenario", "morning"}, []string{`unknown scenario "morning"`, "afternoon"}},
		"unknown type":       {[]string{"--config", cfg, "--profile", "afternoon"}, []string{`group "builds-normal": nobody says what its nodes are`}},
		"all that is wrong":  {[]string{"--config", cfg, "--assume", bad, "--profile", "afternoon"}, []string{"3:12: scheduler", `5:27: groups[0].cpu: unknown key; did you mean "cpus"?`}},
		"a group that is no": {[]string{"--config", cfg, "--assume", slip, "--profile", "afternoon"}, []string{`groups[0]: no node-group file has a group "builds-norma"`}},
		"a flag's value":     {[]string{"--config", cfg, "--profile", "afternoon", "--ca-flag=--scan-interval=soon"}, []string{`--scan-interval: "soon" is no duration`}},
	} {
		t.Run(name, func(t *testing.T) {
			_, stderr, code := simulated(t, test.args...)
			assert.Equal(t, 1, code)
			for _, want := range test.want {
				assert.Contains(t, stderr, want)
			}
		})
	}
}

// TestBuildsThatFitNoNodeAreTold: of such builds no setting brings the waits down, which
// whoever reads the figures must not have to find out.
func TestBuildsThatFitNoNodeAreTold(t *testing.T) {
	cfg := written(t, "nodegroups.yaml", nodeGroupsForSimulation)
	trace := written(t, "builds.csv", `arrival,duration,cpu,memory,class,job,labels
0,60,2,4Gi,normal,unit,
1,60,64,4Gi,normal,link,
2,60,64,4Gi,normal,package,
3,60,2,4Gi,windows|macos,unit,disk=fast
`)
	args := []string{"--config", cfg, "--account", "embedded", "--trace", trace}
	_, stderr, code := simulated(t, args...)
	require.Zero(t, code, stderr)
	assert.Regexp(t, `warning: 2 builds of link, package can never start: they ask for 64 cpu and 4Gi memory, and of what kubelet leaves of a node builds-normal has \d+m cpu and \d+Mi memory; ask for less`, stderr)
	assert.Contains(t, stderr, "warning: 1 build of unit can never start: they ask for class macos or windows, label disk=fast, which no node group has; mend")
	_, of, code := recommended(t, append(args, "--slo", "p95<2m", "--settings", "1")...)
	require.Zero(t, code, of)
	assert.Contains(t, of, "2 builds of link, package can never start")
}
