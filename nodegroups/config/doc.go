// Package config is the node-group file: its types, strict decoding that reports
// every error with file, line and fix at once, its JSON schema, and its comparison
// with the live account.
//
// It knows the vocabulary (cloudprovider) and nothing else of buildpool; it takes its
// clock as an argument and reads no environment.
package config
