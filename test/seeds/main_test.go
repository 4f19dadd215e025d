package seeds_test

import (
	"testing"

	"packhouse/test/lab"
)

// program is the built packhouse: made once and only read by tests.
var program lab.Program

func TestMain(m *testing.M) { lab.Main(m, &program, nil) }

// A scenario is one command block or one rule of the documents.
type scenario struct {
	name string
	play func(s *stage)
}

// A group is scenarios that share a registry and an engine. They are played in
// the order of the documents; later ones find what earlier ones pushed.
type group struct {
	name      string
	host      string // of the public address; "" for the loopback address
	settings  []string
	scenarios []scenario
}

func groups() []group {
	return []group{
		{"container", "", []string{"PACKHOUSE_REGISTRY_SOURCE_HOSTS=github.com"}, containerScenarios()},
		{"tokens", "", []string{"PACKHOUSE_IDENTITY_ALLOW_PRIVATE_ISSUERS=true"}, tokenScenarios()},
		{"isolated", "packhouse.test", []string{"PACKHOUSE_SUBDOMAIN_ISOLATION=true"}, isolatedScenarios()},
		{"bare", "", []string{"PACKHOUSE_BARE_HOST=docker"}, bareScenarios()},
	}
}

func TestSeeds(t *testing.T) {
	t.Parallel()
	for _, g := range groups() {
		t.Run(g.name, func(t *testing.T) {
			t.Parallel()
			first := newStage(t, g)
			for _, sc := range g.scenarios {
				t.Run(sc.name, func(t *testing.T) {
					sc.play(first.in(t))
				})
			}
		})
	}
}
