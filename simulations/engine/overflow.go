package engine

import (
	"errors"
	"fmt"
	"time"

	"github.com/buildpool/buildpool/nodegroups/config"
	"github.com/buildpool/buildpool/overflow"
)

// Overflow is a virtual node, and the controller that moves builds there when real
// nodes come too late. The controller decides with the production code of overflow.
//
// A trace tells nothing of pods but what they ask for. So every build of a class is
// taken to have opted in, in a namespace that is allowed, without anything that a
// virtual node refuses, and to name the virtual node beside its class in its affinity.
type Overflow struct {
	// Classes of builds that may move; a build belongs to the first of which it may use
	// the nodes.
	Classes []OverflowClass
	// ScanInterval is what the controller takes cluster-autoscaler's to be.
	ScanInterval time.Duration
	// Every is how often the controller decides while builds wait.
	Every time.Duration
	// Start is how long a pod takes on the virtual node until its containers start, the
	// pull of its image apart: every pod pulls its own.
	Start Delay
	// Labels of the virtual node, for builds that ask for labels.
	Labels map[string]string
}

// OverflowClass is what holds for the builds of one class.
type OverflowClass struct {
	Class config.Class
	// Policy decides. Its price must be known; its selector and namespaces are not used.
	Policy overflow.Policy
	// ScaleUpDelay is for how long cluster-autoscaler leaves its builds alone; 0: for
	// none.
	ScaleUpDelay time.Duration
}

// check complains of what no run could play.
func (o *Overflow) check() error {
	if o == nil {
		return nil
	}
	var errs []error
	if o.Every <= 0 {
		errs = append(errs, errors.New("overflow: the time between two decisions is not above 0"))
	}
	for _, c := range o.Classes {
		if !c.Policy.Price.Known() {
			errs = append(errs, fmt.Errorf("overflow of class %s: the price of the virtual node is not known", c.Class))
		}
	}
	return errors.Join(errs...)
}

// OverflowResult is what the virtual node did for the builds of one class.
type OverflowResult struct {
	Class config.Class
	// Moved counts builds, by the reason for which they were moved.
	Moved map[overflow.Reason]int
	// Peak is the most pods at once.
	Peak int
	// Billed is the sum of the pods' times from their move to their end, and Cost what
	// that costs.
	Billed time.Duration
	Cost   float64
}
