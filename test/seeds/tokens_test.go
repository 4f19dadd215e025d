package seeds_test

import (
	"net/http"
	"strings"

	"packhouse/internal/testkit"
)

func tokenScenarios() []scenario {
	return []scenario{
		{"scopes", scopes},
		{"bearer", bearer},
		{"workflow-publishes-linked", workflowPublishesLinked},
		{"workflow-refused-until-linked", workflowRefusedUntilLinked},
		{"label-lets-the-workflow-in", labelLetsTheWorkflowIn},
		{"workflow-reads-what-grants-it", workflowReadsWhatGrantsIt},
		{"actions-and-codespaces-access", actionsAndCodespacesAccess},
		{"single-sign-on", singleSignOn},
		{"fine-grained", fineGrained},
		{"identity", identity},
	}
}

func scopes(s *stage) {
	s.login("HOSTNAME", "octocat", s.c.Token)
	s.push("HOSTNAME/octocat/scoped:1")
	s.login("HOSTNAME", "octocat", s.r.Token(s.t, "octocat", "read:packages"))
	s.forget("HOSTNAME/octocat/scoped:1")
	s.sh("docker pull HOSTNAME/octocat/scoped:1")
	s.sh("docker tag monalisa:1.0 HOSTNAME/octocat/scoped:2")
	s.refused("docker push HOSTNAME/octocat/scoped:2", "write:packages")

	write := s.r.Token(s.t, "octocat", "write:packages")
	s.login("HOSTNAME", "octocat", write)
	s.sh("docker push HOSTNAME/octocat/scoped:2")
	s.forget("HOSTNAME/octocat/scoped:2")
	s.sh("docker pull HOSTNAME/octocat/scoped:2")
	const tag = "/v2/octocat/scoped/manifests/2"
	if status, body := s.request(http.MethodDelete, "HOSTNAME", tag, write, nil); status != http.StatusUnauthorized || !strings.Contains(body, "delete:packages") {
		s.t.Errorf("a delete without the scope is answered %d %s", status, body)
	}
	remove := s.r.Token(s.t, "octocat", "read:packages,delete:packages")
	if status, body := s.request(http.MethodDelete, "HOSTNAME", tag, remove, nil); status != http.StatusAccepted {
		s.t.Errorf("a delete is answered %d %s", status, body)
	}
}

// bearer is how programs that are no container client use a token.
func bearer(s *stage) {
	status, body := s.request(http.MethodGet, "HOSTNAME", "/v2/octocat/scoped/tags/list", "", nil, "Authorization", "Bearer "+s.c.Token)
	if status != http.StatusOK || !strings.Contains(body, `"1"`) {
		s.t.Errorf("the tags are answered %d %s", status, body)
	}
}

func workflowPublishesLinked(s *stage) {
	job := s.admin("workflow-token create octocat/octo-app --permissions packages=write")
	s.login("HOSTNAME", "octocat", job)
	s.push("HOSTNAME/octocat/from-workflow:1")
	p := s.show("octocat/from-workflow")
	if p.Repository != "octocat/octo-app" || !p.Inherits {
		s.t.Errorf("the package is shown as %+v", p)
	}
	status, body := s.request(http.MethodDelete, "HOSTNAME", "/v2/octocat/from-workflow/manifests/1", job, nil)
	if status != http.StatusAccepted {
		s.t.Errorf("the workflow's delete is answered %d %s", status, body)
	}
	readOnly := s.admin("workflow-token create octocat/octo-app --permissions packages=read")
	s.login("HOSTNAME", "octocat", readOnly)
	s.refused("docker push HOSTNAME/octocat/from-workflow:1", "denied")
}

func workflowRefusedUntilLinked(s *stage) {
	s.push("HOSTNAME/octocat/older:1")
	s.login("HOSTNAME", "octocat", s.admin("workflow-token create octocat/octo-app"))
	s.sh("docker tag monalisa:1.0 HOSTNAME/octocat/older:2")
	s.refused("docker push HOSTNAME/octocat/older:2", "octocat/older", "octocat/octo-app", "packhouse admin package")
	s.admin("package link octocat/older octocat/octo-app")
	s.sh("docker push HOSTNAME/octocat/older:2")
}

func labelLetsTheWorkflowIn(s *stage) {
	s.build(s.script("HOSTNAME/octocat/labelled:1"), "FROM scratch\nCOPY file /file\n", "label",
		"--label", "org.opencontainers.image.source="+s.r.URL+"/octocat/octo-app")
	s.sh("docker push HOSTNAME/octocat/labelled:1")
	s.login("HOSTNAME", "octocat", s.admin("workflow-token create octocat/octo-app"))
	s.push("HOSTNAME/octocat/labelled:2")
}

