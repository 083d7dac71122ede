// Package checks holds what is true of deploy/ and docs/: that the chart renders what
// the apiserver knows, that alerts and dashboards speak of metrics that exist, that the
// RAM policy names the calls we make, and that examples land on the class they name.
//
// It is a module of its own so that Helm, Prometheus and HCL stay out of buildpool's.
package checks
