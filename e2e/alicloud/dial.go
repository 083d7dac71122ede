package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
)

var errNotSimulated = errors.New("not a simulated account: nothing else may be dialled")

// accounts are the names under which simulated accounts can be dialled. The in-tree
// provider's SDK takes a host but no port, so that each account needs a name.
var accounts = struct {
	sync.Mutex
	at map[string]string // address on loopback, by name and port
	n  int
}{at: map[string]string{}}

// name makes an account known and returns its host name, which no resolver has.
func name(address string) string {
	accounts.Lock()
	defer accounts.Unlock()
	accounts.n++
	host := fmt.Sprintf("account-%d.invalid", accounts.n)
	accounts.at[host+":80"] = address
	return host
}

// dialAccountsOnly makes the process's default transport, which the in-tree provider's
// SDK uses, reach simulated accounts and nothing else, and no proxy. The rest of the
// transport is left as it is.
func dialAccountsOnly() error {
	standard, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		return fmt.Errorf("guard the default transport: it is a %T", http.DefaultTransport)
	}
	guarded := standard.Clone()
	guarded.Proxy = nil
	guarded.DialContext = dialAccount
	http.DefaultTransport = guarded
	return nil
}

func dialAccount(ctx context.Context, network, address string) (net.Conn, error) {
	accounts.Lock()
	at, known := accounts.at[address]
	accounts.Unlock()
	if !known {
		return nil, fmt.Errorf("dial %s: %w", address, errNotSimulated)
	}
	var dialer net.Dialer
	return dialer.DialContext(ctx, network, at)
}
