// Package floor works out the least number of nodes a group is to have now, as
// cluster-autoscaler reads it for its min: the configured one, what a warm window
// asks for, or the group's own size while a cooldown runs.
//
// It is pure: the same group, facts and instant give the same floor. It knows no
// cloud and no gRPC, so that the simulator decides by it too.
package floor
