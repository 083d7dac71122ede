package testbed

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"time"
)

// aggregatorName is whom the API server speaks as to an aggregated API.
const aggregatorName = "e2e-aggregator"

// Keys is the little certificate authority of one run, and what it signed.
type Keys struct {
	// Authority is the authority's certificate in PEM.
	Authority []byte

	certificate *x509.Certificate
	key         *ecdsa.PrivateKey

	authorityFile, serviceAccountFile     string
	aggregatorCertFile, aggregatorKeyFile string
}

func (c *ControlPlane) makeKeys(context.Context) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("make authority's key: %w", err)
	}
	template := certificateFor("e2e-authority")
	template.IsCA, template.BasicConstraintsValid, template.KeyUsage = true, true, x509.KeyUsageCertSign
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return fmt.Errorf("sign authority's certificate: %w", err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return fmt.Errorf("read authority's certificate: %w", err)
	}
	c.Keys = &Keys{
		Authority:          pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		certificate:        certificate,
		key:                key,
		authorityFile:      c.path("authority.crt"),
		serviceAccountFile: c.path("service-account.key"),
		aggregatorCertFile: c.path("aggregator.crt"),
		aggregatorKeyFile:  c.path("aggregator.key"),
	}
	return c.Keys.writeFiles()
}

func (k *Keys) writeFiles() error {
	serviceAccount, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("make service account key: %w", err)
	}
	serviceAccountPEM, err := keyPEM(serviceAccount)
	if err != nil {
		return err
	}
	aggregator := certificateFor(aggregatorName)
	aggregator.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	aggregatorCert, aggregatorKey, err := k.sign(aggregator)
	if err != nil {
		return err
	}
	for path, data := range map[string][]byte{
		k.authorityFile:      k.Authority,
		k.serviceAccountFile: serviceAccountPEM,
		k.aggregatorCertFile: aggregatorCert,
		k.aggregatorKeyFile:  aggregatorKey,
	} {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			return fmt.Errorf("write key: %w", err)
		}
	}
	return nil
}

// ServingConfig returns the TLS settings of an aggregated API: a certificate for
// the name, and only the API server as client.
func (k *Keys) ServingConfig(dnsName string) (*tls.Config, error) {
	template := certificateFor(dnsName)
	template.DNSNames = []string{dnsName}
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	certPEM, privatePEM, err := k.sign(template)
	if err != nil {
		return nil, err
	}
	pair, err := tls.X509KeyPair(certPEM, privatePEM)
	if err != nil {
		return nil, fmt.Errorf("load serving certificate: %w", err)
	}
	clients := x509.NewCertPool()
	clients.AddCert(k.certificate)
	return &tls.Config{
		Certificates: []tls.Certificate{pair},
		ClientAuth:   tls.RequireAndVerifyClientCert,
		ClientCAs:    clients,
		MinVersion:   tls.VersionTLS13,
	}, nil
}

func (k *Keys) sign(template *x509.Certificate) (certificate, key []byte, err error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("make key of %s: %w", template.Subject.CommonName, err)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, k.certificate, private.Public(), k.key)
	if err != nil {
		return nil, nil, fmt.Errorf("sign certificate of %s: %w", template.Subject.CommonName, err)
	}
	if key, err = keyPEM(private); err != nil {
		return nil, nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), key, nil
}

func keyPEM(key *ecdsa.PrivateKey) ([]byte, error) {
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("encode key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}), nil
}

// certificateFor is valid for a day, and an hour back for clocks that differ.
func certificateFor(name string) *x509.Certificate {
	now := time.Now()
	return &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()),
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    now.Add(-time.Hour),
		NotAfter:     now.Add(24 * time.Hour),
		KeyUsage:     x509.KeyUsageDigitalSignature,
	}
}
