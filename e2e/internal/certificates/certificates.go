// Package certificates makes what the two sides of a TLS connection show to each
// other: with `buildpool certs` as a user does, and by hand what a user should never
// have.
//
// It must not know who is let in with what.
package certificates

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// Pair is a certificate and its key: two PEM files.
type Pair struct{ Cert, Key string }

// Files are what `buildpool certs` makes.
type Files struct {
	// Authority and its key.
	Authority, AuthorityKey string
	Server, Client          Pair
}

// FirstTry runs `buildpool certs` for a server that is called by a name or an address.
func FirstTry(ctx context.Context, program, dir, host string) (Files, error) {
	command := exec.CommandContext(ctx, program, "certs", "--dir", dir, "--host", host)
	output, err := command.CombinedOutput()
	if err != nil {
		return Files{}, fmt.Errorf("run buildpool certs: %w: %s", err, output)
	}
	in := func(name string) string { return filepath.Join(dir, name) }
	return Files{
		Authority: in("ca.crt"), AuthorityKey: in("ca.key"),
		Server: Pair{Cert: in("server.crt"), Key: in("server.key")},
		Client: Pair{Cert: in("client.crt"), Key: in("client.key")},
	}, nil
}

// Authority signs certificates.
type Authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// ReadAuthority is the one of `buildpool certs`.
func ReadAuthority(files Files) (*Authority, error) {
	certificate, err := readBlock(files.Authority, x509.ParseCertificate)
	if err != nil {
		return nil, err
	}
	key, err := readBlock(files.AuthorityKey, parseKey)
	if err != nil {
		return nil, err
	}
	return &Authority{certificate: certificate, key: key}, nil
}

// NewAuthority is one that nobody trusts yet.
func NewAuthority(name string) (*Authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make authority's key: %w", err)
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("sign authority's certificate: %w", err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("read authority's certificate: %w", err)
	}
	return &Authority{certificate: certificate, key: key}, nil
}

// Name is the authority's common name.
func (a *Authority) Name() string { return a.certificate.Subject.CommonName }

// Client writes the pair of a client of this name, good for a time that may be over.
func (a *Authority) Client(to Pair, name string, from, until time.Time) error {
	return a.issue(to, &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, NotBefore: from, NotAfter: until,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
}

// Server writes the pair of a server on 127.0.0.1.
func (a *Authority) Server(to Pair, from, until time.Time) error {
	return a.issue(to, &x509.Certificate{
		Subject: pkix.Name{CommonName: "127.0.0.1"}, NotBefore: from, NotAfter: until,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	})
}

func (a *Authority) issue(to Pair, template *x509.Certificate) error {
	name := template.Subject.CommonName
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("make key of %s: %w", name, err)
	}
	template.SerialNumber = big.NewInt(time.Now().UnixNano())
	template.KeyUsage = x509.KeyUsageDigitalSignature
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, key.Public(), a.key)
	if err != nil {
		return fmt.Errorf("sign certificate of %s: %w", name, err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return fmt.Errorf("encode key of %s: %w", name, err)
	}
	return errors.Join(write(to.Cert, "CERTIFICATE", der), write(to.Key, "PRIVATE KEY", keyDER))
}

// write replaces the file at once, as a renewal does.
func write(path, kind string, der []byte) error {
	aside := path + ".new"
	if err := os.WriteFile(aside, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		return fmt.Errorf("write certificate: %w", err)
	}
	if err := os.Rename(aside, path); err != nil {
		return fmt.Errorf("write certificate: %w", err)
	}
	return nil
}

func readBlock[T any](path string, parse func([]byte) (T, error)) (T, error) {
	var none T
	data, err := os.ReadFile(path)
	if err != nil {
		return none, fmt.Errorf("read authority: %w", err)
	}
	block, _ := pem.Decode(data)
	if block == nil {
		return none, fmt.Errorf("read authority: no PEM in %s", path)
	}
	parsed, err := parse(block.Bytes)
	if err != nil {
		return none, fmt.Errorf("read authority: %s: %w", path, err)
	}
	return parsed, nil
}

func parseKey(der []byte) (*ecdsa.PrivateKey, error) {
	if key, err := x509.ParseECPrivateKey(der); err == nil {
		return key, nil
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, err
	}
	private, ok := key.(*ecdsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("a key of type %T", key)
	}
	return private, nil
}
