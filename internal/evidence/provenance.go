package evidence

import (
	"encoding/json"
	"strings"
)

// Provenance is what a statement says of how something was built.
type Provenance struct {
	Builder, BuildType string
	// Source is the address of the source, and Commit which state of it.
	Source, Commit string
	// Materials is how many things went into it.
	Materials int64
}

// digests are sums by the names of their algorithms.
type digests map[string]string

func (d digests) commit() string { return first(d["gitCommit"], d["sha1"]) }

type material struct {
	URI    string  `json:"uri"`
	Digest digests `json:"digest"`
}

// statement is in-toto.
func (f *Facts) statement(content []byte, depth int) {
	var s struct {
		PredicateType string          `json:"predicateType"`
		Predicate     json.RawMessage `json:"predicate"`
	}
	if json.Unmarshal(content, &s) != nil {
		return
	}
	f.Predicate = text(s.PredicateType)
	switch {
	case strings.HasPrefix(s.PredicateType, "https://slsa.dev/provenance/v0"):
		f.provenanceV0(s.Predicate)
	case strings.HasPrefix(s.PredicateType, "https://slsa.dev/provenance/"):
		f.provenanceV1(s.Predicate)
	case strings.HasPrefix(s.PredicateType, "https://sigstore.dev/cosign/sign/"):
		f.signatureOfStatement(content)
	default:
		f.document(s.Predicate, depth+1) // a bill of materials, maybe
	}
}

// source is where BuildKit says what the source was.
type source struct {
	Source   string `json:"source"`
	Revision string `json:"revision"`
}

func (f *Facts) provenanceV0(predicate []byte) {
	var p struct {
		Builder struct {
			ID string `json:"id"`
		} `json:"builder"`
		BuildType  string `json:"buildType"`
		Invocation struct {
			ConfigSource material `json:"configSource"`
		} `json:"invocation"`
		Materials []material `json:"materials"`
		Metadata  struct {
			BuildKit struct {
				VCS source `json:"vcs"`
			} `json:"https://mobyproject.org/buildkit@v1#metadata"`
		} `json:"metadata"`
	}
	if json.Unmarshal(predicate, &p) != nil {
		return
	}
	from, vcs := p.Invocation.ConfigSource, p.Metadata.BuildKit.VCS
	f.Provenance = &Provenance{
		Builder: text(p.Builder.ID), BuildType: text(p.BuildType),
		Source: first(vcs.Source, from.URI), Commit: first(vcs.Revision, from.Digest.commit()), Materials: int64(len(p.Materials)),
	}
}

func (f *Facts) provenanceV1(predicate []byte) {
	type parameters struct {
		ConfigSource material `json:"configSource"`
		Workflow     struct {
			Repository string `json:"repository"`
		} `json:"workflow"`
	}
	var p struct {
		BuildDefinition struct {
			BuildType            string          `json:"buildType"`
			ExternalParameters   json.RawMessage `json:"externalParameters"` // as each build type likes
			ResolvedDependencies []material      `json:"resolvedDependencies"`
		} `json:"buildDefinition"`
		RunDetails struct {
			Builder struct {
				ID string `json:"id"`
			} `json:"builder"`
			Metadata struct {
				BuildKit struct {
					VCS source `json:"vcs"`
				} `json:"buildkit_metadata"`
			} `json:"metadata"`
		} `json:"runDetails"`
	}
	if json.Unmarshal(predicate, &p) != nil {
		return
	}
	d, vcs := p.BuildDefinition, p.RunDetails.Metadata.BuildKit.VCS
	var given parameters
	_ = json.Unmarshal(d.ExternalParameters, &given) // what is of another form says nothing
	f.Provenance = &Provenance{
		Builder: text(p.RunDetails.Builder.ID), BuildType: text(d.BuildType),
		Source: first(vcs.Source, given.ConfigSource.URI, given.Workflow.Repository), Commit: first(vcs.Revision, given.ConfigSource.Digest.commit()),
		Materials: int64(len(d.ResolvedDependencies)),
	}
	for _, m := range d.ResolvedDependencies {
		if f.Provenance.Commit == "" && strings.HasPrefix(m.URI, "git+") {
			f.Provenance.Commit = m.Digest.commit()
			f.Provenance.Source = first(f.Provenance.Source, strings.TrimPrefix(m.URI, "git+"))
		}
	}
}
