// Package workload is what asks for capacity: builds with their arrival, duration and
// requests, read from a trace, imported from a CI system's export, or generated.
//
// It knows nothing of nodes, groups or clouds.
package workload
