package main

import (
	"context"
	"fmt"
	"log/slog"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/buildpool/buildpool/nodegroups/config"
	"github.com/buildpool/buildpool/overflow/controller"
)

// compareCluster holds the section overflow against the cluster, if there is one of
// both.
func (v *validation) compareCluster(ctx context.Context, file string, data []byte, cfg config.Config) []complaint {
	if v.kubeconfig == "" || len(cfg.Overflow.Classes) == 0 {
		return nil
	}
	findings, err := v.checkCluster(ctx, cfg)
	complaints := located(file, data, findings)
	if err != nil {
		complaints = append(complaints, complaint{
			File: file, Severity: config.SeverityError, Message: "the cluster cannot be read: " + err.Error(),
			Fix: "check --kubeconfig, and the rights to list nodes and pods",
		})
	}
	return complaints
}

func (v *validation) checkCluster(ctx context.Context, cfg config.Config) ([]config.Finding, error) {
	ctx, cancel := context.WithTimeout(ctx, clusterTimeout)
	defer cancel()
	settings, err := restConfigOf(v.kubeconfig, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	client, err := kubernetes.NewForConfig(settings)
	if err != nil {
		return nil, err
	}
	nodes, err := client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("list nodes: %w", err)
	}
	pods, err := client.CoreV1().Pods(corev1.NamespaceAll).List(ctx, metav1.ListOptions{FieldSelector: "status.phase!=Succeeded,status.phase!=Failed"})
	if err != nil {
		return nil, fmt.Errorf("list pods: %w", err)
	}
	return controller.Check(cfg.Overflow, nodes.Items, pods.Items)
}
