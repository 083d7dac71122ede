// Package scenario is what a simulation assumes beside the production node-group file:
// instance types, boot times, prices, stock, the spot market, images, the scheduler,
// cluster-autoscaler's flags and the builds. It reads the file strictly and makes the
// engine's settings of both.
//
// It opens no file of its own accord and knows no account.
package scenario
