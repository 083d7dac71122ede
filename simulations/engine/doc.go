// Package engine plays builds against node groups in virtual time: pods go pending,
// the scheduler places them, cluster-autoscaler's loop grows and shrinks groups, the
// cloud makes and takes instances, kubelets pull images. One clock, one event queue;
// the same settings and seed give the same result, byte for byte.
//
// It decides about groups with the production code of nodegroups, and about what moves to
// a virtual node with that of overflow, never with a copy, and knows neither files nor
// flags nor the wall clock.
//
// A comment such as "CA core/static_autoscaler.go allPodsAreNew" names the place in
// cluster-autoscaler 1.36 whose rule the code follows.
package engine
