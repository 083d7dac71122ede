// Package cloudprovider is the vocabulary of buildpool: what cluster-autoscaler
// asks of us (Provider), what we ask of a cloud (Cloud), the nouns both sides
// speak of, and the errors they may return.
//
// It must not know an SDK, gRPC, a clock or the environment. Everything else may
// import it; it imports nothing of buildpool.
package cloudprovider
