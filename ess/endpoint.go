package ess

import (
	"fmt"
	"net"
	"net/url"

	"github.com/buildpool/buildpool/cloudprovider"
)

// endpoint is where requests go instead of the real service. The zero endpoint is
// the real service, always over HTTPS.
type endpoint struct {
	scheme string // as the SDK wants it: HTTP or HTTPS
	host   string // with port
}

// parseEndpoint reads a simulator's base URL. A signed request is a secret as long
// as it is fresh, so plain http goes no farther than this machine.
func parseEndpoint(base string) (endpoint, error) {
	if base == "" {
		return endpoint{scheme: "HTTPS"}, nil
	}
	u, err := url.Parse(base)
	if err != nil {
		// The error of url.Parse quotes the URL, which might hold a password.
		return endpoint{}, fmt.Errorf("read the endpoint: not a URL: %w", cloudprovider.ErrInvalidArgument)
	}
	switch {
	case u.User != nil:
		return endpoint{}, fmt.Errorf("read the endpoint: no user or password can stand in it: %w", cloudprovider.ErrInvalidArgument)
	case u.Host == "" || (u.Path != "" && u.Path != "/") || u.RawQuery != "" || u.Fragment != "":
		return endpoint{}, fmt.Errorf("read the endpoint: want scheme://host:port and no more: %w", cloudprovider.ErrInvalidArgument)
	case u.Scheme == "https":
		return endpoint{scheme: "HTTPS", host: u.Host}, nil
	case u.Scheme == "http" && loopback(u.Hostname()):
		return endpoint{scheme: "HTTP", host: u.Host}, nil
	case u.Scheme == "http":
		return endpoint{}, fmt.Errorf("read the endpoint: plain http to %s, which is not a loopback address: %w", u.Hostname(), cloudprovider.ErrInvalidArgument)
	}
	return endpoint{}, fmt.Errorf("read the endpoint: scheme %q is not https: %w", u.Scheme, cloudprovider.ErrInvalidArgument)
}

func loopback(host string) bool {
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}
