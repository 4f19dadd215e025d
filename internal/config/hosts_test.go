package config_test

import (
	"fmt"
	"testing"

	"packhouse/internal/config"
)

func TestHosts(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ yaml, want string }{
		{"{}", "http://localhost:8080 http://localhost:8080 [localhost] []"},
		{"subdomain_isolation: true",
			"http://containers.localhost:8080 http://docker.localhost:8080 [localhost containers.localhost docker.localhost] []"},
		{"{subdomain_isolation: true, url: 'https://Packages.test'}",
			"https://containers.Packages.test https://docker.Packages.test [packages.test containers.packages.test docker.packages.test] []"},
		{"{subdomain_isolation: true, listen: ':443', tls: {acme: {hosts: [packages.test, other.test]}}}",
			"https://containers.packages.test https://docker.packages.test [packages.test containers.packages.test docker.packages.test]" +
				" [packages.test other.test containers.packages.test docker.packages.test]"},
		{"{subdomain_isolation: true, url: 'https://packages.test', tls: {acme: {hosts: [other.test]}}}",
			"https://containers.packages.test https://docker.packages.test [packages.test containers.packages.test docker.packages.test] [other.test]"},
		{"{tls: {acme: {hosts: [packages.test]}}, listen: ':443'}", "https://packages.test https://packages.test [packages.test] [packages.test]"},
	} {
		c, err := config.Load(config.Sources{File: file(t, tt.yaml)})
		if err != nil {
			t.Errorf("%s: %v", tt.yaml, err)
			continue
		}
		got := fmt.Sprintf("%s %s %v %v", c.ContainersURL(), c.DockerURL(), c.Hosts(), c.CertificateHosts())
		if got != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.yaml, got, tt.want)
		}
	}
}
