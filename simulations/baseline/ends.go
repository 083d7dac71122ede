package baseline

import (
	"container/heap"
	"time"
)

// ending is a build that runs until an instant.
type ending struct {
	at    time.Duration
	build int32
	node  int32
}

// endings are the running builds, the next to end first; builds that end at one
// instant do so in the order of the trace.
type endings []ending

func (e endings) Len() int { return len(e) }
func (e endings) Less(a, b int) bool {
	if e[a].at != e[b].at {
		return e[a].at < e[b].at
	}
	return e[a].build < e[b].build
}
func (e endings) Swap(a, b int) { e[a], e[b] = e[b], e[a] }

// Push is heap's.
func (e *endings) Push(x any) { *e = append(*e, x.(ending)) }

// Pop is heap's.
func (e *endings) Pop() any {
	last := (*e)[len(*e)-1]
	*e = (*e)[:len(*e)-1]
	return last
}

func (e *endings) add(one ending) { heap.Push(e, one) }

// next takes the next build that ends by the instant.
func (e *endings) next(by time.Duration) (ending, bool) {
	if len(*e) == 0 || (*e)[0].at > by {
		return ending{}, false
	}
	return heap.Pop(e).(ending), true
}
