package oracle

import "github.com/buildpool/buildpool/simulations/engine"

func frequentLoops(engine.Autoscaler) bool { return true }
