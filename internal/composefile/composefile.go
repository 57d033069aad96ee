// Package composefile reads the part of compose.yaml that tests hold against
// programs and files. It is no validator of the Compose specification: that is
// docker-compose's own work.
//
//	stack, err := composefile.Read("../compose.yaml")
//	flags := stack.Services["exporter"].Command
package composefile

import (
	"fmt"
	"os"

	"go.yaml.in/yaml/v3"
)

// Stack is the file.
type Stack struct {
	Services map[string]Service `yaml:"services"`
	Volumes  map[string]any     `yaml:"volumes"`
}

// Service is one service of the stack, with every list in its long form.
type Service struct {
	Image       string                `yaml:"image"`
	Build       any                   `yaml:"build"` // nil: the image is pulled, or built by another service
	User        string                `yaml:"user"`
	PID         string                `yaml:"pid"`
	CapAdd      []string              `yaml:"cap_add"`
	CapDrop     []string              `yaml:"cap_drop"`
	SecurityOpt []string              `yaml:"security_opt"`
	Privileged  bool                  `yaml:"privileged"`
	NetworkMode string                `yaml:"network_mode"`
	Entrypoint  []string              `yaml:"entrypoint"`
	Command     []string              `yaml:"command"`
	Environment map[string]string     `yaml:"environment"`
	Ports       []string              `yaml:"ports"`
	Volumes     []Mount               `yaml:"volumes"`
	Healthcheck *Healthcheck          `yaml:"healthcheck"`
	DependsOn   map[string]Dependence `yaml:"depends_on"`
}

// Mount is a file, folder or volume in a container.
type Mount struct {
	Type     string `yaml:"type"` // bind or volume
	Source   string `yaml:"source"`
	Target   string `yaml:"target"`
	ReadOnly bool   `yaml:"read_only"`
}

// Healthcheck is how the engine learns that a service works.
type Healthcheck struct {
	Test []string `yaml:"test"`
}

// Dependence is what a service waits for.
type Dependence struct {
	Condition string `yaml:"condition"`
}

// Read reads a file. Short forms that the fields cannot hold are an error.
func Read(path string) (Stack, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return Stack{}, err
	}
	var s Stack
	if err := yaml.Unmarshal(text, &s); err != nil {
		return Stack{}, fmt.Errorf("read %s: %w", path, err)
	}
	return s, nil
}
