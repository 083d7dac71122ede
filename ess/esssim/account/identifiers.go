package account

import "math/rand/v2"

// identifiers makes Alibaba-like identifiers from a seed.
type identifiers struct{ random *rand.Rand }

func newIdentifiers(seed uint64) identifiers {
	return identifiers{rand.New(rand.NewPCG(seed, 0x65737373696d))}
}

// next returns the prefix and 20 characters, the length of real ones.
func (n identifiers) next(prefix string) string {
	const alphabet = "0123456789abcdefghijklmnopqrstuvwxyz"
	id := make([]byte, 0, len(prefix)+20)
	id = append(id, prefix...)
	for range 20 {
		id = append(id, alphabet[n.random.IntN(len(alphabet))])
	}
	return string(id)
}
