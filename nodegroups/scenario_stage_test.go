package nodegroups_test

import (
	"bytes"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/utils/clock"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/ess"
	"github.com/buildpool/buildpool/ess/esssim"
	"github.com/buildpool/buildpool/nodegroups"
	"github.com/buildpool/buildpool/nodegroups/config"
)

// stage is where a scenario is played: an account, one or more providers on it, and
// what has been seen of them.
type stage struct {
	t        *testing.T
	connect  connector
	declared []stagedGroup
	machines []string // of no group
	account  *esssim.Simulator
	actors   map[string]*actor
	aliases  aliases
	cluster  *stagedCluster // nil: the providers see no cluster
	log      *eventLog
	tokens   atomic.Int64
	// spelling is how the cluster's nodes spell provider IDs.
	spelling cloudprovider.ProviderIDForm
	// seenCalls is how many calls of the account's transcript have been told.
	seenCalls int
}

// actor is one running provider and who calls it.
type actor struct {
	provider *nodegroups.Provider
	caller   caller
	line     *line
}

// line is a provider's way to the account; a killed provider's is cut.
type line struct {
	next http.RoundTripper
	dead atomic.Bool
}

func (l *line) RoundTrip(r *http.Request) (*http.Response, error) {
	if l.dead.Load() {
		return nil, fmt.Errorf("this provider was killed")
	}
	return l.next.RoundTrip(r)
}

func newStage(t *testing.T, connect connector) *stage {
	return &stage{t: t, connect: connect, actors: map[string]*actor{}, aliases: newAliases(), log: &eventLog{}, spelling: cloudprovider.FormDot}
}

// firstActor is the provider that a command without another name speaks to.
const firstActor = "a"

func (s *stage) close() {
	for name := range s.actors {
		s.kill(name)
	}
}

// kill ends a provider as kill -9 would: what it was doing reaches nobody any more.
func (s *stage) kill(name string) {
	a := s.actors[name]
	if a == nil {
		return
	}
	a.line.dead.Store(true)
	a.caller.hangUp()
	a.provider.Close()
	delete(s.actors, name)
	synctest.Wait()
}

// start makes a provider that remembers nothing.
func (s *stage) start(name string) {
	s.t.Helper()
	if s.account == nil {
		s.open()
	}
	l := &line{next: s.account.Transport()}
	settings := nodegroups.Settings{
		Cloud: s.cloud(l), Cluster: s.seen(), Clock: clock.RealClock{}, Log: s.log.logger(),
		NewToken: func() string { return fmt.Sprintf("token-%d", s.tokens.Add(1)) },
	}
	if s.cluster != nil {
		settings.NodeReopener = s.cluster
	}
	p, err := nodegroups.New(s.configuration(), settings)
	require.NoError(s.t, err)
	s.actors[name] = &actor{provider: p, caller: s.connect(s.t, p), line: l}
}

func (s *stage) cloud(transport http.RoundTripper) cloudprovider.Cloud {
	cloud, err := ess.New(ess.Options{
		Region:      "cn-hangzhou",
		Credentials: ess.StaticCredentials("sim-access-key", "sim-secret", ""),
		Endpoint:    "http://127.0.0.1:1",
		Transport:   transport,
		Clock:       clock.RealClock{}, // the bubble's
		Jitter:      func() float64 { return 0.5 },
	})
	require.NoError(s.t, err)
	return cloud
}

// open makes the account of the groups declared so far.
func (s *stage) open() {
	var file bytes.Buffer
	file.WriteString(accountFile)
	made := map[string]bool{}
	for _, g := range s.declared {
		if id := g.set("account", g.name); !made[id] && id != "none" {
			made[id] = true
			file.WriteString(g.account(id))
		}
	}
	for n, id := range s.machines {
		if n == 0 {
			file.WriteString("machines:\n")
		}
		fmt.Fprintf(&file, "  - {id: %s, type: ecs.c7.2xlarge, vSwitchId: vsw-h}\n", id)
	}
	cfg, err := esssim.Parse("account.yaml", file.Bytes())
	require.NoError(s.t, err)
	s.account, err = esssim.New(esssim.Options{Config: cfg, Clock: clock.RealClock{}, Seed: 1})
	require.NoError(s.t, err)
}

func (s *stage) configuration() config.Config {
	file := "apiVersion: buildpool/v1alpha1\nkind: NodeGroups\nregion: cn-hangzhou\n"
	if s.cluster != nil && len(s.cluster.settings) > 0 {
		file += "lastLook: {" + strings.Join(s.cluster.settings, ", ") + "}\n"
	}
	for _, g := range s.declared {
		if g.set("protection", "") != "" {
			file += "instanceProtection: {enabled: true}\n"
		}
		if mode := g.set("schedule-mode", ""); mode != "" {
			file += "schedule: {mode: " + mode + "}\n"
		}
	}
	file += "groups:\n"
	for _, g := range s.declared {
		if !g.removed {
			file += g.config()
		}
	}
	cfg, err := config.Parse("nodegroups.yaml", []byte(file))
	require.NoError(s.t, err)
	return cfg
}

// stagedGroup is a group that a scenario declared with "group NAME key=value …".
type stagedGroup struct {
	name     string
	settings map[string]string
	removed  bool // from the configuration
}

