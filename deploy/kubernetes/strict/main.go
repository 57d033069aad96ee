// The strict program reads manifests on standard input, as kubectl kustomize
// writes them, with the types of Kubernetes and of the Prometheus Operator: a
// key that they do not know, or a value of the wrong kind, is an error. It is a
// module of its own, so that those types stay out of ours.
//
//	kubectl kustomize deploy/kubernetes/prometheus-operator | (cd deploy/kubernetes/strict && go run .)
package main

import (
	"bytes"
	"fmt"
	"io"
	"os"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	"sigs.k8s.io/yaml"
)

func main() {
	os.Exit(run(os.Stdin, os.Stdout, os.Stderr))
}

// run returns the exit status: 0 when every manifest is of its type.
func run(stdin io.Reader, stdout, stderr io.Writer) int {
	text, err := io.ReadAll(stdin)
	if err != nil {
		fmt.Fprintln(stderr, "strict:", err)
		return 1
	}
	status := 0
	for _, document := range bytes.Split(text, []byte("\n---\n")) {
		kind, err := check(document)
		if err != nil {
			fmt.Fprintln(stderr, "strict:", err)
			status = 1
			continue
		}
		fmt.Fprintln(stdout, kind, "ok")
	}
	return status
}

func check(document []byte) (kind string, err error) {
	var head struct{ Kind string }
	if err := yaml.Unmarshal(document, &head); err != nil {
		return "", err
	}
	into, known := map[string]any{
		"Deployment":     new(apps.Deployment),
		"Namespace":      new(core.Namespace),
		"NetworkPolicy":  new(networking.NetworkPolicy),
		"PrometheusRule": new(monitoring.PrometheusRule),
		"Secret":         new(core.Secret),
		"Service":        new(core.Service),
		"ServiceAccount": new(core.ServiceAccount),
		"ServiceMonitor": new(monitoring.ServiceMonitor),
	}[head.Kind]
	if !known {
		return "", fmt.Errorf("kind %q: add its type to this program", head.Kind)
	}
	if err := yaml.UnmarshalStrict(document, into); err != nil {
		return "", fmt.Errorf("%s: %w", head.Kind, err)
	}
	return head.Kind, nil
}
