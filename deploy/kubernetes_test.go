package deploy_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/relabel"
	"go.yaml.in/yaml/v3"
)

// The part of the manifests that has to agree with something else.
type manifest struct {
	Kind     string
	Metadata struct {
		Name   string
		Labels map[string]string
	}
	Automount *bool `yaml:"automountServiceAccountToken"`
	Spec      struct {
		Replicas int
		Strategy struct{ Type string }
		Selector yaml.Node
		Template struct {
			Metadata struct{ Labels map[string]string }
			Spec     pod
		}
		Ports     []struct{ Name string }
		JobLabel  string `yaml:"jobLabel"`
		Endpoints []struct {
			Port        string
			Relabelings []struct {
				SourceLabels             []string `yaml:"sourceLabels"`
				TargetLabel              string   `yaml:"targetLabel"`
				Separator, Action, Regex string
			}
		}
	}
}

type pod struct {
	ServiceAccountName string `yaml:"serviceAccountName"`
	Automount          *bool  `yaml:"automountServiceAccountToken"`
	Grace              int    `yaml:"terminationGracePeriodSeconds"`
	SecurityContext    struct {
		RunAsNonRoot bool `yaml:"runAsNonRoot"`
		RunAsUser    int  `yaml:"runAsUser"`
	} `yaml:"securityContext"`
	Containers []struct {
		Args  []string
		Ports []struct {
			Name          string
			ContainerPort int `yaml:"containerPort"`
		}
		LivenessProbe   probe `yaml:"livenessProbe"`
		ReadinessProbe  probe `yaml:"readinessProbe"`
		SecurityContext struct {
			ReadOnly     bool  `yaml:"readOnlyRootFilesystem"`
			Escalation   *bool `yaml:"allowPrivilegeEscalation"`
			Capabilities struct{ Drop []string }
		} `yaml:"securityContext"`
		VolumeMounts []struct {
			MountPath string `yaml:"mountPath"`
		} `yaml:"volumeMounts"`
	}
	Volumes []struct {
		Name   string
		Secret struct {
			SecretName string `yaml:"secretName"`
		}
	}
}

type probe struct {
	HTTPGet struct{ Path, Port string } `yaml:"httpGet"`
}

// manifests reads every resource that a kustomization lists, those of the
// folders it names too.
func manifests(t *testing.T, folder string) map[string]manifest {
	t.Helper()
	var list struct{ Resources []string }
	decode(t, filepath.Join(folder, "kustomization.yaml"), &list)
	out := map[string]manifest{}
	for _, name := range list.Resources {
		path := filepath.Join(folder, name)
		if info, err := os.Stat(path); err != nil {
			t.Fatal(err)
		} else if info.IsDir() {
			for kind, m := range manifests(t, path) {
				out[kind] = m
			}
			continue
		}
		var m manifest
		decode(t, path, &m)
		out[m.Kind] = m
	}
	return out
}

func decode(t *testing.T, path string, into any) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	if err := decoder.Decode(into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		t.Fatalf("%s: want one document a file, for the tests that read them", path)
	}
}