func workflowReadsWhatGrantsIt(s *stage) {
	s.admin("repo create octocat/elsewhere")
	s.login("HOSTNAME", "octocat", s.admin("workflow-token create octocat/elsewhere"))
	s.push("HOSTNAME/octocat/of-elsewhere:1")
	job := s.admin("workflow-token create octocat/octo-app --permissions packages=read")
	s.login("HOSTNAME", "octocat", job)
	s.refused("docker pull HOSTNAME/octocat/of-elsewhere:1", "there is no package")
	s.login("HOSTNAME", "octocat", s.r.Token(s.t, "octocat", "read:packages"))
	s.sh("docker pull HOSTNAME/octocat/of-elsewhere:1")
	s.admin("package grant octocat/of-elsewhere --repository octocat/octo-app --role read")
	s.login("HOSTNAME", "octocat", job)
	s.sh("docker pull HOSTNAME/octocat/of-elsewhere:1")
}

func actionsAndCodespacesAccess(s *stage) {
	s.push("HOSTNAME/octocat/guarded:1")
	codespace := s.admin("workflow-token create octocat/octo-app --codespace")
	s.login("HOSTNAME", "octocat", codespace)
	s.refused("docker pull HOSTNAME/octocat/guarded:1", "there is no package")
	s.admin("package grant octocat/guarded --repository octocat/octo-app --role write")
	s.refused("docker pull HOSTNAME/octocat/guarded:1", "there is no package") // jobs have it now, codespaces do not
	s.admin("package grant octocat/guarded --repository octocat/octo-app --codespaces")
	s.sh("docker pull HOSTNAME/octocat/guarded:1")
	s.sh("docker tag monalisa:1.0 HOSTNAME/octocat/guarded:2")
	s.refused("docker push HOSTNAME/octocat/guarded:2", "denied")
	s.login("HOSTNAME", "octocat", s.admin("workflow-token create octocat/octo-app"))
	s.sh("docker push HOSTNAME/octocat/guarded:2")
}

func singleSignOn(s *stage) {
	s.admin("org create sso-org --owner octocat")
	s.push("HOSTNAME/sso-org/app:1")
	s.admin("org set sso-org --require-sso=true")
	s.sh("docker tag monalisa:1.0 HOSTNAME/sso-org/app:2")
	s.refused("docker push HOSTNAME/sso-org/app:2", "single sign-on")
	secret := s.admin("token create octocat --scopes write:packages --note for-sso")
	s.login("HOSTNAME", "octocat", secret)
	s.refused("docker push HOSTNAME/sso-org/app:2", "single sign-on")
	s.admin("token authorize " + s.tokenID("octocat", "for-sso") + " sso-org")
	s.sh("docker push HOSTNAME/sso-org/app:2")
}

// tokenID returns the id of the token with a note, from the list of tokens.
func (s *stage) tokenID(login, note string) string {
	s.t.Helper()
	for line := range strings.Lines(s.admin("token list " + login)) {
		if fields := strings.Fields(line); strings.Contains(line, note) {
			return fields[0]
		}
	}
	s.t.Fatalf("no token with the note %q", note)
	return ""
}

func fineGrained(s *stage) {
	s.push("HOSTNAME/octocat/fine:1")
	s.push("HOSTNAME/octocat/other:1")
	secret := s.admin("token create-fine-grained octocat --package octocat/fine:pull,push --expires 30d")
	if !strings.HasPrefix(secret, "phf_") {
		s.t.Errorf("the token is %q", secret)
	}
	s.login("HOSTNAME", "octocat", secret)
	s.sh("docker pull HOSTNAME/octocat/fine:1")
	s.push("HOSTNAME/octocat/fine:2")
	s.refused("docker pull HOSTNAME/octocat/other:1", "there is no package")
	s.sh("docker tag monalisa:1.0 HOSTNAME/octocat/other:2")
	s.refused("docker push HOSTNAME/octocat/other:2", "token")
	status, body := s.request(http.MethodDelete, "HOSTNAME", "/v2/octocat/fine/manifests/2", secret, nil)
	if status != http.StatusUnauthorized {
		s.t.Errorf("a delete that the token was not made for is answered %d %s", status, body)
	}
}

func identity(s *stage) {
	issuer := testkit.Issuer(s.t)
	s.admin("trust add --repository octocat/octo-app --issuer " + issuer.URL +
		" --audience " + s.r.URL + " --claim repository=octocat/octo-app --actions pull,push")
	ours := issuer.Mint(s.t, map[string]any{"aud": s.r.URL, "sub": "job", "repository": "octocat/octo-app"})
	s.login("HOSTNAME", "octocat/octo-app", ours)
	s.push("HOSTNAME/octocat/trusted:1")
	if p := s.show("octocat/trusted"); p.Repository != "octocat/octo-app" {
		s.t.Errorf("the package is shown as %+v", p)
	}
	s.sh("docker tag monalisa:1.0 HOSTNAME/octocat/older-still:1")
	s.login("HOSTNAME", "octocat", s.c.Token)
	s.push("HOSTNAME/octocat/older-still:1")
	s.login("HOSTNAME", "octocat/octo-app", ours)
	s.refused("docker push HOSTNAME/octocat/older-still:1", "octocat/older-still", "octocat/octo-app")
	theirs := issuer.Mint(s.t, map[string]any{"aud": s.r.URL, "sub": "job", "repository": "hubot/other"})
	s.refused("echo "+theirs+" | docker login HOSTNAME -u job --password-stdin", "unauthorized")
}
