package nodegroups_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWhenAnInstanceWasAskedFor(t *testing.T) {
	play(t, []groupSpec{{name: "normal", max: 10}}, func(w *world) {
		first := now()
		one := instanceOf(w.grow("normal", 1)[0])
		w.after(time.Hour)
		second := now()
		require.NoError(w.t, w.IncreaseSize(w.t.Context(), "normal", 1))
		w.after(time.Minute)
		b, ok := w.BirthOf(one)
		require.True(w.t, ok)
		assert.Equal(w.t, "normal", b.Group)
		assert.Equal(w.t, first, b.Asked)
		assert.WithinDuration(w.t, first, b.Created, 25*time.Second)
		for _, id := range w.listed("normal", 1) {
			if b, ok = w.BirthOf(instanceOf(id)); ok && instanceOf(id) != one {
				assert.Equal(w.t, second, b.Asked)
			}
		}
		_, ok = w.BirthOf("i-foreign")
		assert.False(w.t, ok)

		w.restart()
		_, ok = w.BirthOf(one)
		assert.False(w.t, ok, "nothing has been read yet")
		require.NoError(w.t, w.Refresh(w.t.Context()))
		b, ok = w.BirthOf(one)
		require.True(w.t, ok)
		assert.True(w.t, b.Asked.IsZero(), "before our start")
	})
}

func instanceOf(providerID string) string {
	_, id, _ := strings.Cut(providerID, ".")
	return id
}
