package ess

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func same(s string) string { return s }

// list is a list that something may change before each read of a page.
type list struct {
	items  []string
	reads  int
	before func(l *list, read int)
}

func (l *list) page(size int) func(int) (page[string], error) {
	return func(number int) (page[string], error) {
		if l.before != nil {
			l.before(l, l.reads)
		}
		l.reads++
		from := min(len(l.items), (number-1)*size)
		return page[string]{slices.Clone(l.items[from:min(len(l.items), from+size)]), len(l.items)}, nil
	}
}

func numbered(n int) (items []string) {
	for i := range n {
		items = append(items, fmt.Sprintf("i-%03d", i))
	}
	return items
}

func TestReadAllAtTheLimits(t *testing.T) {
	for n, reads := range map[int]int{0: 1, 1: 1, 9: 1, 10: 1, 11: 2, 20: 2, 21: 3} {
		l := &list{items: numbered(n)}
		got, err := readAll(10, same, l.page(10))
		require.NoError(t, err)
		assert.Equal(t, numbered(n), append([]string(nil), got...))
		assert.Equal(t, reads, l.reads, "%d items", n)
	}
}

func TestReadAllOverDrift(t *testing.T) {
	for name, test := range map[string]struct {
		before func(l *list, read int)
		want   []string
		reads  int
	}{
		"one goes, and another slips over the boundary": {func(l *list, read int) {
			if read == 1 {
				l.items = l.items[1:]
			}
		}, numbered(25)[1:], 2 + 3},
		"one comes at the end": {func(l *list, read int) {
			if read == 2 {
				l.items = append(l.items, "i-new")
			}
		}, append(numbered(25), "i-new"), 3 + 3},
		"one comes at the start, and another is seen twice": {func(l *list, read int) {
			if read == 1 {
				l.items = append([]string{"i-0"}, l.items...)
			}
		}, append([]string{"i-0"}, numbered(25)...), 2 + 3},
	} {
		t.Run(name, func(t *testing.T) {
			l := &list{items: numbered(25), before: test.before}
			got, err := readAll(10, same, l.page(10))
			require.NoError(t, err)
			assert.Equal(t, test.want, got)
			assert.Equal(t, test.reads, l.reads)
		})
	}
}

// TestReadAllOfAListThatNeverHoldsStill: as long as one pass is left undisturbed the
// list is read as it is, and in any case in a bounded number of reads.
func TestReadAllOfAListThatNeverHoldsStill(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.IntRange(1, 7).Draw(t, "size")
		l := &list{items: numbered(rapid.IntRange(0, 40).Draw(t, "length"))}
		gone := map[string]bool{}
		start := slices.Clone(l.items)
		l.before = func(l *list, read int) {
			if len(l.items) > 0 && rapid.IntRange(0, 9).Draw(t, "goes") == 0 {
				at := rapid.IntRange(0, len(l.items)-1).Draw(t, "which")
				gone[l.items[at]] = true
				l.items = slices.Delete(slices.Clone(l.items), at, at+1)
			}
		}
		got, err := readAll(size, same, l.page(size))
		require.NoError(t, err)
		require.True(t, slices.IsSorted(got))
		require.Len(t, slices.Compact(slices.Clone(got)), len(got))
		require.LessOrEqual(t, l.reads, passes*(len(start)/size+1))
		if len(gone) < passes {
			require.Equal(t, append([]string{}, l.items...), append([]string{}, got...))
		}
		for _, id := range got {
			require.Contains(t, start, id)
		}
	})
}

func TestReadAllFailsWithItsPage(t *testing.T) {
	broken := errors.New("broken")
	l := &list{items: numbered(25)}
	_, err := readAll(10, same, func(number int) (page[string], error) {
		if number == 2 {
			return page[string]{}, broken
		}
		return l.page(10)(number)
	})
	require.ErrorIs(t, err, broken)
	assert.ErrorContains(t, err, "page 2")
}

func TestReadAllDoesNotTrustTheLength(t *testing.T) {
	reads := 0
	got, err := readAll(10, same, func(number int) (page[string], error) {
		reads++
		return page[string]{total: 1000}, nil
	})
	require.NoError(t, err)
	assert.Empty(t, got)
	assert.Equal(t, passes, reads)
}