func (g stagedGroup) set(key, standard string) string {
	if v, ok := g.settings[key]; ok {
		return v
	}
	return standard
}

// account is the group's part of the account file.
func (g stagedGroup) account(id string) string {
	strategy := "NoSpot"
	if g.set("class", "normal") == "spot" {
		strategy = "SpotAsPriceGo"
	}
	text := fmt.Sprintf(`
  - id: asg-%[1]s
    name: builds-%[1]s
    min: %[2]s
    max: %[3]s
    inService: %[4]s
    expectedNumberMode: %[5]t
    lifecycle: %[6]s
    suspended: [%[7]s]
    scalingPolicy: %[8]s
    vSwitchIds: [vsw-h]
    tags: {buildpool: %[1]s}
`, id, g.set("account-min", "0"), g.set("account-max", g.set("max", "10")), g.set("have", "0"),
		g.set("mode", "expected") == "expected", g.set("lifecycle", "Active"), g.set("suspended", ""), g.set("policy", "release"))
	if g.set("launch", "configuration") == "none" {
		return text
	}
	return text + fmt.Sprintf("    scalingConfiguration: {id: asc-%s, instanceTypes: [%s], spotStrategy: %s, systemDiskGiB: 120}\n",
		id, g.set("type", "ecs.c7.2xlarge"), strategy)
}

// config is the group's part of the node-group file.
func (g stagedGroup) config() string {
	group := "id: asg-" + g.set("account", g.name)
	if tags := g.set("tags", ""); tags != "" {
		group = "tags: {buildpool: " + tags + "}"
	}
	text := fmt.Sprintf("  - {name: %s, class: %s, scalingGroup: {%s}, min: %s, max: %s", g.name, g.set("class", "normal"), group, g.set("min", "0"), g.set("max", "10"))
	if unneeded := g.set("unneeded", ""); unneeded != "" {
		text += fmt.Sprintf(", options: {scaleDownUnneededTime: %s, allowWithCA135: true}", unneeded)
	}
	if timers := g.set("cooldown", ""); timers != "" {
		text += ", cooldown: {" + strings.NewReplacer(":", ": ", ",", ", ").Replace(timers) + "}"
	}
	if notice := g.set("notice", ""); notice != "" {
		text += ", spot: {onReclaimNotice: " + notice + "}"
	}
	return text + g.windows() + "}\n"
}

// windows are the group's warm windows: window=00:10/20m/3 opens at ten past midnight
// for 20 minutes and keeps three nodes; a + stands between several. zone is whose clock.
func (g stagedGroup) windows() string {
	var windows []string
	for window := range strings.SplitSeq(g.set("window", ""), "+") {
		if window == "" {
			continue
		}
		parts := strings.Split(window, "/")
		hour, minute, _ := strings.Cut(parts[0], ":")
		windows = append(windows, fmt.Sprintf("{cron: '%s %s * * *', duration: %s, min: %s, lead: %s, timeZone: %s}",
			minute, hour, parts[1], parts[2], g.set("lead", "0s"), g.set("zone", "UTC")))
	}
	if len(windows) == 0 {
		return ""
	}
	return ", schedules: [" + strings.Join(windows, ", ") + "]"
}

// perform does what one command says and returns the transcript of it.
func (s *stage) perform(command string) []string {
	s.t.Helper()
	plain, settings := words(command)
	name := firstActor
	if len(plain) > 1 && len(plain[0]) == 1 {
		name, plain = plain[0], plain[1:]
	}
	do := commands[plain[0]]
	require.NotNil(s.t, do, "unknown command %q", command)
	began := clock.RealClock{}.Now()
	answer := do(s, order{actor: s.actors[name], name: name, words: plain[1:], settings: settings})
	synctest.Wait()
	took := clock.RealClock{}.Since(began)
	if s.account == nil {
		return answer
	}
	s.aliases.learn(s.account.State())
	lines := append(answer, s.newCalls()...)
	lines = append(lines, s.log.take(&s.aliases)...)
	if took >= time.Second && plain[0] != "pass" && settings["killed"] == "" {
		lines = append(lines, "took "+took.Round(100*time.Millisecond).String())
	}
	for n, line := range lines {
		lines[n] = s.aliases.replace(strings.TrimRight(line, " "))
	}
	return lines
}

// order is a command, taken apart.
type order struct {
	actor    *actor
	name     string
	words    []string
	settings map[string]string
}

func (o order) word(t *testing.T, n int) string {
	require.Greater(t, len(o.words), n, "word %d of %v", n+1, o.words)
	return o.words[n]
}

func (o order) number(t *testing.T, n int) int {
	value, err := strconv.Atoi(o.word(t, n))
	require.NoError(t, err)
	return value
}

func (o order) duration(t *testing.T, key string, standard time.Duration) time.Duration {
	text, ok := o.settings[key]
	if !ok {
		return standard
	}
	d, err := time.ParseDuration(text)
	require.NoError(t, err)
	return d
}

func (o order) integer(t *testing.T, key string) *int {
	text, ok := o.settings[key]
	if !ok {
		return nil
	}
	n, err := strconv.Atoi(text)
	require.NoError(t, err)
	return &n
}
