// Command alicloud puts buildpool side by side with the Alibaba Cloud provider that
// cluster-autoscaler (CA) brings along: upstream's own cloudprovider/alicloud,
// imported and unchanged. Both are driven through upstream's CloudProvider interface
// with the calls that CA makes in a loop, each against a simulated account of its own
// that holds the same. Buildpool is behind upstream's own externalgrpc client and a
// real gRPC connection, as it is in a cluster.
//
// It counts the API calls that reach the account and the seconds that CA would wait,
// and prints the tables of docs/alicloud.md. Its tests hold the calls, which are the
// same at every run, and not the times.
//
// Nothing leaves the machine: the in-tree provider's SDK is pointed at the simulator
// by its own endpoint mapping, under a name that no resolver knows, and the default
// transport, which that SDK uses, dials nothing but simulated accounts.
//
// It is a module of its own, because it compiles a good part of cluster-autoscaler.
package main
