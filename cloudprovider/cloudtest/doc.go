// Package cloudtest is the conformance suite that every cloudprovider.Cloud passes:
// the contract in cloud.go, told as tests.
//
// It must not know any implementation, SDK or wire: it speaks the vocabulary, and
// what it needs beyond that of an account it asks through Account.
package cloudtest

import (
	"testing"
	"time"

	"github.com/buildpool/buildpool/cloudprovider"
)

// Account is an account under test, with the hooks that shape what happens in it.
type Account interface {
	// Cloud is the implementation under test, connected to this account.
	Cloud() cloudprovider.Cloud
	// Advance lets the account's time pass.
	Advance(d time.Duration)
	// StockOut leaves the account without any instance to give, until Restock.
	StockOut(t *testing.T)
	Restock(t *testing.T)
	// Reclaim announces to take a spot instance back, and takes it after the notice.
	Reclaim(t *testing.T, instanceID string, notice time.Duration)
}

// Group is a scaling group that an account is to hold when a test begins.
type Group struct {
	ID                 string
	Min, Max           int
	Running            int
	ExpectedNumberMode bool
	Inactive           bool
	Tags               map[string]string
	// LaunchTemplate: it launches from a launch template with an override of the
	// instance type, not from a scaling configuration.
	LaunchTemplate bool
	// Spot: it buys preemptible instances.
	Spot bool
	// Recycles: what is removed may be stopped and kept.
	Recycles bool
}

// What every account of the suite offers to its groups.
const (
	InstanceType = "ecs.c7.2xlarge"
	// OverrideType is the override of the groups with a launch template.
	OverrideType  = "ecs.c7.4xlarge"
	GPUType       = "ecs.gn7i-c8g1.2xlarge"
	Zone          = "cn-hangzhou-h"
	SystemDiskGiB = 120
	UserData      = "#!/bin/sh\necho \"node labels: ä=b+c/d\"\n"
	TagKey        = "team"
	TagValue      = "ci"
)

// Harness runs test against a fresh account that holds the groups. It decides how
// time passes: a synctest bubble around test, a fake clock, or short delays.
type Harness func(t *testing.T, groups []Group, test func(t *testing.T, a Account))

// conformance is one requirement of the contract.
type conformance struct {
	name   string
	groups []Group
	test   func(t *testing.T, a Account)
}

// Test runs the whole suite.
func Test(t *testing.T, run Harness) {
	for _, part := range []struct {
		name  string
		cases []conformance
	}{
		{"Groups", groupReads()},
		{"Instances", instanceReads()},
		{"SetCapacity", capacityWrites()},
		{"RemoveInstances", removals()},
		{"DetachInstances", partings()},
		{"ProtectInstances", protections()},
		{"ReclaimNotices", noticeReads()},
		{"Activities", activityReads()},
		{"Catalog", catalogReads()},
		{"Prices", priceReads()},
		{"Context", contexts()},
		{"Concurrency", concurrency()},
	} {
		t.Run(part.name, func(t *testing.T) {
			for _, c := range part.cases {
				t.Run(c.name, func(t *testing.T) { run(t, c.groups, c.test) })
			}
		})
	}
}
