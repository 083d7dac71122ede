package recommend

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/nodegroups/config"
	"github.com/buildpool/buildpool/simulations/engine"
)

var rewrite = flag.Bool("rewrite", false, "write the golden outcome anew")

func smallOptions(workers int, slos ...string) Options {
	o := Options{Settings: 60, Seeds: 2, Weeks: 3, Workers: workers}
	for _, text := range slos {
		s, err := ParseSLO(text)
		if err != nil {
			panic(err)
		}
		o.SLOs = append(o.SLOs, s)
	}
	return o
}

func smallSettings() engine.Settings {
	return settingsOf(workingDays(7), groupOf("normal", config.ClassNormal, 1), groupOf("spot", config.ClassSpot, 0.2))
}

func searched(t *testing.T, settings engine.Settings, o Options) Outcome {
	t.Helper()
	s, err := New(settings, o)
	require.NoError(t, err)
	outcome, err := s.Run(t.Context())
	require.NoError(t, err)
	return outcome
}

func formsOf(t *testing.T, o Outcome) string {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, WriteJSON(&out, o))
	require.NoError(t, WriteText(&out, o))
	return out.String()
}

func TestOutcomeDoesNotDependOnTheWorkers(t *testing.T) {
	one := formsOf(t, searched(t, smallSettings(), smallOptions(1, "p95<60s")))
	four := formsOf(t, searched(t, smallSettings(), smallOptions(4, "p95<60s")))
	assert.Equal(t, one, four)
}

func TestShardsMergeToTheWhole(t *testing.T) {
	whole := formsOf(t, searched(t, smallSettings(), smallOptions(2, "p95<60s")))
	var shards []Shard
	for i := range 3 {
		s, err := New(smallSettings(), smallOptions(1+i, "p95<60s"))
		require.NoError(t, err)
		shard, err := s.RunShard(t.Context(), i, 3)
		require.NoError(t, err)
		var file bytes.Buffer
		require.NoError(t, WriteShard(&file, shard))
		shard, err = ReadShard(&file)
		require.NoError(t, err)
		shards = append(shards, shard)
	}
	merge := func(settings engine.Settings, o Options, shards ...Shard) (Outcome, error) {
		s, err := New(settings, o)
		require.NoError(t, err)
		return s.Merge(t.Context(), shards)
	}
	merged, err := merge(smallSettings(), smallOptions(4, "p95<60s"), shards[2], shards[0], shards[1])
	require.NoError(t, err)
	assert.Equal(t, whole, formsOf(t, merged))

	_, err = merge(smallSettings(), smallOptions(1, "p95<60s"), shards[:2]...)
	require.ErrorIs(t, err, ErrShard)
	assert.ErrorContains(t, err, "settings are in no file")
	_, err = merge(smallSettings(), smallOptions(1, "p95<61s"), shards...)
	assert.ErrorIs(t, err, ErrShard, "another service level")
	other := smallSettings()
	other.Trace.Builds[3].Duration++
	_, err = merge(other, smallOptions(1, "p95<60s"), shards...)
	assert.ErrorIs(t, err, ErrShard, "other builds")
	_, err = ReadShard(strings.NewReader(`{"kind":"Report"}`))
	assert.ErrorIs(t, err, ErrShard)
}

// TestGoldenOutcome changes only with a rule of the engine or of the search, and the
// change says which.
func TestGoldenOutcome(t *testing.T) {
	var got bytes.Buffer
	o := smallOptions(2, "p95<90s", "mean<=5m")
	var err error
	o.Budget, err = ParseBudget("1000/week")
	require.NoError(t, err)
	require.NoError(t, WriteText(&got, searched(t, smallSettings(), o)))
	golden := filepath.Join("testdata", "small.txt")
	if *rewrite {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(golden, got.Bytes(), 0o644))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	assert.Equal(t, string(want), got.String())
}

// TestRecommendedSettingKeepsWhatItPromises plays the recommendation by itself, and
// looks for one in all that was tried that would have been better.
func TestRecommendedSettingKeepsWhatItPromises(t *testing.T) {
	o := smallOptions(2, "p95<90s")
	outcome := searched(t, smallSettings(), o)
	require.True(t, outcome.Reached)
	settings := outcome.Recommended.Setting.apply(smallSettings())
	result, err := engine.Run(t.Context(), settings, nil)
	require.NoError(t, err)
	assert.Equal(t, outcome.Recommended.Figures, figuresOf(settings, *result, o.SLOs))
	assert.True(t, outcome.Recommended.Figures.met(o.SLOs))
	for _, f := range outcome.Finalists {
		if f.Figures.Cost < outcome.Recommended.Figures.Cost {
			assert.Less(t, f.share(), sure, "a cheaper finalist is as sure")
		}
	}
	assert.Equal(t, 0, outcome.Today.ID)
	assert.Equal(t, 20, outcome.Today.Setting.Groups[0].Max)
	assert.Len(t, outcome.Baselines, 4)
	for i, l := range outcome.Levels[1:] {
		if before := outcome.Levels[i].Cheapest; before != nil {
			assert.LessOrEqual(t, l.Cheapest.Figures.Cost, before.Figures.Cost, "a laxer level is no dearer")
		}
	}
}

