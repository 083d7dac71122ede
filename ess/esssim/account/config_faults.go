package account

// Fault makes API calls go wrong. It is configured here with the rest of the account
// and carried out, and checked, by the wire face.
type Fault struct {
	// API is an action or "*" for all.
	API string `yaml:"api"`
	// Kind is throttle, error, drop, slow, badjson or badcode.
	Kind string `yaml:"kind"`
	// Rate is the share of calls that it hits; 0 means all.
	Rate float64 `yaml:"rate"`
	// Count is how many calls it hits before it ends; 0 means without end.
	Count  int      `yaml:"count"`
	Code   string   `yaml:"code"`
	Status int      `yaml:"status"`
	Delay  Duration `yaml:"delay"`
	// AfterEffect lets the call take effect before its answer goes wrong.
	AfterEffect bool `yaml:"afterEffect"`
	// Entity narrows it to the calls that name this group, instance, activity or type.
	Entity string `yaml:"entity"`
}
