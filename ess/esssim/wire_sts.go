package esssim

import (
	"fmt"
	"strings"
	"time"

	"github.com/buildpool/buildpool/ess/esssim/account"
)

// STS's bounds of a session, and how long one is when nothing is asked.
const (
	shortestSession = 900
	standardSession = 3600
	longestSession  = 43200
)

type roleReply struct {
	answered
	AssumedRoleUser wireRoleUser
	Credentials     wireCredentials
	OIDCTokenInfo   *wireTokenInfo `json:",omitempty"`
}

type wireRoleUser struct {
	AssumedRoleID string `json:"AssumedRoleId"`
	Arn           string
}

type wireCredentials struct {
	AccessKeyID     string `json:"AccessKeyId"`
	AccessKeySecret string
	SecurityToken   string
	Expiration      string
}

type wireTokenInfo struct {
	Subject, Issuer string
	ClientIDs       string `json:"ClientIds"`
}

func (s *Simulator) assumeRole(p parameters) (reply, error) {
	answer, err := s.issue(p)
	if err != nil {
		return nil, err
	}
	return answer, nil
}

// assumeRoleWithOIDC takes any token: the simulator has no issuer to ask.
func (s *Simulator) assumeRoleWithOIDC(p parameters) (reply, error) {
	for _, name := range []string{"OIDCProviderArn", "OIDCToken"} {
		if _, err := p.required(name); err != nil {
			return nil, err
		}
	}
	answer, err := s.issue(p)
	if err != nil {
		return nil, err
	}
	answer.OIDCTokenInfo = &wireTokenInfo{Subject: "simulated", Issuer: "simulated", ClientIDs: "sts.aliyuncs.com"}
	return answer, nil
}

func (s *Simulator) issue(p parameters) (*roleReply, error) {
	role, err := p.required("RoleArn")
	if err != nil {
		return nil, err
	}
	session, err := p.required("RoleSessionName")
	if err != nil {
		return nil, err
	}
	name, ok := roleName(role)
	if !ok {
		return nil, refuse(400, "InvalidParameter.RoleArn", "The parameter RoleArn is wrongly formed.")
	}
	life, given, err := p.integer("DurationSeconds")
	if err != nil {
		return nil, err
	}
	if !given {
		life = standardSession
	}
	if life < shortestSession || life > longestSession {
		return nil, account.ErrInvalid("DurationSeconds", fmt.Sprintf("it is not between %d and %d", shortestSession, longestSession))
	}
	issued, err := s.keys.issue(s.authClock.Now(), time.Duration(life)*time.Second)
	if err != nil {
		return nil, err
	}
	return &roleReply{
		AssumedRoleUser: wireRoleUser{
			AssumedRoleID: "300000000000000000:" + session,
			Arn:           strings.TrimSuffix(role, "/"+name) + "/" + name + "/" + session,
		},
		Credentials: wireCredentials{
			AccessKeyID:     issued.id,
			AccessKeySecret: issued.secret,
			SecurityToken:   issued.token,
			Expiration:      toSecond(issued.expires),
		},
	}, nil
}

// roleName returns the last part of acs:ram::<account>:role/<name>.
func roleName(arn string) (string, bool) {
	head, name, ok := strings.Cut(arn, ":role/")
	return name, ok && strings.HasPrefix(head, "acs:ram::") && name != ""
}
