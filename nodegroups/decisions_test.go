package nodegroups_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/cloudprovider"
)

// said are the decisions, oldest first.
func (w *world) said() []string {
	var out []string
	for _, d := range w.Decisions() {
		out = append([]string{d.Group + ": " + d.Text}, out...)
	}
	return out
}

func TestDecisionsAreToldInSentences(t *testing.T) {
	play(t, []groupSpec{{name: "normal", max: 10}}, func(w *world) {
		ids := w.grow("normal", 3)
		require.NoError(w.t, w.DeleteNodes(w.t.Context(), "normal", []cloudprovider.Node{node(ids[0])}))
		require.Error(w.t, w.IncreaseSize(w.t.Context(), "normal", 20))
		require.Error(w.t, w.IncreaseSize(w.t.Context(), "normal", 20))
		w.stock(0)
		require.NoError(w.t, w.IncreaseSize(w.t.Context(), "normal", 1))
		w.after(40 * time.Second)
		require.NoError(w.t, w.DeleteNodes(w.t.Context(), "normal", w.placeholders("normal")))
		w.stock(-1)
		w.after(time.Minute)
		require.NoError(w.t, setCapacity(w, "asg-normal", 4))
		w.after(time.Minute)
		assert.Equal(w.t, []string{
			"normal: asked for 3 more instances: target 3, it was 0",
			"normal: removed 1 instance: target 2, it was 3",
			`normal: not done: increase group "normal" by 20 to 22: above the group's max 10`,
			"normal: asked for 1 more instance: target 3, it was 2",
			"normal: 1 instance could not be created: OperationDenied.NoStock",
			"normal: gave up 1 instance that could not be created: target 2",
			"normal: the target follows the scaling group's number: 4, it was 2",
		}, w.said())
		assert.Equal(w.t, 2, w.Decisions()[4].Times, "it came twice in a row")
	})
}

// setCapacity is somebody else's change of a scaling group.
func setCapacity(w *world, group string, total int) error {
	_, err := w.cloud.SetCapacity(w.t.Context(), cloudprovider.SetCapacity{GroupID: group, Total: total, Token: "by-hand"})
	return err
}

func TestDecisionsAreForgotten(t *testing.T) {
	play(t, []groupSpec{{name: "normal", max: 10}}, func(w *world) {
		for n := range 300 {
			require.Error(w.t, w.IncreaseSize(w.t.Context(), "normal", 20+n))
		}
		said := w.said()
		require.Len(w.t, said, 100)
		assert.Contains(w.t, said[99], "by 319 to")
	})
}
