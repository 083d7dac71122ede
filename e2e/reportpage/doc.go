// Package reportpage opens the page of a simulation's report in a real Chromium and
// looks at it as a person would: every chart is there, with axes, units and a legend,
// at the width of a desk and of a phone, in light and in dark; nothing is cut off,
// nothing complains, and nothing is asked of any network.
// The page of a running server (serve's /) is looked at in the same way.
package reportpage
