package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"k8s.io/klog/v2"
)

func main() {
	s := suite{out: os.Stdout}
	flag.DurationVar(&s.latency, "latency", 50*time.Millisecond, "how long an API call takes where the tables say so")
	flag.BoolVar(&s.large, "large", true, "measure 20 groups with 2,000 nodes too, which takes minutes")
	flag.Parse()
	if err := errors.Join(quietUpstream(), dialAccountsOnly()); err != nil {
		fail(err)
	}
	if err := s.run(); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "bench-alicloud:", err)
	os.Exit(1)
}

// quietUpstream keeps the in-tree provider's log, one line per call, off the screen,
// all but what ends the process.
func quietUpstream() error {
	flags := flag.NewFlagSet("klog", flag.ContinueOnError)
	klog.InitFlags(flags)
	klog.SetOutput(io.Discard)
	return errors.Join(flags.Set("logtostderr", "false"), flags.Set("stderrthreshold", "FATAL"))
}
