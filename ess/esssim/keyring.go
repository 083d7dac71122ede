package esssim

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/buildpool/buildpool/ess/esssim/account"
)

// key is an access key that may call.
type key struct {
	id, secret string
	// token goes with a temporary key.
	token string
	// expires is zero for a key that lasts.
	expires time.Time
	// allow lists what it may do; empty is everything.
	allow []string
}

// keyring holds the account's access keys and the temporary ones that STS issued.
type keyring struct {
	mu     sync.Mutex
	keys   map[string]key
	random *rand.Rand
	// roleAllow is what the keys that STS issues may do.
	roleAllow []string
	keep      keep
}

func newKeyring(configured []account.AccessKey, roleAllow []string, seed uint64) (*keyring, error) {
	k := &keyring{keys: map[string]key{}, random: newRandom(seed, 1), roleAllow: roleAllow}
	for _, c := range configured {
		entry := key{id: c.ID, secret: c.Secret, token: c.Token, allow: c.Allow}
		if c.Expires != "" {
			expires, err := time.Parse(time.RFC3339, c.Expires)
			if err != nil {
				return nil, fmt.Errorf("read expiry of access key %s: %w", c.ID, err)
			}
			entry.expires = expires
		}
		k.keys[c.ID] = entry
	}
	return k, nil
}

func (k *keyring) find(id string) (key, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	found, ok := k.keys[id]
	return found, ok
}

// issue makes a temporary key and drops those that have expired for a while.
func (k *keyring) issue(now time.Time, life time.Duration) (key, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	// The key itself is not kept: it comes out of the seed again.
	if err := k.keep.change(doIssueKey, issuing{now, life}); err != nil {
		return key{}, err
	}
	for id, old := range k.keys {
		if old.token != "" && !old.expires.IsZero() && now.Sub(old.expires) > 24*time.Hour {
			delete(k.keys, id)
		}
	}
	issued := key{
		id:      "sim-temporary-" + k.word(12),
		secret:  k.word(32),
		token:   "sim-token-" + k.word(48),
		expires: now.Add(life).Truncate(time.Second),
		allow:   k.roleAllow,
	}
	k.keys[issued.id] = issued
	return issued, nil
}

func (k *keyring) word(length int) string {
	const alphabet = "0123456789abcdefghijklmnopqrstuvwxyz"
	word := make([]byte, length)
	for i := range word {
		word[i] = alphabet[k.random.IntN(len(alphabet))]
	}
	return string(word)
}
