package main

import (
	"os"
	"path/filepath"
)

// resourceName is the file and the resource that holds all groups.
const resourceName = "prometheusrule.yaml"

// prometheusRule is what the Prometheus Operator hands on to Prometheus. It does
// not look at labels other than those its own ruleSelector names.
type prometheusRule struct {
	APIVersion string           `yaml:"apiVersion"`
	Kind       string           `yaml:"kind"`
	Metadata   resourceMetadata `yaml:"metadata"`
	Spec       ruleFile         `yaml:"spec"`
}

type resourceMetadata struct {
	Name   string            `yaml:"name"`
	Labels map[string]string `yaml:"labels"`
}

// writeResource writes every group into one resource.
func writeResource(folder string, s settings) error {
	out := prometheusRule{
		APIVersion: "monitoring.coreos.com/v1",
		Kind:       "PrometheusRule",
		Metadata:   resourceMetadata{"token-persistence", map[string]string{"app.kubernetes.io/name": "token-persistence-exporter"}},
	}
	for _, g := range groups() {
		rules, err := g.rules(s)
		if err != nil {
			return err
		}
		out.Spec.Groups = append(out.Spec.Groups, rules)
	}
	text, err := encode(out)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, resourceName), text, 0o666)
}
