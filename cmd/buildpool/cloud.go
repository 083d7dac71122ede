package main

import (
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/ess"
	"github.com/buildpool/buildpool/nodegroups/config"
)

// openCloud opens the account that the configuration names. An endpoint is that of
// a simulator, which answers every product; empty is the real service. Nothing is
// sent before the first call.
func openCloud(env environment, cfg config.Config, endpoint string, reg prometheus.Registerer, log *slog.Logger) (cloudprovider.Cloud, error) {
	credentials, err := ess.NewCredentials(credentialOptions(env, cfg, endpoint))
	if err != nil {
		return nil, err
	}
	cloud, err := openAccount(env, cfg.Region, credentials, endpoint, reg, log)
	if err != nil {
		return nil, err
	}
	return cloud, nil
}

// openAccount opens the account that the credentials are of.
func openAccount(env environment, region string, credentials ess.CredentialSource, endpoint string, reg prometheus.Registerer, log *slog.Logger) (*ess.Cloud, error) {
	if endpoint != "" {
		log.Info("using a simulated account", "endpoint", endpoint)
	}
	return ess.New(ess.Options{
		Region:      region,
		Credentials: credentials,
		Endpoint:    endpoint,
		Clock:       env.clock,
		Registerer:  reg,
	})
}

func credentialOptions(env environment, cfg config.Config, endpoint string) ess.CredentialOptions {
	options := ess.CredentialOptions{
		Source:        ess.Source(cfg.Account.Credentials), // spelled alike
		RoleName:      cfg.Account.RoleName,
		AssumeRoleARN: cfg.Account.AssumeRoleARN,
		Region:        cfg.Region,
		Getenv:        env.getenv,
		STSEndpoint:   endpoint,
		Clock:         env.clock,
	}
	if oidc := cfg.Account.OIDC; oidc != nil {
		options.OIDC = ess.OIDC{RoleARN: oidc.RoleARN, ProviderARN: oidc.ProviderARN, TokenFile: oidc.TokenFile}
	}
	return options
}
