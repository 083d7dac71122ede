package esssim

import (
	"fmt"
	"maps"
	"slices"
)

// The versions of the products served.
const (
	essVersion = "2014-08-28"
	ecsVersion = "2014-05-26"
	vpcVersion = "2016-04-28"
	stsVersion = "2015-04-01"
)

// reply is an answer's body.
type reply interface{ setRequestID(id string) }

// answered is the part that all answers share.
type answered struct {
	RequestID string `json:"RequestId"`
}

func (a *answered) setRequestID(id string) { a.RequestID = id }

// action is one operation of one product.
type action struct {
	name    string
	version string
	serve   func(*Simulator, parameters) (reply, error)
	// writes: it may change the account.
	writes bool
	// regional: it speaks of one region.
	regional bool
	// anonymous: it is called without an access key.
	anonymous bool
}

var actions = map[string]action{}

// The table is filled at start, because the handlers refer to the simulator, which
// refers to the table.
func init() {
	for _, a := range []action{
		{name: "DescribeScalingGroups", version: essVersion, serve: (*Simulator).describeScalingGroups, regional: true},
		{name: "DescribeScalingInstances", version: essVersion, serve: (*Simulator).describeScalingInstances, regional: true},
		{name: "DescribeScalingActivities", version: essVersion, serve: (*Simulator).describeScalingActivities, regional: true},
		{name: "DescribeScalingConfigurations", version: essVersion, serve: (*Simulator).describeScalingConfigurations, regional: true},
		{name: "DescribeElasticStrength", version: essVersion, serve: (*Simulator).describeElasticStrength, regional: true},
		{name: "ScaleWithAdjustment", version: essVersion, serve: (*Simulator).scaleWithAdjustment, regional: true, writes: true},
		{name: "ModifyScalingGroup", version: essVersion, serve: (*Simulator).modifyScalingGroup, regional: true, writes: true},
		{name: "RemoveInstances", version: essVersion, serve: (*Simulator).removeInstances, regional: true, writes: true},
		{name: "SetInstancesProtection", version: essVersion, serve: (*Simulator).setInstancesProtection, regional: true, writes: true},
		{name: "EnableScalingGroup", version: essVersion, serve: (*Simulator).enableScalingGroup, regional: true, writes: true},
		{name: "DisableScalingGroup", version: essVersion, serve: (*Simulator).disableScalingGroup, regional: true, writes: true},
		{name: "AttachInstances", version: essVersion, serve: (*Simulator).attachInstances, regional: true, writes: true},
		{name: "DetachInstances", version: essVersion, serve: (*Simulator).detachInstances, regional: true, writes: true},
		{name: "EnterStandby", version: essVersion, serve: (*Simulator).enterStandby, regional: true, writes: true},
		{name: "ExitStandby", version: essVersion, serve: (*Simulator).exitStandby, regional: true, writes: true},
		{name: "SetInstanceHealth", version: essVersion, serve: (*Simulator).setInstanceHealth, regional: true, writes: true},
		{name: "SuspendProcesses", version: essVersion, serve: (*Simulator).suspendProcesses, regional: true, writes: true},
		{name: "ResumeProcesses", version: essVersion, serve: (*Simulator).resumeProcesses, regional: true, writes: true},
		{name: "ExecuteScalingRule", version: essVersion, serve: (*Simulator).executeScalingRule, regional: true, writes: true},
		{name: "DescribeLifecycleHooks", version: essVersion, serve: (*Simulator).describeLifecycleHooks, regional: true},
		{name: "DescribeLifecycleActions", version: essVersion, serve: (*Simulator).describeLifecycleActions, regional: true},
		{name: "CompleteLifecycleAction", version: essVersion, serve: (*Simulator).completeLifecycleAction, regional: true, writes: true},
		{name: "RecordLifecycleActionHeartbeat", version: essVersion, serve: (*Simulator).recordLifecycleActionHeartbeat, regional: true, writes: true},
		{name: "DescribeSpotAdvice", version: ecsVersion, serve: (*Simulator).describeSpotAdvice, regional: true},
		{name: "DescribeAvailableResource", version: ecsVersion, serve: (*Simulator).describeAvailableResource, regional: true},
		{name: "DescribeInstanceTypes", version: ecsVersion, serve: (*Simulator).describeInstanceTypes, regional: true},
		{name: "DescribeInstances", version: ecsVersion, serve: (*Simulator).describeInstances, regional: true},
		{name: "DescribeLaunchTemplateVersions", version: ecsVersion, serve: (*Simulator).describeLaunchTemplateVersions, regional: true},
		{name: "DescribePrice", version: ecsVersion, serve: (*Simulator).describePrice, regional: true},
		{name: "DescribeSpotPriceHistory", version: ecsVersion, serve: (*Simulator).describeSpotPriceHistory, regional: true},
		{name: "DescribeVSwitches", version: vpcVersion, serve: (*Simulator).describeVSwitches, regional: true},
		{name: "AssumeRole", version: stsVersion, serve: (*Simulator).assumeRole},
		{name: "AssumeRoleWithOIDC", version: stsVersion, serve: (*Simulator).assumeRoleWithOIDC, anonymous: true},
	} {
		actions[a.name] = a
	}
}

func knownAction(name string) bool {
	_, ok := actions[name]
	return ok
}

// findAction finds what a request asks for.
func findAction(name, version string) (action, error) {
	switch {
	case name == "":
		return action{}, refuse(400, "MissingParameter", "The input parameter \"Action\" that is mandatory for processing this request is not supplied.")
	case version != essVersion && version != ecsVersion && version != vpcVersion && version != stsVersion:
		return action{}, refuse(400, "InvalidVersion", "Specified parameter Version is not valid.")
	}
	found, ok := actions[name]
	if !ok || found.version != version {
		return action{}, refuse(404, "InvalidAction.NotFound", fmt.Sprintf("Specified api %q is not found, or the simulated account does not serve it.", printable(name)))
	}
	return found, nil
}

// printable shortens a name that came from outside.
func printable(name string) string {
	const longest = 64
	if len(name) > longest {
		return name[:longest] + "…"
	}
	return name
}

// ActionNames lists the actions that the simulator serves, sorted.
func ActionNames() []string { return slices.Sorted(maps.Keys(actions)) }
