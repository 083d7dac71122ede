package ess

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/buildpool/buildpool/cloudprovider"
)

// profile is one of the Alibaba CLI's, as far as we read it.
type profile struct {
	Name            string `json:"name"`
	Mode            string `json:"mode"`
	AccessKeyID     string `json:"access_key_id"`
	AccessKeySecret string `json:"access_key_secret"`
	Token           string `json:"sts_token"`
	RoleARN         string `json:"ram_role_arn"`
	RoleName        string `json:"ram_role_name"`
}

// newProfile reads the current profile of the Alibaba CLI, or the one that
// ALIBABA_CLOUD_PROFILE names. It knows the modes whose credentials work without a
// person: AK, StsToken, RamRoleArn and EcsRamRole.
func newProfile(o CredentialOptions) (CredentialSource, error) {
	path := o.profilePath()
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the profile: %w", err)
	}
	var file struct {
		Current  string    `json:"current"`
		Profiles []profile `json:"profiles"`
	}
	if err := json.Unmarshal(content, &file); err != nil {
		// The error of encoding/json may quote what is beside a key.
		return nil, fmt.Errorf("read the profile: %s is not the CLI's JSON: %w", path, cloudprovider.ErrInvalidArgument)
	}
	name := firstSet(o.Getenv("ALIBABA_CLOUD_PROFILE"), file.Current)
	for _, p := range file.Profiles {
		if p.Name == name {
			return p.source(o)
		}
	}
	return nil, fmt.Errorf("read the profile: %s has none named %q: %w", path, name, cloudprovider.ErrInvalidArgument)
}

func (p profile) source(o CredentialOptions) (CredentialSource, error) {
	token := p.Token
	if p.Mode == "AK" {
		token = ""
	}
	key := Credentials{AccessKeyID: p.AccessKeyID, AccessKeySecret: p.AccessKeySecret, SecurityToken: token}
	switch p.Mode {
	case "EcsRamRole":
		o.RoleName = firstSet(o.RoleName, p.RoleName)
		role, err := newInstanceRole(o)
		return keep(role, o.Clock, err)
	case "AK", "StsToken", "RamRoleArn":
		if !key.complete() {
			return nil, fmt.Errorf("profile %q has no access key: %w", p.Name, cloudprovider.ErrInvalidArgument)
		}
	default:
		return nil, fmt.Errorf("profile %q: mode %q is none of AK, StsToken, RamRoleArn, EcsRamRole: %w", p.Name, p.Mode, cloudprovider.ErrInvalidArgument)
	}
	fixed := StaticCredentials(key.AccessKeyID, key.AccessKeySecret, key.SecurityToken)
	if p.Mode != "RamRoleArn" {
		return fixed, nil
	}
	role, err := newAssumedRole(fixed, p.RoleARN, o)
	return keep(role, o.Clock, err)
}
