package main

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/buildpool/buildpool/ess/esssim"
)

// refusedDelete returns what CA is told of a delete that the account refuses: the
// provider's answer, nil for success, and whether the instance is still there.
func refusedDelete(k kind) (told error, stays bool, err error) {
	c, err := open(k, fleet{groups: 1, nodes: 2})
	if err != nil {
		return nil, false, err
	}
	defer func() { err = errors.Join(err, c.close()) }()
	if err := c.loop(); err != nil {
		return nil, false, err
	}
	err = c.account.InjectFault(esssim.Fault{
		API: "RemoveInstances", Kind: esssim.FaultError, Rate: 1, Status: http.StatusForbidden, Code: "Forbidden.RAM",
	})
	if err != nil {
		return nil, false, fmt.Errorf("refuse removals: %w", err)
	}
	told = c.delete(c.nodes[:1])
	return told, len(c.account.Account().Running()) == len(c.nodes), nil
}
