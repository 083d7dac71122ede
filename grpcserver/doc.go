// Package grpcserver speaks cluster-autoscaler's externalgrpc protocol for a
// cloudprovider.Provider: it decodes a request, calls the provider, encodes the
// answer, and turns errors into gRPC codes in one place. It also owns what belongs
// to the connection: listening, health, limits, panic recovery, access log, metrics.
//
// It decides nothing about node groups, and must not know the configuration, a
// cloud SDK or Kubernetes' API server.
package grpcserver
