package main

import (
	_ "embed"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/ess"
	"github.com/buildpool/buildpool/ess/esssim"
	"github.com/buildpool/buildpool/nodegroups/config"
)

//go:embed embedded/account.yaml
var embeddedAccount []byte

// simulatedAccount is an account that runs inside this process and is reached over
// HTTP, as the real one is.
type simulatedAccount struct {
	key      ess.Credentials
	listener net.Listener
	http     *http.Server
}

// openSimulatedAccount makes the account of the file, or the built-in one, on a free
// loopback port.
func openSimulatedAccount(env environment, file string, log *slog.Logger) (*simulatedAccount, error) {
	account, err := loadAccount(file)
	if err != nil {
		return nil, err
	}
	if len(account.AccessKeys) == 0 {
		return nil, fmt.Errorf("simulate account %s: accessKeys is empty, and one is needed to sign with", file)
	}
	simulator, err := esssim.New(esssim.Options{
		Config:    account,
		Clock:     env.clock,
		AuthClock: env.clock,
		Seed:      1,
		Log:       log.With("account", "simulated"),
	})
	if err != nil {
		return nil, fmt.Errorf("simulate account %s: %w", file, err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("simulate account: %w", err)
	}
	key := account.AccessKeys[0]
	return &simulatedAccount{
		key:      ess.Credentials{AccessKeyID: key.ID, AccessKeySecret: key.Secret, SecurityToken: key.Token},
		listener: listener,
		http:     newHTTPServer(simulator, log),
	}, nil
}

func loadAccount(file string) (esssim.Config, error) {
	if file == embedded {
		return esssim.Parse("account.yaml (built in)", embeddedAccount)
	}
	return esssim.Load(file)
}

func (a *simulatedAccount) endpoint() string { return "http://" + a.listener.Addr().String() }

// serve answers until close.
func (a *simulatedAccount) serve() error { return serveHTTP(a.http, a.listener) }

func (a *simulatedAccount) close() error {
	return errors.Join(a.http.Close(), ignoreClosed(a.listener.Close()))
}

// open opens the account as the provider sees it. The configuration's own
// credentials are for the real account and are left alone.
func (a *simulatedAccount) open(env environment, cfg config.Config, reg prometheus.Registerer, log *slog.Logger) (cloudprovider.Cloud, error) {
	credentials, err := ess.NewCredentials(ess.CredentialOptions{Source: ess.SourceStatic, Static: a.key, Getenv: env.getenv, Clock: env.clock})
	if err != nil {
		return nil, err
	}
	cloud, err := openAccount(env, cfg.Region, credentials, a.endpoint(), reg, log)
	if err != nil {
		return nil, err
	}
	return cloud, nil
}

func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
