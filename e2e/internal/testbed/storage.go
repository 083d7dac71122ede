package testbed

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strconv"

	"github.com/buildpool/buildpool/e2e/internal/process"
)

func (c *ControlPlane) startEtcd(ctx context.Context) error {
	clients, err := process.FreeAddress()
	if err != nil {
		return err
	}
	peers, err := process.FreeAddress()
	if err != nil {
		return err
	}
	c.etcd = "http://" + clients
	p, err := c.start("etcd", c.programs.Etcd,
		"--data-dir="+c.path("etcd-data"),
		"--unsafe-no-fsync", // nothing here has to survive a power cut
		"--listen-client-urls="+c.etcd, "--advertise-client-urls="+c.etcd,
		"--listen-peer-urls=http://"+peers, "--initial-advertise-peer-urls=http://"+peers,
		"--initial-cluster=default=http://"+peers,
	)
	if err != nil {
		return err
	}
	return p.WaitReady(ctx, func(ctx context.Context) error { return probe(ctx, c.etcd+"/health") })
}

func (c *ControlPlane) startAPIServer(ctx context.Context) error {
	port, err := process.FreePort()
	if err != nil {
		return err
	}
	tokens := c.path("tokens.csv")
	if err := os.WriteFile(tokens, []byte(token+",admin,admin,system:masters\n"), 0o600); err != nil {
		return fmt.Errorf("write token file: %w", err)
	}
	c.Server = "https://" + process.Loopback(port)
	p, err := c.start("kube-apiserver", c.programs.APIServer,
		"--etcd-servers="+c.etcd,
		"--bind-address=127.0.0.1", "--secure-port="+strconv.Itoa(port),
		"--cert-dir="+c.path("apiserver-certificates"),           // self-signed by the server itself
		"--token-auth-file="+tokens, "--authorization-mode=RBAC", // the tests are system:masters
		"--anonymous-auth=false",
		"--service-cluster-ip-range=10.0.0.0/24",
		"--service-account-issuer=https://e2e.invalid",
		"--service-account-key-file="+c.Keys.serviceAccountFile,
		"--service-account-signing-key-file="+c.Keys.serviceAccountFile,
		"--endpoint-reconciler-type=none",
		"--enable-priority-and-fairness=false",
		"--allow-privileged=true",
		"--requestheader-client-ca-file="+c.Keys.authorityFile,
		"--requestheader-allowed-names="+aggregatorName,
		"--requestheader-username-headers=X-Remote-User",
		"--requestheader-group-headers=X-Remote-Group",
		"--requestheader-extra-headers-prefix=X-Remote-Extra-",
		"--proxy-client-cert-file="+c.Keys.aggregatorCertFile,
		"--proxy-client-key-file="+c.Keys.aggregatorKeyFile,
	)
	if err != nil {
		return err
	}
	return p.WaitReady(ctx, func(ctx context.Context) error { return probe(ctx, c.Server+"/readyz") })
}

// probe asks a health endpoint. It carries the token: the API server lets no anonymous
// request in.
func probe(ctx context.Context, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return fmt.Errorf("probe %s: %w", url, err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := insecureClient.Do(request)
	if err != nil {
		return fmt.Errorf("probe %s: %w", url, err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("probe %s: %s", url, response.Status)
	}
	return nil
}
