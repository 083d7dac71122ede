// Package usage works out how long a group's instances existed, from what the cloud
// remembers of its scaling activities. It knows no cloud, no price and no clock.
package usage
