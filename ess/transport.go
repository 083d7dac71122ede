package ess

import (
	"crypto/tls"
	"net"
	"net/http"
	"time"
)

// newTransport returns the transport to the real service. A refresh of 200 groups
// runs many calls at once to one host, where net/http keeps two connections idle;
// a TLS handshake for each of the others would cost more than the call.
func newTransport(t Timeouts) *http.Transport {
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: t.Connect, KeepAlive: 30 * time.Second}).DialContext,
		TLSClientConfig:       &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:   t.Connect,
		ResponseHeaderTimeout: t.Attempt,
		ForceAttemptHTTP2:     true,
		MaxIdleConns:          256,
		MaxIdleConnsPerHost:   64,
		IdleConnTimeout:       90 * time.Second,
	}
}

// newSender returns the door to the SDK, and what closes its idle connections.
func newSender(region string, at endpoint, carrier http.RoundTripper, t Timeouts) (*sender, func()) {
	if carrier != nil {
		return &sender{region: region, at: at, carrier: carrier, timeouts: t}, func() {}
	}
	own := newTransport(t)
	return &sender{region: region, at: at, carrier: own, timeouts: t}, own.CloseIdleConnections
}
