package seeds_test

import (
	"net/http"
	"strings"
)

func isolatedScenarios() []scenario {
	return []scenario{
		{"login", isolatedLogin},
		{"no-docker-registry-without-login", isolatedStranger},
		{"push-by-image-id", isolatedPush},
		{"build-and-push", isolatedBuild},
		{"pull-by-tag", isolatedPull},
		{"upper-case", isolatedUpperCase},
		{"several-images-and-tags", isolatedSeveral},
		{"foreign-layers", isolatedForeign},
		{"layer-limit", isolatedLayerLimit},
		{"repository-permissions", isolatedPermissions},
		{"workflow-publishes", isolatedWorkflow},
		{"public-repository-anonymously", isolatedAnonymous},
		{"container-registry-beside", isolatedContainer},
		{"switches", isolatedSwitches},
		{"move-to-container-registry", isolatedMove},
	}
}

func bareScenarios() []scenario {
	return []scenario{
		{"login", bareLogin},
		{"push-by-image-id", barePush},
		{"build-and-push", bareBuild},
		{"pull-by-tag", barePull},
	}
}

const dockerImage = "docker.HOSTNAME/octocat/octo-app/monalisa"

func isolatedLogin(s *stage) {
	out := s.sh("cat ~/TOKEN.txt | docker login docker.HOSTNAME -u USERNAME --password-stdin")
	if !strings.Contains(out, "Login Succeeded") {
		s.t.Errorf("docker login says %q", out)
	}
}

func isolatedStranger(s *stage) {
	s.sh("docker logout docker.HOSTNAME")
	s.refused("docker pull "+dockerImage+":1.0", "authentication required")
	s.sh("docker tag monalisa:1.0 " + dockerImage + ":1.0")
	s.refused("docker push "+dockerImage+":1.0", "authentication required")
}

func isolatedPush(s *stage) {
	if out := s.sh("docker images"); !strings.Contains(out, "monalisa") {
		s.t.Errorf("docker images lacks the image:\n%s", out)
	}
	s.sh("docker tag $(docker images -q monalisa:1.0) " + dockerImage + ":1.0")
	s.sh("docker push " + dockerImage + ":1.0")
	p := s.show("octocat/octo-app/monalisa", "--type", "docker")
	if p.Type != "docker" || p.Repository != "octocat/octo-app" || p.Visibility != "private" {
		s.t.Errorf("the package is shown as %+v", p)
	}
}

func isolatedBuild(s *stage) {
	s.c.Write("here/Dockerfile", "FROM scratch\nCOPY file /first\n")
	s.c.Write("here/file", "first time\n")
	s.sh("cd ~/here && docker build -t docker.HOSTNAME/octocat/octo-app/first:1.0 .")
	s.sh("docker push docker.HOSTNAME/octocat/octo-app/first:1.0")
}

func isolatedPull(s *stage) {
	s.forget(dockerImage + ":1.0")
	s.sh("docker pull " + dockerImage + ":1.0")
	if got, want := s.sh("docker images -q "+dockerImage+":1.0"), s.sh("docker images -q monalisa:1.0"); got != want {
		s.t.Errorf("pulled the image %s, want %s", got, want)
	}
}

func isolatedUpperCase(s *stage) {
	s.refused("docker tag monalisa:1.0 docker.HOSTNAME/octocat/octo-app/MonaLisa:1.0", "lowercase")
	status, body := s.request(http.MethodPost, "docker.HOSTNAME", "/v2/octocat/octo-app/MonaLisa/blobs/uploads/", s.c.Token, nil)
	if status != http.StatusBadRequest || !strings.Contains(body, "octocat/octo-app/monalisa") {
		s.t.Errorf("an upper-case name is answered %d %s", status, body)
	}
}

func isolatedSeveral(s *stage) {
	for _, rest := range []string{"monalisa:1.1", "monalisa:latest", "second:1.0", "third/nested:1.0"} {
		s.push("docker.HOSTNAME/octocat/octo-app/" + rest)
	}
	_, body := s.request(http.MethodGet, "docker.HOSTNAME", "/v2/octocat/octo-app/monalisa/tags/list", s.c.Token, nil)
	for _, tag := range []string{`"1.0"`, `"1.1"`, `"latest"`} {
		if !strings.Contains(body, tag) {
			s.t.Errorf("the tags lack %s: %s", tag, body)
		}
	}
}

func isolatedForeign(s *stage) {
	image := s.foreignImage()
	content, err := image.RawManifest()
	if err != nil {
		s.t.Fatal(err)
	}
	media, err := image.MediaType()
	if err != nil {
		s.t.Fatal(err)
	}
	status, body := s.manifest("docker.HOSTNAME", "/v2/octocat/octo-app/windows/manifests/1", s.c.Token, content, string(media))
	if status/100 != 4 || !strings.Contains(body, "foreign") {
		s.t.Errorf("an image with a foreign layer is answered %d %s", status, body)
	}
}

func isolatedLayerLimit(s *stage) {
	s.refusesLayer("docker.HOSTNAME", "octocat/octo-app/large", 5<<30)
}

