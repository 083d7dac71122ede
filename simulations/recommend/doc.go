// Package recommend searches for settings of node groups and cluster-autoscaler: it
// plays the same builds against about a thousand of them, and tells which are worth
// their money, which is the cheapest that keeps a service level, and how sure that is.
//
// It knows runs only through engine.Run. It opens no file, and whoever calls it says
// how many cores it may use; the outcome does not depend on that.
package recommend
