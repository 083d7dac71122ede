package nodegroups

import (
	"encoding/json"
	"time"

	"github.com/buildpool/buildpool/cloudprovider"
)

// signature marks an activity as ours, for people and for our own restart: the cloud
// keeps it with the activity. Activities' own times are to the minute.
type signature struct {
	Token string `json:"buildpool"`
	// From is the number of instances that the write replaced, Total the one it set.
	From  int `json:"from"`
	Total int `json:"total"`
	// At is when it was asked for.
	At time.Time `json:"at"`
}

func (s signature) String() string {
	s.At = s.At.UTC().Truncate(time.Millisecond)
	text, err := json.Marshal(s)
	if err != nil { // it has no field that could fail
		return ""
	}
	return string(text)
}

// signatureOf reads the mark of an activity, if it is one of buildpool's that says all
// of this.
func signatureOf(a cloudprovider.Activity) (signature, bool) {
	var s signature
	if a.Metadata == "" || json.Unmarshal([]byte(a.Metadata), &s) != nil {
		return signature{}, false
	}
	return s, s.Token != "" && !s.At.IsZero()
}

// startOf is when an activity began: to the minute, unless our mark tells it exactly.
func startOf(a cloudprovider.Activity) time.Time {
	if signed, ours := signatureOf(a); ours {
		return signed.At
	}
	return a.Started
}

// number is what a write replaces: the number the cloud holds, or, where it holds none,
// our target.
func (s groupState) number(g cloudprovider.ScalingGroup) int {
	if g.ExpectedNumberMode {
		return s.held
	}
	return s.target
}
