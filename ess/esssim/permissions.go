package esssim

import (
	"fmt"
	"strings"

	"github.com/buildpool/buildpool/ess/esssim/account"
)

// ramProducts are the products of the versions served, as RAM policies name them.
var ramProducts = map[string]string{essVersion: "ess", ecsVersion: "ecs", vpcVersion: "vpc", stsVersion: "sts"}

// ramAction is an action as a RAM policy names it, such as ess:RemoveInstances.
func (a action) ramAction() string { return ramProducts[a.version] + ":" + a.name }

// allowed reports whether a list of allowed actions, with * at the end of a name,
// holds this one. An empty list allows everything.
func allowed(list []string, name string) bool {
	for _, one := range list {
		if prefix, ok := strings.CutSuffix(one, "*"); (ok && strings.HasPrefix(name, prefix)) || one == name {
			return true
		}
	}
	return len(list) == 0
}

// denial is Forbidden.RAM with the detail that says which action was not allowed.
type denial struct {
	answer *account.Error
	action string
}

func (d *denial) Error() string { return d.answer.Error() }

func (d *denial) Unwrap() error { return d.answer }

func newDenial(name string) error {
	return &denial{&account.Error{Status: 403, Code: "Forbidden.RAM", Message: "User not authorized to operate on the specified resource, or this API doesn't support RAM."}, name}
}

// accessDenied is the AccessDeniedDetail of an answer. It names no key.
type accessDenied struct {
	AuthAction        string
	AuthPrincipalType string
	NoPermissionType  string
	PolicyType        string
}

func (d *denial) detail() *accessDenied {
	return &accessDenied{
		AuthAction:        d.action,
		AuthPrincipalType: "SubUser",
		NoPermissionType:  "ImplicitDeny",
		PolicyType:        "AccountLevelIdentityBasedPolicy",
	}
}

// Permissions are what an access key may do from now on.
type Permissions struct {
	// AccessKey is the key's ID; empty is every key, temporary ones among them.
	AccessKey string `json:"accessKey"`
	// Allow lists actions such as ess:RemoveInstances or ess:Describe*; empty allows
	// everything.
	Allow []string `json:"allow"`
}

// SetPermissions changes what access keys may do.
func (s *Simulator) SetPermissions(p Permissions) error { return s.keys.permit(p) }

func (k *keyring) permit(p Permissions) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.keep.change(doSetPermissions, p); err != nil {
		return err
	}
	if p.AccessKey == "" {
		for id, one := range k.keys {
			one.allow = p.Allow
			k.keys[id] = one
		}
		k.roleAllow = p.Allow
		return nil
	}
	one, ok := k.keys[p.AccessKey]
	if !ok {
		return fmt.Errorf("set permissions: there is no such access key")
	}
	one.allow = p.Allow
	k.keys[p.AccessKey] = one
	return nil
}
