package grpcserver

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"time"
)

// identity is what the files held at one time. It is never written to.
type identity struct {
	content [3][]byte // certificate, key, authorities
	leaf    *x509.Certificate
	// mutual wants a client certificate, serverOnly does not ask for one. mutual is nil
	// without authorities.
	mutual, serverOnly *tls.Config
}

func (i *identity) expires() time.Time { return i.leaf.NotAfter }

// lookInterval is how often handshakes make the files be read: a burst of them
// reads the files once, and new ones are used a second later at most.
const lookInterval = time.Second

// lookAgain reads the files, unless they were read just now, and returns what is in
// force: the files as they are, or the last ones that were good.
func (t *TLS) lookAgain() *identity {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.options.Clock.Now()
	if now.Sub(t.looked) < lookInterval {
		return t.current
	}
	t.looked = now
	content, err := t.read()
	switch {
	case err == nil && same(content, t.current.content):
		t.broken = nil
	case t.broken != nil && same(content, *t.broken):
		// It has been told already.
	default:
		t.takeOver(content, err)
	}
	return t.current
}

// takeOver uses new content if it can be used, and tells so either way.
func (t *TLS) takeOver(content [3][]byte, err error) {
	var fresh *identity
	if err == nil {
		fresh, err = t.parse(content)
	}
	if err != nil {
		t.broken = &content
		t.metrics.reloads.WithLabelValues("failure").Inc()
		t.options.Log.Error("TLS files not taken over, the last good ones stay in force",
			"error", err, "expires", t.current.expires())
		return
	}
	t.current, t.broken = fresh, nil
	t.metrics.expiry.Set(float64(fresh.expires().Unix()))
	t.metrics.reloads.WithLabelValues("success").Inc()
	t.options.Log.Info("TLS files taken over", "subject", fresh.leaf.Subject.String(),
		"serial", fresh.leaf.SerialNumber.Text(16), "expires", fresh.expires())
}

func (t *TLS) load() (*identity, error) {
	content, err := t.read()
	if err != nil {
		return nil, err
	}
	return t.parse(content)
}

// read returns the content of the files: certificate, key, authorities if there are to
// be any.
func (t *TLS) read() (content [3][]byte, err error) {
	for i, path := range []string{t.options.CertFile, t.options.KeyFile, t.options.ClientCAFile} {
		if i == 2 && path == "" {
			continue
		}
		if content[i], err = os.ReadFile(path); err != nil {
			return content, fmt.Errorf("read TLS files: %w", err)
		}
	}
	return content, nil
}

func same(a, b [3][]byte) bool {
	return bytes.Equal(a[0], b[0]) && bytes.Equal(a[1], b[1]) && bytes.Equal(a[2], b[2])
}

// parse makes an identity of the files' content, if every part of it can be used.
func (t *TLS) parse(content [3][]byte) (*identity, error) {
	pair, err := tls.X509KeyPair(content[0], content[1])
	if err != nil {
		// The library's errors tell of PEM blocks and mismatches, never their content.
		return nil, fmt.Errorf("certificate %s with key %s: %w", t.options.CertFile, t.options.KeyFile, err)
	}
	if err := t.usable(pair.Leaf); err != nil {
		return nil, fmt.Errorf("certificate %s: %w", t.options.CertFile, err)
	}
	serverOnly := &tls.Config{
		MinVersion:   tls.VersionTLS13,
		NextProtos:   []string{"h2"},
		Certificates: []tls.Certificate{pair},
		Time:         t.options.Clock.Now,
		// A resumed session would pass by what has changed since it began, and clients
		// that keep one connection gain nothing from it.
		SessionTicketsDisabled: true,
	}
	fresh := &identity{content: content, leaf: pair.Leaf, serverOnly: serverOnly}
	if t.options.ClientCAFile != "" {
		fresh.mutual, err = t.mutual(serverOnly, content[2])
	}
	return fresh, err
}

// mutual is the configuration that lets in clients of the authorities.
func (t *TLS) mutual(serverOnly *tls.Config, encoded []byte) (*tls.Config, error) {
	authorities := x509.NewCertPool()
	if !authorities.AppendCertsFromPEM(encoded) {
		return nil, fmt.Errorf("client authorities %s: no certificate in it", t.options.ClientCAFile)
	}
	mutual := serverOnly.Clone()
	mutual.ClientAuth = tls.RequireAndVerifyClientCert
	mutual.ClientCAs = authorities
	mutual.VerifyConnection = t.verify
	return mutual, nil
}

// usable refuses what every client would refuse.
func (t *TLS) usable(leaf *x509.Certificate) error {
	if now := t.options.Clock.Now(); now.After(leaf.NotAfter) {
		return fmt.Errorf("it expired on %s", leaf.NotAfter.UTC().Format(time.RFC3339))
	}
	if len(leaf.DNSNames)+len(leaf.IPAddresses) == 0 {
		return errors.New("it has no subject alternative name, a DNS name or an IP address, so no client will accept it")
	}
	return nil
}
