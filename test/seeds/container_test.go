package seeds_test

import (
	"strings"
)

func containerScenarios() []scenario {
	return []scenario{
		{"token-needed", tokenNeeded},
		{"create-a-token", createAToken},
		{"login", login},
		{"push", pushByTag},
		{"private-at-first", privateAtFirst},
		{"made-public", madePublic},
		{"pull-by-digest", pullByDigest},
		{"pull-by-name", pullByName},
		{"pull-by-version", pullByVersion},
		{"build-and-tag", buildAndTag},
		{"formats", formats},
		{"foreign-layers", foreignLayers},
		{"layer-limit", containerLayerLimit},
		{"not-linked-by-its-name", notLinkedByItsName},
		{"labels-in-a-dockerfile", labelsInADockerfile},
		{"labels-by-build-flags", labelsByBuildFlags},
		{"long-labels-are-cut", longLabelsAreCut},
		{"multi-arch-description", multiArchDescription},
		{"inherit-or-own-access", inheritOrOwnAccess},
		{"organization", organization},
		{"internal", internal},
	}
}

func tokenNeeded(s *stage) {
	s.sh("docker logout HOSTNAME")
	s.sh("docker tag monalisa:1.0 HOSTNAME/octocat/needs-a-token:1")
	s.refused("docker push HOSTNAME/octocat/needs-a-token:1", "authentication required")
	s.refused("docker pull HOSTNAME/octocat/needs-a-token:1", "authentication required")
	s.refused("echo wrong | docker login HOSTNAME -u USERNAME --password-stdin", "unauthorized")
}

func createAToken(s *stage) {
	secret := s.admin("token create octocat --scopes write:packages,delete:packages,repo --expires 30d --note laptop")
	if !strings.HasPrefix(secret, "php_") {
		s.t.Errorf("the token is %q", secret)
	}
	list := s.admin("token list octocat")
	for _, text := range []string{"laptop", "write:packages", "delete:packages", "repo"} {
		if !strings.Contains(list, text) {
			s.t.Errorf("the list of tokens lacks %q:\n%s", text, list)
		}
	}
	if strings.Contains(list, secret) {
		s.t.Error("the list shows the secret")
	}
}

func login(s *stage) {
	s.sh("docker logout HOSTNAME")
	out := s.sh("export CR_PAT=$(cat ~/TOKEN.txt); echo $CR_PAT | docker login HOSTNAME -u USERNAME --password-stdin")
	if !strings.Contains(out, "Login Succeeded") {
		s.t.Errorf("docker login says %q", out)
	}
}

func pushByTag(s *stage) {
	s.sh("docker images")
	s.sh("docker tag $(docker images -q monalisa:1.0) HOSTNAME/octocat/dnsutils:1.3")
	s.sh("docker push HOSTNAME/octocat/dnsutils:1.3")
	for _, tag := range []string{"latest", "2.5", "1.14.1"} {
		s.push("HOSTNAME/octocat/image_name:" + tag)
	}
	s.push("HOSTNAME/octocat/dnsutils:latest")
}

func privateAtFirst(s *stage) {
	if got := s.show("octocat/dnsutils").Visibility; got != "private" {
		s.t.Errorf("a new package is %s", got)
	}
	s.forget("HOSTNAME/octocat/dnsutils:1.3")
	s.sh("docker pull HOSTNAME/octocat/dnsutils:1.3")
	stranger := s.r.Account(s.t, "hubot")
	s.login("HOSTNAME", "hubot", stranger)
	s.refused("docker pull HOSTNAME/octocat/dnsutils:1.3", "there is no package")
	s.sh("docker logout HOSTNAME")
	s.refused("docker pull HOSTNAME/octocat/dnsutils:1.3", "authentication required")
}

func madePublic(s *stage) {
	s.admin("package visibility octocat/dnsutils public --yes")
	s.sh("docker logout HOSTNAME")
	s.forget("HOSTNAME/octocat/dnsutils:1.3")
	s.sh("docker pull HOSTNAME/octocat/dnsutils:1.3")
	s.sh("docker tag monalisa:1.0 HOSTNAME/octocat/dnsutils:1.4")
	s.refused("docker push HOSTNAME/octocat/dnsutils:1.4", "authentication required")
}

