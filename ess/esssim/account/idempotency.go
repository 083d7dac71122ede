package account

import (
	"fmt"
	"time"
)

// tokenLife is how long a client token is remembered; the documentation only says
// that tokens serve retries after a 5xx or no answer.
const tokenLife = 24 * time.Hour

const maxTokenLength = 64

// tokens remembers the writes that carried a client token.
type tokens struct {
	known map[string]tokenUse
	order []string // oldest first
}

type tokenUse struct {
	fingerprint string
	result      Result
	at          time.Time
}

func newTokens() tokens { return tokens{known: map[string]tokenUse{}} }

// Result is what a write returns: the activity that carries it out.
type Result struct {
	ActivityID string
	// ActivityType is CapacityChange when only the expected number was changed.
	ActivityType string
}

// once runs a write unless the same token has carried it out before; then it
// returns the earlier result. A failed write is not remembered. The request is
// compared by its printed form.
func (a *Account) once(token string, request any, write func() (Result, error)) (Result, error) {
	if token == "" {
		return write()
	}
	if err := checkToken(token); err != nil {
		return Result{}, err
	}
	a.forgetTokens()
	fingerprint := fmt.Sprintf("%T%+v", request, request)
	if use, ok := a.tokens.known[token]; ok {
		if use.fingerprint != fingerprint {
			return Result{}, errTokenMismatch()
		}
		return use.result, nil
	}
	result, err := write()
	if err != nil {
		return Result{}, err
	}
	a.tokens.known[token] = tokenUse{fingerprint, result, a.now}
	a.tokens.order = append(a.tokens.order, token)
	return result, nil
}

func (a *Account) forgetTokens() {
	for len(a.tokens.order) > 0 {
		oldest := a.tokens.order[0]
		if a.now.Sub(a.tokens.known[oldest].at) < tokenLife {
			return
		}
		delete(a.tokens.known, oldest)
		a.tokens.order = a.tokens.order[1:]
	}
}

func checkToken(token string) error {
	if len(token) > maxTokenLength {
		return ErrInvalid("ClientToken", "it is longer than 64 characters")
	}
	for _, c := range []byte(token) {
		if c < ' ' || c > '~' {
			return ErrInvalid("ClientToken", "it is not printable ASCII")
		}
	}
	return nil
}
