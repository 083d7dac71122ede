package main

import (
	"bytes"
	"encoding/json"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/utils/clock"

	"github.com/buildpool/buildpool/ess/esssim"
	"github.com/buildpool/buildpool/nodegroups/config"
)

const groupHeader = "apiVersion: buildpool/v1alpha1\nkind: NodeGroups\nregion: cn-hangzhou\naccount: {credentials: environment}\ngroups:\n"

// validate runs the command with a file of each text, in a directory of their own,
// and returns what it printed, file names without the directory.
func validate(t *testing.T, args []string, texts ...string) (string, error) {
	t.Helper()
	dir := t.TempDir()
	args = append([]string{}, args...) // never nil: cobra would take the test's own
	for i, text := range texts {
		path := filepath.Join(dir, string(rune('a'+i))+".yaml")
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		args = append(args, path)
	}
	var out bytes.Buffer
	variables := map[string]string{
		"ALIBABA_CLOUD_ACCESS_KEY_ID":     "sim-access-key",
		"ALIBABA_CLOUD_ACCESS_KEY_SECRET": "sim-secret",
	}
	cmd := newValidateCommand(environment{
		stdout: &out, stderr: &out, clock: clock.RealClock{},
		getenv: func(name string) string { return variables[name] },
	})
	cmd.SetArgs(args)
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	err := cmd.ExecuteContext(t.Context())
	return strings.ReplaceAll(out.String(), dir+string(filepath.Separator), ""), err
}

const goodGroup = groupHeader + "- {name: n, class: normal, max: 4, scalingGroup: {id: asg-n}}\n"

func TestValidateGoodFiles(t *testing.T) {
	two := goodGroup + "- {name: m, class: normal, max: 4, scalingGroup: {id: asg-m}}\n"
	out, err := validate(t, nil, goodGroup, two)
	require.NoError(t, err)
	assert.Equal(t, "a.yaml: OK (1 group)\nb.yaml: OK (2 groups)\n", out)
}

func TestValidateGoodFilesAsJSON(t *testing.T) {
	out, err := validate(t, []string{"-o", "json"}, goodGroup)
	require.NoError(t, err)
	assert.Equal(t, "[]\n", out)
}

func TestValidateReportsEveryFile(t *testing.T) {
	bad := groupHeader + "- {name: n, class: big, max: -1, scalingGroup: {id: asg-n}}\n"
	out, err := validate(t, nil, bad, goodGroup, "")
	require.EqualError(t, err, "3 errors in 2 of 3 files")
	assert.Equal(t, `a.yaml:6:20: groups[0].class: unknown value "big"; use one of normal, gpu, spot
a.yaml:6:30: groups[0].max: max -1 is negative; write 0 or more
b.yaml: OK (1 group)
c.yaml:1:1: the file is empty; start with "apiVersion: buildpool/v1alpha1" and "kind: NodeGroups"
`, out)
}

// The keys of the JSON are a promise: each object has all of them, in this order.
func TestValidateJSON(t *testing.T) {
	bad := groupHeader + "- {name: n, class: normal, max: -1, scalingGroup: {id: asg-n}}\n"
	out, err := validate(t, []string{"--output=json"}, bad)
	require.EqualError(t, err, "1 error in 1 of 1 file")
	assert.Equal(t, `[
  {
    "file": "a.yaml",
    "line": 6,
    "column": 33,
    "severity": "error",
    "group": "",
    "field": "groups[0].max",
    "message": "max -1 is negative",
    "fix": "write 0 or more"
  }
]
`, out)
}