func TestWhatCannotBeReachedIsSaid(t *testing.T) {
	o := smallOptions(2, "p95<1ms")
	o.Settings = 20
	outcome := searched(t, smallSettings(), o)
	assert.False(t, outcome.Reached)
	var text bytes.Buffer
	require.NoError(t, WriteText(&text, outcome))
	assert.Contains(t, text.String(), "No setting that was tried reaches it. The nearest:")
}

// TestGroupsWithoutBuildsStayAsTheyAre: a history without GPU builds says nothing of the
// GPU group.
func TestGroupsWithoutBuildsStayAsTheyAre(t *testing.T) {
	gpu := groupOf("gpu", config.ClassGPU, 9)
	gpu.Config.Min, gpu.Config.Max = 1, 4
	settings := smallSettings()
	settings.Groups = append(settings.Groups, gpu)
	s, err := New(settings, smallOptions(1, "p95<60s"))
	require.NoError(t, err)
	for _, c := range s.plan {
		assert.Equal(t, GroupSetting{Name: "gpu", Min: 1, Max: 4}, c.setting.Groups[2])
	}
}

// TestPasteReadyKeysAreRead puts the keys into a node-group file and reads it.
func TestPasteReadyKeysAreRead(t *testing.T) {
	outcome := searched(t, smallSettings(), smallOptions(2, "p95<30s"))
	text := outcome.NodeGroups
	for _, class := range []string{"normal", "spot"} {
		text = strings.Replace(text, "name: "+class+"\n", "name: "+class+"\n    class: "+class+"\n    scalingGroup: {id: asg-"+class+"}\n", 1)
	}
	cfg, err := config.Parse("nodegroups.yaml", []byte("apiVersion: buildpool/v1alpha1\nkind: NodeGroups\nregion: cn-hangzhou\n"+text))
	require.NoError(t, err)
	warm := 0
	for i, g := range outcome.Recommended.Setting.Groups {
		assert.Equal(t, g.Min, cfg.Groups[i].Min)
		assert.Equal(t, g.Max, cfg.Groups[i].Max)
		require.Len(t, cfg.Groups[i].Schedules, len(g.Schedules))
		for k, w := range g.Schedules {
			warm++
			assert.Equal(t, w, cfg.Groups[i].Schedules[k])
		}
	}
	assert.Positive(t, warm, "the outcome has windows to read")
}

func TestCutShort(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	o := smallOptions(1, "p95<60s")
	o.Progress = func(done, _ int) {
		if done == 7 {
			cancel()
		}
	}
	s, err := New(smallSettings(), o)
	require.NoError(t, err)
	outcome, err := s.Run(ctx)
	require.NoError(t, err)
	assert.True(t, outcome.Interrupted)
	assert.Equal(t, 7, outcome.Tried)
	assert.NotEmpty(t, outcome.Front)

	s, err = New(smallSettings(), o)
	require.NoError(t, err)
	_, err = s.Run(ctx)
	assert.ErrorIs(t, err, context.Canceled, "nothing was done")
}

func TestSearchesThatCannotBegin(t *testing.T) {
	empty := smallSettings()
	empty.Trace.Builds = nil
	_, err := New(empty, smallOptions(1, "p95<60s"))
	assert.ErrorContains(t, err, "no builds")
	_, err = New(smallSettings(), smallOptions(1))
	assert.ErrorContains(t, err, "no service level")
	_, err = New(smallSettings(), smallOptions(1, "p95<60s", "gpu:p95<5m"))
	require.ErrorIs(t, err, ErrSLO)
	assert.ErrorContains(t, err, `gpu:p95<5m: the trace has no build of class "gpu"; its classes are normal`)
	o := smallOptions(1, "p95<60s")
	o.Settings = 0
	_, err = New(smallSettings(), o)
	assert.ErrorContains(t, err, "0 settings")
	s, err := New(smallSettings(), smallOptions(1, "p95<60s"))
	require.NoError(t, err)
	_, err = s.RunShard(t.Context(), 3, 3)
	assert.ErrorContains(t, err, "want one from 0 to 2")
}

func TestNoSettingIsTriedTwice(t *testing.T) {
	s, err := New(smallSettings(), smallOptions(1, "p95<60s"))
	require.NoError(t, err)
	var keys []string
	for _, c := range s.plan {
		keys = append(keys, c.setting.key())
	}
	all := len(keys)
	slices.Sort(keys)
	assert.Len(t, slices.Compact(keys), all)
	for _, p := range s.space.neighbours(*s.plan[5].at) {
		assert.NotEqual(t, fmt.Sprint(s.plan[5].at.groups, s.plan[5].at), fmt.Sprint(p.groups, &p))
	}
}
