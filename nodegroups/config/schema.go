package config

import _ "embed"

// The schema is made from the types of this package and their comments, and from
// the forms that Parse checks. A test fails when it is out of date.
//
//go:generate go test -run ^TestSchemaIsUpToDate$ -update .
//go:embed nodegroups.schema.json
var schema string

// Schema returns the JSON schema (draft 2020-12) of a node-group file, for editors
// and linters. It says less than Parse: what one value alone cannot show, such as
// min above max or a name that stands twice, is Parse's alone.
func Schema() string { return schema }
