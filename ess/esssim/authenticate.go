package esssim

import (
	"crypto/subtle"
	"sync"
	"time"

	"github.com/buildpool/buildpool/ess/esssim/account"
)

// clockSkew is how far a request's timestamp may be from our clock.
const clockSkew = 15 * time.Minute

func refuse(status int, code, message string) error {
	return &account.Error{Status: status, Code: code, Message: message}
}

// authenticate checks who calls. The answers are those of Alibaba's gateway.
func (s *Simulator) authenticate(method string, p parameters) error {
	id := p["AccessKeyId"]
	if id == "" {
		return refuse(400, "MissingAccessKeyId", "AccessKeyId is mandatory for this action.")
	}
	caller, ok := s.keys.find(id)
	if !ok {
		return refuse(404, "InvalidAccessKeyId.NotFound", "Specified access key is not found.")
	}
	now := s.authClock.Now()
	if err := checkToken(caller, p["SecurityToken"], now); err != nil {
		return err
	}
	if err := checkTimestamp(p, now); err != nil {
		return err
	}
	if method := p["SignatureMethod"]; method != "HMAC-SHA1" {
		return refuse(400, "InvalidSignatureMethod", "Specified SignatureMethod is not supported: only HMAC-SHA1 is.")
	}
	nonce := p["SignatureNonce"]
	if nonce == "" {
		return account.ErrMissing("SignatureNonce")
	}
	if p["Signature"] == "" {
		return refuse(400, "IncompleteSignature", "The request signature does not conform to the platform standards.")
	}
	// The real gateway repeats the string it signed, which holds the access key and
	// the security token. It is left out here: no secret may reach a log.
	if subtle.ConstantTimeCompare([]byte(p["Signature"]), []byte(sign(method, p, caller.secret))) != 1 {
		return refuse(400, "SignatureDoesNotMatch", "Specified signature is not matched with our calculation.")
	}
	if !s.nonces.use(id+"/"+nonce, now) {
		return refuse(400, "SignatureNonceUsed", "Specified signature nonce was used already.")
	}
	return nil
}

func checkToken(caller key, token string, now time.Time) error {
	switch {
	case caller.token == "" && token == "":
		return nil
	case caller.token == "":
		return refuse(400, "InvalidSecurityToken.MismatchWithAccessKey", "Specified SecurityToken mismatches with the AccessKey.")
	case token == "":
		return refuse(400, "MissingSecurityToken", "SecurityToken is mandatory for this action.")
	case subtle.ConstantTimeCompare([]byte(caller.token), []byte(token)) != 1:
		return refuse(400, "InvalidSecurityToken.Malformed", "Specified SecurityToken is malformed.")
	case !caller.expires.IsZero() && !now.Before(caller.expires):
		return refuse(400, "InvalidSecurityToken.Expired", "Specified SecurityToken is expired.")
	}
	return nil
}

// checkTimestamp also accepts TimeStamp, as the example in the documentation of
// signatures spells it.
func checkTimestamp(p parameters, now time.Time) error {
	text := p["Timestamp"]
	if text == "" {
		text = p["TimeStamp"]
	}
	if text == "" {
		return account.ErrMissing("Timestamp")
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return refuse(400, "InvalidTimeStamp.Format", "Specified time stamp or date value is not well formatted.")
	}
	if away := now.Sub(at); away > clockSkew || away < -clockSkew {
		return refuse(400, "InvalidTimeStamp.Expired", "Specified time stamp or date value is expired.")
	}
	return nil
}

// nonces remembers the nonces of requests that are still young enough to be
// replayed.
type nonces struct {
	mu    sync.Mutex
	seen  map[string]bool
	order []usedNonce // oldest first
}

type usedNonce struct {
	nonce string
	at    time.Time
}

func newNonces() *nonces { return &nonces{seen: map[string]bool{}} }

// use reports whether a nonce is new, and remembers it.
func (n *nonces) use(nonce string, now time.Time) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	for len(n.order) > 0 && now.Sub(n.order[0].at) > 2*clockSkew {
		delete(n.seen, n.order[0].nonce)
		n.order = n.order[1:]
	}
	if n.seen[nonce] {
		return false
	}
	n.seen[nonce] = true
	n.order = append(n.order, usedNonce{nonce, now})
	return true
}
