package config

// InstanceProtection says whether instances on which builds run are shielded from being
// removed by others.
type InstanceProtection struct {
	// Enabled: ESS protects instances while builds run on them, for accounts where alarms,
	// health checks or people with a lower number also shrink the groups. The protection of
	// all instances of the groups is then buildpool's: one without a build has none.
	// Default: false.
	Enabled bool `json:"enabled,omitempty"`
}