// TestManifestsAgree holds the manifests against each other and against what
// the program can do.
func TestManifestsAgree(t *testing.T) {
	all := manifests(t, filepath.Join("kubernetes", "prometheus-operator"))
	for _, kind := range []string{"Namespace", "ServiceAccount", "Deployment", "Service", "NetworkPolicy", "ServiceMonitor", "PrometheusRule"} {
		if _, ok := all[kind]; !ok {
			t.Fatalf("no %s", kind)
		}
	}
	deployment := all["Deployment"].Spec
	spec := deployment.Template.Spec
	c := spec.Containers[0]
	for _, check := range []struct {
		what string
		ok   bool
	}{
		{"one exporter per database", deployment.Replicas == 1 && deployment.Strategy.Type == "Recreate"},
		{"the account exists", spec.ServiceAccountName == all["ServiceAccount"].Metadata.Name},
		{"no token of Kubernetes in the pod", spec.Automount != nil && !*spec.Automount && all["ServiceAccount"].Automount != nil && !*all["ServiceAccount"].Automount},
		{"the image's account", spec.SecurityContext.RunAsNonRoot && spec.SecurityContext.RunAsUser == 65532},
		{"no right to write or to rise", c.SecurityContext.ReadOnly && c.SecurityContext.Escalation != nil && !*c.SecurityContext.Escalation && slices.Equal(c.SecurityContext.Capabilities.Drop, []string{"ALL"})},
		{"the longest scrape ends before the pod", spec.Grace > 120},
		{"probes that do not ask the database", c.LivenessProbe.HTTPGet.Path == "/-/healthy" && c.ReadinessProbe.HTTPGet.Path == "/-/ready"},
		{"the exporter's port", len(c.Ports) == 1 && c.Ports[0].ContainerPort == 9851},
		{"one name for the port", c.Ports[0].Name == c.LivenessProbe.HTTPGet.Port && c.Ports[0].Name == all["Service"].Spec.Ports[0].Name && c.Ports[0].Name == all["ServiceMonitor"].Spec.Endpoints[0].Port},
		{"the flag names the mounted secret", len(c.VolumeMounts) == 1 && slices.Contains(c.Args, "--mysqld.password-file="+c.VolumeMounts[0].MountPath+"/password")},
	} {
		if !check.ok {
			t.Errorf("the manifests do not say: %s", check.what)
		}
	}
	var secret manifest
	decode(t, filepath.Join("kubernetes", "secret.example.yaml"), &secret)
	if len(spec.Volumes) != 1 || spec.Volumes[0].Secret.SecretName != secret.Metadata.Name {
		t.Errorf("the pod mounts %v and the example is called %s", spec.Volumes, secret.Metadata.Name)
	}
}

// TestScrapedLabels lets Prometheus' own code rewrite the labels that the
// operator gives a target: the rules want a job that begins with
// token-persistence, and no label that changes with the pod.
func TestScrapedLabels(t *testing.T) {
	all := manifests(t, filepath.Join("kubernetes", "prometheus-operator"))
	monitor := all["ServiceMonitor"].Spec
	builder := labels.NewBuilder(labels.FromMap(map[string]string{
		"__meta_kubernetes_namespace":                                "apim",
		"__meta_kubernetes_service_name":                             all["Service"].Metadata.Name,
		"__meta_kubernetes_service_label_app_kubernetes_io_instance": "production",
		"__address__": "10.1.2.3:9851", "instance": "10.1.2.3:9851",
		"job":       all["Service"].Metadata.Labels[monitor.JobLabel],
		"namespace": "apim", "service": "token-persistence-exporter", "pod": "token-persistence-exporter-7d9f", "container": "exporter", "endpoint": "metrics",
	}))
	for _, r := range monitor.Endpoints[0].Relabelings {
		c := relabel.DefaultRelabelConfig
		c.NameValidationScheme = model.LegacyValidation
		for _, name := range r.SourceLabels {
			c.SourceLabels = append(c.SourceLabels, model.LabelName(name))
		}
		if r.Separator != "" {
			c.Separator = r.Separator
		}
		if r.Action != "" {
			c.Action = relabel.Action(r.Action)
		}
		if r.Regex != "" {
			c.Regex = relabel.MustNewRegexp(r.Regex)
		}
		c.TargetLabel = r.TargetLabel
		if !relabel.ProcessBuilder(builder, &c) {
			t.Fatal("the target is dropped")
		}
	}
	got := builder.Labels().Map()
	for name := range got {
		if name[:2] == "__" {
			delete(got, name)
		}
	}
	want := map[string]string{"job": "token-persistence-exporter", "instance": "apim/token-persistence-exporter", "deployment": "production"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("labels of the series (-want +got):\n%s", diff)
	}
}
