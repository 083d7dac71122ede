// Package ess is the one door to Alibaba Cloud: it implements cloudprovider.Cloud
// over ESS, ECS and VPC, and finds the credentials for it. It is the only package
// that imports the Alibaba SDK.
//
// It must not know gRPC, Kubernetes, the configuration file or any decision: it
// says what the account holds and carries out what it is told.
//
// The SDK is held at arm's length, because a shared SDK client races, knows no
// context, panics on odd answers and puts access keys into its errors:
//
//   - every attempt has an SDK client of its own over one shared transport (client.go);
//   - the caller's context travels in that transport (trip.go);
//   - what comes out is a failure in the vocabulary's words, never the SDK's own
//     error (explain.go, errors.go), and no text leaves unredacted (redact.go);
//   - rate limit, retry and metrics are decorators, peeled in one place (call.go).
package ess
