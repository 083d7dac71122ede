package statefile

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"time"

	"github.com/buildpool/buildpool/ess/esssim/account"
)

// Origin is what an account is made from. The changes in a file only mean something
// to an account of the same origin.
type Origin struct {
	// Account is the fingerprint of its configuration.
	Account string  `json:"account"`
	Seed    uint64  `json:"seed"`
	Speed   float64 `json:"speed"`
}

// Fingerprint is the same for configurations that say the same, whatever the comments
// and the order of the file they were read from.
func Fingerprint(cfg account.Config) (string, error) {
	data, err := json.Marshal(cfg)
	if err != nil {
		return "", fmt.Errorf("encode account configuration: %w", err)
	}
	return fmt.Sprintf("sha256:%x", sha256.Sum256(data)), nil
}

// differs says in what two origins differ, or nothing.
func (o Origin) differs(other Origin) error {
	switch {
	case o.Account != other.Account:
		return fmt.Errorf("it was made with another account file (%s, now %s)", o.Account, other.Account)
	case o.Seed != other.Seed:
		return fmt.Errorf("it was made with seed %d, not %d", o.Seed, other.Seed)
	case o.Speed != other.Speed:
		return fmt.Errorf("it was made at speed %v, not %v", o.Speed, other.Speed)
	}
	return nil
}

// header is the first line.
type header struct {
	Kind    string    `json:"kind"`
	Version int       `json:"version"`
	Begun   time.Time `json:"begun"`
	Origin
}

const (
	kind    = "buildpool ess-sim state"
	version = 1
)

// mark is what every header begins with.
var mark = []byte(`{"kind":"` + kind + `"`)

// ours reports whether a file may be taken for one of this package: it begins like
// one, even if it ends before the header does.
func ours(data []byte) bool {
	return bytes.HasPrefix(data, mark) || bytes.HasPrefix(mark, data)
}

func readHeader(line []byte) (header, error) {
	var h header
	if err := json.Unmarshal(line, &h); err != nil {
		return header{}, fmt.Errorf("line 1: %w", err)
	}
	if h.Version != version {
		return header{}, fmt.Errorf("its version is %d, want %d", h.Version, version)
	}
	return h, nil
}