// A warning of the file itself needs no account, and is no failure.
func TestValidateWarnsOfOptions(t *testing.T) {
	warned := groupHeader + "- {name: n, class: normal, max: 4, scalingGroup: {id: asg-n}, options: {scaleDownUnneededTime: 3m}}\n"
	out, err := validate(t, nil, warned)
	require.NoError(t, err)
	lines := strings.Split(out, "\n")
	require.Len(t, lines, 3)
	assert.True(t, strings.HasPrefix(lines[0], "a.yaml:6:72: warning: groups[0].options: "), lines[0])
	assert.Contains(t, lines[0], "autoscaler#10245")
	assert.Contains(t, lines[0], "allowWithCA135: true")
	assert.Equal(t, "a.yaml: OK (1 group, 1 warning)", lines[1])

	out, err = validate(t, []string{"-o", "json"}, warned)
	require.NoError(t, err)
	var complaints []complaint
	require.NoError(t, json.Unmarshal([]byte(out), &complaints))
	require.Len(t, complaints, 1)
	assert.Equal(t, config.SeverityWarning, complaints[0].Severity)
	assert.Equal(t, "n", complaints[0].Group)
}

func TestValidateGoesOnAfterAFileItCannotRead(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "none.yaml")
	out, err := validate(t, []string{missing}, goodGroup)
	require.EqualError(t, err, "1 error in 1 of 2 files")
	assert.Contains(t, out, missing+": open "+missing+": no such file or directory; check the path\n")
	assert.Contains(t, out, "a.yaml: OK (1 group)\n")
}

func TestValidateRefusesWrongFlags(t *testing.T) {
	_, err := validate(t, []string{"-o", "xml"}, goodGroup)
	require.EqualError(t, err, `unknown output "xml": use text or json`)
	_, err = validate(t, []string{"--ess-endpoint", "http://127.0.0.1:1"}, goodGroup)
	require.EqualError(t, err, "--ess-endpoint is only used with --live")
	_, err = validate(t, nil)
	require.ErrorContains(t, err, "requires at least 1 arg")
}

const comparedAccount = `
apiVersion: buildpool/v1alpha1
kind: Account
region: cn-hangzhou
accessKeys: [{id: sim-access-key, secret: sim-secret}]
vSwitches: [{id: vsw-h, zone: cn-hangzhou-h}]
instanceTypes:
  - {name: ecs.c7.xlarge, cpus: 4, memoryGiB: 8, arch: X86, enis: 4, ipsPerENI: 15, pricePerHour: 0.8154}
  - {name: ecs.c7.2xlarge, cpus: 8, memoryGiB: 16, arch: X86, enis: 4, ipsPerENI: 15, pricePerHour: 1.6308}
scalingGroups:
  - id: asg-n
    name: n
    min: 0
    max: 40
    expectedNumberMode: true
    lifecycle: Active
    vSwitchIds: [vsw-h]
    scalingConfiguration:
      id: asc-n
      instanceTypes: [ecs.c7.2xlarge]
      spotStrategy: NoSpot
      userData: KUBELET_EXTRA_ARGS="--node-labels=buildpool.io/class=normal"
  - id: asg-spot
    name: spot
    min: 2
    max: 40
    desired: 2
    expectedNumberMode: true
    lifecycle: Active
    vSwitchIds: [vsw-h]
    tags: {buildpool: spot}
    scalingConfiguration:
      id: asc-spot
      instanceTypes: [ecs.c7.2xlarge, ecs.c7.xlarge]
      spotStrategy: SpotAsPriceGo
      userData: KUBELET_EXTRA_ARGS="--node-labels=buildpool.io/class=spot --register-with-taints=spot=yes:NoSchedule"
`

// accountToCompare serves the account and returns its URL.
func accountToCompare(t *testing.T, text string) string {
	t.Helper()
	cfg, err := esssim.Parse("account.yaml", []byte(text))
	require.NoError(t, err)
	sim, err := esssim.New(esssim.Options{Config: cfg, Clock: clock.RealClock{}, Seed: 1})
	require.NoError(t, err)
	server := httptest.NewServer(sim)
	t.Cleanup(server.Close)
	return server.URL
}

