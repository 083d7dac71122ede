// Package esssim is a simulated Alibaba Cloud account that speaks Alibaba's RPC
// protocol over HTTP: Auto Scaling (ESS), the parts of ECS and VPC around it, and
// STS. Software that is written against the real service talks to it unchanged,
// before any money is spent: stock-outs, throttling, failures and delays are data.
//
// This package is the wire face: signatures, parameters, answers, rate limits and
// injected faults. What the account holds and does is in package account.
//
// It must not know the SDK it is called with, nor anything of buildpool.
package esssim
