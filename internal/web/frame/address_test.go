package frame_test

import (
	"testing"

	"packhouse/internal/access"
	"packhouse/internal/oci"
	"packhouse/internal/packages"
	"packhouse/internal/web/frame"
)

func name(t *testing.T, s string) oci.Name {
	t.Helper()
	n, err := oci.ParseName(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	octo := packages.Owner{Login: "octo", Organization: true}
	repo := &packages.ListedRepository{Name: name(t, "octo/web")}
	for _, test := range []struct {
		p             packages.Listed
		path, version string
	}{
		{
			packages.Listed{Owner: octo, Type: access.Container, Name: name(t, "octo/app")},
			"/orgs/octo/packages/container/package/app", "/orgs/octo/packages/container/app/7",
		},
		{
			packages.Listed{Owner: packages.Owner{Login: "ann"}, Type: access.Container, Name: name(t, "ann/a/b")},
			"/users/ann/packages/container/package/a%2Fb", "/users/ann/packages/container/a%2Fb/7",
		},
		{
			packages.Listed{Owner: octo, Type: access.Container, Name: name(t, "octo/a/b"), Repository: repo},
			"/octo/web/pkgs/container/a%2Fb", "/octo/web/pkgs/container/a%2Fb/7",
		},
		{
			packages.Listed{Owner: octo, Type: access.Docker, Name: name(t, "octo/web/app"), Repository: repo},
			"/octo/web/pkgs/docker/app", "/octo/web/pkgs/docker/app/7",
		},
		{
			packages.Listed{Owner: octo, Type: access.Docker, Name: name(t, "octo/web/app")},
			"/orgs/octo/packages/docker/package/web%2Fapp", "/orgs/octo/packages/docker/web%2Fapp/7",
		},
	} {
		if got := frame.PackagePath(test.p); got != test.path {
			t.Errorf("%s: %s, want %s", test.p.Name, got, test.path)
		}
		if got := frame.SubPath(test.p, "7"); got != test.version {
			t.Errorf("%s: %s, want %s", test.p.Name, got, test.version)
		}
	}
}

func TestLocalPath(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"/orgs/octo/packages?repo_name=web": "/orgs/octo/packages?repo_name=web",
		"/octo/web/pkgs/container/a%2Fb":    "/octo/web/pkgs/container/a%2Fb",
		"":                                  "/",
		"octo":                              "/",
		"//evil.example":                    "/",
		"/\\evil.example":                   "/",
		"/%2Fevil.example":                  "/",
		"/%5Cevil.example":                  "/",
		"https://evil.example/":             "/",
		"/\tx":                              "/",
		"javascript:alert(1)":               "/",
	} {
		if got := frame.LocalPath(given); got != want {
			t.Errorf("%q: %q, want %q", given, got, want)
		}
	}
}