func TestValidateLive(t *testing.T) {
	endpoint := "--ess-endpoint=" + accountToCompare(t, comparedAccount)
	out, err := validate(t, []string{"--live", endpoint}, goodGroup)
	require.NoError(t, err)
	assert.Equal(t, "a.yaml: OK (1 group)\n", out)

	differing := goodGroup + "- {name: s, class: spot, max: 41, scalingGroup: {tags: {buildpool: spot}}}\n- {name: x, class: spot, max: 1, scalingGroup: {id: asg-x}}\n"
	out, err = validate(t, []string{"--live", endpoint}, differing)
	require.EqualError(t, err, "4 errors in 1 of 1 file")
	lines := strings.Split(strings.TrimSpace(out), "\n")
	require.Len(t, lines, 5)
	assert.Contains(t, lines[0], "a.yaml:7:3: groups[1].min: scaling group asg-spot has min 2: the group can never shrink to 0; ")
	assert.Contains(t, lines[1], "a.yaml:7:31: groups[1].max: scaling group asg-spot has max 40: the group can never grow to 41; ")
	assert.Contains(t, lines[2], "groups[1].taints: nodes register with the taint spot=yes:NoSchedule by the user data of ")
	assert.Contains(t, lines[3], "a.yaml:7:3: warning: groups[1].template.instanceType: the group's instance types differ in size; the smallest, ecs.c7.xlarge, is the template; ")
	assert.Contains(t, lines[4], "a.yaml:8:53: groups[2].scalingGroup.id: there is no scaling group asg-x in cn-hangzhou; ")
}

func TestValidateLiveWithWarningsOnlyIsGood(t *testing.T) {
	file := groupHeader + "- {name: s, class: spot, min: 2, max: 40, scalingGroup: {id: asg-spot}, taints: [{key: spot, value: \"yes\", effect: NoSchedule}]}\n"
	args := []string{"--live", "--ess-endpoint=" + accountToCompare(t, comparedAccount)}
	out, err := validate(t, args, file)
	require.NoError(t, err)
	assert.True(t, strings.HasSuffix(out, "a.yaml: OK (1 group, 1 warning)\n"), out)

	out, err = validate(t, append(args, "-o", "json"), file)
	require.NoError(t, err)
	var complaints []complaint
	require.NoError(t, json.Unmarshal([]byte(out), &complaints))
	require.Len(t, complaints, 1)
	assert.Equal(t, config.SeverityWarning, complaints[0].Severity)
	assert.Equal(t, "s", complaints[0].Group)
}

// Advice is no warning: what it is about works.
func TestValidateLiveAdvises(t *testing.T) {
	joining := strings.Replace(comparedAccount, `userData: KUBELET_EXTRA_ARGS="--node-labels=buildpool.io/class=normal"`,
		`userData: "kubeadm join --node-labels=buildpool.io/class=normal"`, 1)
	args := []string{"--live", "--ess-endpoint=" + accountToCompare(t, joining)}
	out, err := validate(t, args, goodGroup)
	require.NoError(t, err)
	assert.Contains(t, out, "advice: groups[0].scalingGroup: scaling group asg-n releases what is removed from it")
	assert.True(t, strings.HasSuffix(out, "a.yaml: OK (1 group, 1 advice)\n"), out)
}

func TestValidateLiveWithoutAccess(t *testing.T) {
	sim := accountToCompare(t, strings.Replace(comparedAccount, "secret: sim-secret", "secret: another-secret", 1))
	out, err := validate(t, []string{"--live", "--ess-endpoint=" + sim}, goodGroup)
	require.EqualError(t, err, "1 error in 1 of 1 file")
	assert.Contains(t, out, "a.yaml: the account cannot be read: ")
	assert.NotContains(t, out, "sim-secret")
}

func TestSchemaCommandPrintsTheCommittedSchema(t *testing.T) {
	var out bytes.Buffer
	cmd := newSchemaCommand(environment{stdout: &out})
	cmd.SetArgs([]string{})
	require.NoError(t, cmd.Execute())
	committed, err := os.ReadFile("../../nodegroups/config/nodegroups.schema.json")
	require.NoError(t, err)
	assert.Equal(t, string(committed), out.String())
}