func isolatedPermissions(s *stage) {
	reader := s.r.Account(s.t, "hubot")
	s.login("docker.HOSTNAME", "hubot", reader)
	s.refused("docker pull "+dockerImage+":1.1", "there is no package")
	s.admin("repo grant octocat/octo-app --user hubot --role read")
	s.sh("docker pull " + dockerImage + ":1.1")
	s.refused("docker push "+dockerImage+":1.1", "denied")
	s.admin("repo grant octocat/octo-app --user hubot --role write")
	s.sh("docker push " + dockerImage + ":1.1")
	s.login("docker.HOSTNAME", "octocat", s.c.Token)
	s.sh("docker tag monalisa:1.0 docker.HOSTNAME/octocat/no-such-repository/monalisa:1.0")
	s.refused("docker push docker.HOSTNAME/octocat/no-such-repository/monalisa:1.0", "no-such-repository", "packhouse admin repo create")
}

func isolatedWorkflow(s *stage) {
	s.login("docker.HOSTNAME", "octocat", s.admin("workflow-token create octocat/octo-app"))
	s.push("docker.HOSTNAME/octocat/octo-app/by-workflow:1")
	s.admin("repo create octocat/other")
	s.sh("docker tag monalisa:1.0 docker.HOSTNAME/octocat/other/app:1")
	s.refused("docker push docker.HOSTNAME/octocat/other/app:1", "denied")
}

func isolatedAnonymous(s *stage) {
	s.admin("repo visibility octocat/octo-app public")
	s.sh("docker logout docker.HOSTNAME")
	s.forget(dockerImage + ":1.1")
	s.sh("docker pull " + dockerImage + ":1.1")
	s.admin("repo visibility octocat/octo-app private")
	s.forget(dockerImage + ":1.1")
	s.refused("docker pull "+dockerImage+":1.1", "authentication required")
}

func isolatedContainer(s *stage) {
	s.push("containers.HOSTNAME/octocat/hello_docker:latest")
	s.refused("docker pull docker.HOSTNAME/octocat/hello_docker:latest", "there is no package")
	s.refused("docker pull containers.HOSTNAME/octocat/octo-app/monalisa:1.0", "there is no package")
}

func isolatedSwitches(s *stage) {
	s.admin("site registry docker read-only")
	s.sh("docker pull " + dockerImage + ":1.0")
	s.sh("docker tag monalisa:1.0 " + dockerImage + ":2.0")
	s.refused("docker push "+dockerImage+":2.0", "read-only")
	s.push("containers.HOSTNAME/octocat/hello_docker:still")
	s.admin("site registry docker disabled")
	s.forget(dockerImage + ":1.0")
	s.refused("docker pull "+dockerImage+":1.0", "disabled on this server")
	s.admin("site registry docker enabled")
	s.sh("docker push " + dockerImage + ":2.0")
}

func isolatedMove(s *stage) {
	s.push("containers.HOSTNAME/octocat/octo-app/second:other")
	out, said, err := s.r.TryAdmin(s.t, "migrate-docker", "octocat")
	if err == nil || !strings.Contains(said, "octocat/octo-app/second") {
		s.t.Errorf("the conflict is not told: %v\n%s%s", err, out, said)
	}
	s.sh("docker pull containers.HOSTNAME/octocat/octo-app/monalisa:1.0")
	s.forget(dockerImage + ":1.0")
	s.sh("docker pull " + dockerImage + ":1.0")
	s.push(dockerImage + ":3.0")
	s.sh("docker pull containers.HOSTNAME/octocat/octo-app/monalisa:3.0")
	if p := s.show("octocat/octo-app/monalisa"); p.Type != "container" || p.Repository != "octocat/octo-app" {
		s.t.Errorf("the package is shown as %+v", p)
	}
	s.sh("docker pull docker.HOSTNAME/octocat/octo-app/second:1.0")
}

func bareLogin(s *stage) {
	out := s.sh("cat ~/TOKEN.txt | docker login HOSTNAME -u USERNAME --password-stdin")
	if !strings.Contains(out, "Login Succeeded") {
		s.t.Errorf("docker login says %q", out)
	}
}

func barePush(s *stage) {
	s.sh("docker tag $(docker images -q monalisa:1.0) HOSTNAME/octocat/octo-app/monalisa:1.0")
	s.sh("docker push HOSTNAME/octocat/octo-app/monalisa:1.0")
	if p := s.show("octocat/octo-app/monalisa", "--type", "docker"); p.Type != "docker" {
		s.t.Errorf("the package is shown as %+v", p)
	}
}

func bareBuild(s *stage) {
	s.c.Write("here/Dockerfile", "FROM scratch\nCOPY file /first\n")
	s.c.Write("here/file", "first time\n")
	s.sh("docker build -t HOSTNAME/octocat/octo-app/first:1.0 ~/here")
	s.sh("docker push HOSTNAME/octocat/octo-app/first:1.0")
}

func barePull(s *stage) {
	s.forget("HOSTNAME/octocat/octo-app/monalisa:1.0")
	s.sh("docker pull HOSTNAME/octocat/octo-app/monalisa:1.0")
}
