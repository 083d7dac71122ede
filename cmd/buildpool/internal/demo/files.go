package demo

import _ "embed" // the demo's files

// AccountFile is the simulated account of the demo.
//
//go:embed account.yaml
var AccountFile []byte

// GroupsFile is the demo's node-group file.
//
//go:embed nodegroups.yaml
var GroupsFile []byte