func pullByDigest(s *stage) {
	s.push("HOSTNAME/octocat/dnsutils:1.3")
	line := s.sh("docker inspect HOSTNAME/octocat/dnsutils:1.3 | grep HOSTNAME/octocat/dnsutils@sha256")
	named := strings.Trim(strings.TrimSpace(line), `",`)
	s.sh("docker rmi HOSTNAME/octocat/dnsutils:1.3")
	s.forget("HOSTNAME/octocat/dnsutils:latest", "HOSTNAME/octocat/dnsutils:1.4")
	out := s.sh("docker pull " + named)
	if _, digest, _ := strings.Cut(named, "@"); !strings.Contains(out, "Digest: "+digest) {
		s.t.Errorf("pulled %s, and docker says\n%s", named, out)
	}
	if got := s.sh("docker images --format '{{.Tag}}' HOSTNAME/octocat/dnsutils"); got != "<none>" {
		s.t.Errorf("the image has the tag %q", got)
	}
}

func pullByName(s *stage) {
	s.forget("HOSTNAME/octocat/dnsutils:latest")
	for _, name := range []string{"HOSTNAME/octocat/dnsutils", "HOSTNAME/octocat/dnsutils:latest"} {
		if out := s.sh("docker pull " + name); !strings.Contains(out, "HOSTNAME/octocat/dnsutils:latest") &&
			!strings.Contains(out, s.script("HOSTNAME/octocat/dnsutils:latest")) {
			s.t.Errorf("docker pull %s says\n%s", name, out)
		}
	}
}

func pullByVersion(s *stage) {
	s.forget("HOSTNAME/octocat/image_name:1.14.1")
	out := s.sh("docker pull HOSTNAME/octocat/image_name:1.14.1")
	if !strings.Contains(out, s.script("HOSTNAME/octocat/image_name:1.14.1")) || !strings.Contains(out, "Digest: sha256:") {
		s.t.Errorf("docker pull says\n%s", out)
	}
}

func buildAndTag(s *stage) {
	s.build("hello_docker", "FROM scratch\nCOPY file /hello\n", "hello docker")
	if out := s.sh("docker images"); !strings.Contains(out, "hello_docker") {
		s.t.Errorf("docker images lacks the image:\n%s", out)
	}
	s.sh("docker tag $(docker images -q hello_docker) HOSTNAME/octocat/new_image_name:latest")
	s.sh("docker push HOSTNAME/octocat/new_image_name:latest")
}

func organization(s *stage) {
	s.admin("org create my-org --owner octocat")
	s.push("HOSTNAME/my-org/hello_docker:latest")
	member := s.r.Account(s.t, "mona")
	s.login("HOSTNAME", "mona", member)
	s.sh("docker tag monalisa:1.0 HOSTNAME/my-org/from-a-member:1")
	s.refused("docker push HOSTNAME/my-org/from-a-member:1", "denied")
	s.admin("org member add my-org mona")
	s.push("HOSTNAME/my-org/from-a-member:1")
}

func internal(s *stage) {
	s.push("HOSTNAME/my-org/for-all-of-us:1")
	s.admin("package visibility my-org/for-all-of-us internal --yes")
	s.login("HOSTNAME", "hubot", s.r.Token(s.t, "hubot", "read:packages"))
	s.sh("docker pull HOSTNAME/my-org/for-all-of-us:1")
	s.sh("docker logout HOSTNAME")
	s.refused("docker pull HOSTNAME/my-org/for-all-of-us:1", "authentication required")
}

func inheritOrOwnAccess(s *stage) {
	reader := s.r.Account(s.t, "reader")
	s.admin("repo grant octocat/octo-app --user reader --role read")
	s.push("HOSTNAME/octocat/inheriting:1")
	s.login("HOSTNAME", "reader", reader)
	s.refused("docker pull HOSTNAME/octocat/inheriting:1", "there is no package")
	s.admin("package link octocat/inheriting octocat/octo-app")
	s.refused("docker pull HOSTNAME/octocat/inheriting:1", "there is no package") // linked later: keeps its own access
	s.admin("package inherit octocat/inheriting on --yes")
	s.sh("docker pull HOSTNAME/octocat/inheriting:1")
	s.sh("docker tag monalisa:1.0 HOSTNAME/octocat/inheriting:2")
	s.refused("docker push HOSTNAME/octocat/inheriting:2", "denied")
	s.admin("package inherit octocat/inheriting off --yes")
	s.refused("docker pull HOSTNAME/octocat/inheriting:1", "there is no package")
	s.admin("package grant octocat/inheriting --user reader --role write")
	s.sh("docker push HOSTNAME/octocat/inheriting:2")
}
