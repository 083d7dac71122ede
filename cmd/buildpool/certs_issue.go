package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// The files that certs writes.
const (
	caCertFile, caKeyFile         = "ca.crt", "ca.key"
	serverCertFile, serverKeyFile = "server.crt", "server.key"
	clientCertFile, clientKeyFile = "client.crt", "client.key"
)

// clockSkew is how far behind ours the other machine's clock may be.
const clockSkew = 5 * time.Minute

// issued is a certificate with its key.
type issued struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// issueAll makes an authority, a server and a client, as files by name.
func issueAll(hosts []string, client string, now time.Time, validity time.Duration) (map[string][]byte, error) {
	authority := &x509.Certificate{
		Subject:               pkix.Name{CommonName: "buildpool first-try authority"},
		IsCA:                  true,
		BasicConstraintsValid: true,
		MaxPathLenZero:        true, // it signs these two and no other authority
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	server := &x509.Certificate{
		Subject:     pkix.Name{CommonName: hosts[0]},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			server.IPAddresses = append(server.IPAddresses, ip)
		} else {
			server.DNSNames = append(server.DNSNames, host)
		}
	}
	caller := &x509.Certificate{
		Subject:     pkix.Name{CommonName: client},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	for _, template := range []*x509.Certificate{authority, server, caller} {
		template.NotBefore, template.NotAfter = now.Add(-clockSkew), now.Add(validity)
	}
	root, err := issue(authority, nil)
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	if err := root.encode(files, caCertFile, caKeyFile); err != nil {
		return nil, err
	}
	for _, leaf := range []struct {
		template      *x509.Certificate
		certFile, key string
	}{{server, serverCertFile, serverKeyFile}, {caller, clientCertFile, clientKeyFile}} {
		made, err := issue(leaf.template, root)
		if err != nil {
			return nil, err
		}
		if err := made.encode(files, leaf.certFile, leaf.key); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// issue makes a key and has the authority sign its certificate; without one it signs
// itself.
func issue(template *x509.Certificate, by *issued) (*issued, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	if template.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127)); err != nil {
		return nil, fmt.Errorf("make a serial number: %w", err)
	}
	signer := &issued{certificate: template, key: key}
	if by != nil {
		signer = by
	}
	der, err := x509.CreateCertificate(rand.Reader, template, signer.certificate, key.Public(), signer.key)
	if err != nil {
		return nil, fmt.Errorf("sign the certificate of %s: %w", template.Subject.CommonName, err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("read back the certificate of %s: %w", template.Subject.CommonName, err)
	}
	return &issued{certificate: certificate, key: key}, nil
}

// encode puts the pair into files as PEM.
func (i *issued) encode(files map[string][]byte, certFile, keyFile string) error {
	der, err := x509.MarshalPKCS8PrivateKey(i.key)
	if err != nil {
		return fmt.Errorf("encode a key: %w", err)
	}
	files[certFile] = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: i.certificate.Raw})
	files[keyFile] = pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	return nil
}

// writeNew writes the files, keys for the owner's eyes only. If one of them exists it
// writes none: a key that is in use must not be lost.
func writeNew(dir string, files map[string][]byte) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for name := range files {
		if _, err := os.Lstat(filepath.Join(dir, name)); !errors.Is(err, fs.ErrNotExist) {
			return errors.Join(fmt.Errorf("%s is there already and is not replaced: use another --dir", filepath.Join(dir, name)), err)
		}
	}
	for name, content := range files {
		mode := fs.FileMode(0o644)
		if filepath.Ext(name) == ".key" {
			mode = 0o600
		}
		// O_EXCL: what came into being since the look above stays, too.
		file, err := os.OpenFile(filepath.Join(dir, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
		if err != nil {
			return err
		}
		_, err = file.Write(content)
		if err := errors.Join(err, file.Close()); err != nil {
			return err
		}
	}
	return nil
}
