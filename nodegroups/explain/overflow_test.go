package explain

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What is said of the virtual node is a note, whatever the one cause is.
func TestAPodHearsOfTheVirtualNode(t *testing.T) {
	said := func(reason, message string) Event {
		return Event{Pod: "ci/build", Reason: reason, Message: message, At: noon.Add(-10 * time.Second)}
	}
	waits := &Overflow{Pods: map[string]string{"ci/build": "nothing says yet that real nodes come too late"}}
	for name, test := range map[string]struct {
		overflow *Overflow
		events   []Event
		want     []string
	}{
		"nobody moves builds":        {nil, []Event{said("Scheduled", "no")}, nil},
		"it has moved":               {waits, []Event{said(Overflowed, "It may run on the virtual node now: x.")}, []string{"10s ago: It may run on the virtual node now: x."}},
		"it was refused":             {nil, []Event{said(OverflowRefused, "It does not move to the virtual node: x.")}, []string{"10s ago: It does not move to the virtual node: x."}},
		"what is made of it now":     {waits, []Event{said(OverflowRefused, "old")}, []string{"It is not let onto the virtual node: nothing says yet that real nodes come too late."}},
		"nobody's":                   {&Overflow{}, nil, []string{"It is not let onto the virtual node: no class of overflow selects it."}},
		"whoever moves builds fails": {&Overflow{Failing: "the cluster cannot be seen"}, nil, []string{"No build moves to the virtual node: the cluster cannot be seen."}},
	} {
		t.Run(name, func(t *testing.T) {
			f := aCluster()
			f.Overflow, f.Events = test.overflow, test.events
			e, err := Pod(f, "ci", "build")
			require.NoError(t, err)
			assert.Equal(t, WillGrow, e.Cause)
			assert.Equal(t, test.want, e.Notes)
		})
	}
}
