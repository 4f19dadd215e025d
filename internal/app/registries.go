package app

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"packhouse/internal/access"
	tokenapi "packhouse/internal/api/token"
	v2 "packhouse/internal/api/v2"
	"packhouse/internal/config"
	"packhouse/internal/errs"
	"packhouse/internal/httpx"
	"packhouse/internal/oci"
	"packhouse/internal/store"
)

// reach is what lies behind an address: the packages of one registry, or those
// of one and then also of the other. The meaning is that of access.Package.
type reach struct{ kind, also access.PackageType }

// bareReach is what lies on HOST itself.
func bareReach(cfg *config.Config) reach {
	if cfg.BareHost == config.BareDocker {
		return reach{access.Docker, access.Container}
	}
	return reach{access.Container, access.Docker}
}

// composeRegistries makes the /v2/ and the token endpoint of every host.
func (a *App) composeRegistries(cfg *config.Config) error {
	bare, err := a.front(cfg, cfg.URL, bareReach(cfg))
	if err != nil {
		return err
	}
	a.Handlers.Registry, a.Handlers.Token = bare.Registry, bare.Token
	if !cfg.SubdomainIsolation {
		return nil
	}
	a.Handlers.Registry = notHere("this host serves no images: the Container registry is " +
		withoutScheme(cfg.ContainersURL()) + " and the Docker registry is " + withoutScheme(cfg.DockerURL()))
	containers, err := a.front(cfg, cfg.ContainersURL(), reach{kind: access.Container})
	if err != nil {
		return err
	}
	docker, err := a.front(cfg, cfg.DockerURL(), reach{kind: access.Docker})
	hosts := cfg.Hosts()
	a.Handlers.Hosts = map[string]Front{hosts[1]: containers, hosts[2]: docker} // in the order of Addresses
	return err
}

// front makes the /v2/ and the token endpoint of one address. A bearer token of
// one holds on the others too: it narrows what its account may do, by names, and
// what that is is looked up in the registry that was asked.
func (a *App) front(cfg *config.Config, address string, r reach) (Front, error) {
	public, err := url.Parse(address)
	if err != nil {
		return Front{}, err
	}
	h, err := v2.New(v2.Deps{
		Registry: a.Registry, Authenticator: a.Tokens, Realm: v2.NewRealm(public), Type: r.kind, Also: r.also,
		MaxParallelUploads: cfg.Registry.MaxUploads, Pulls: a.Downloads,
	})
	return Front{
		Registry: a.pushes.watch(h),
		Token: tokenapi.New(tokenapi.Deps{
			Credentials: a.Tokens, Packages: packageFacts{a.Store, r}, Exchanger: a.Trust, Realm: public.Host,
		}),
	}, err
}

// notHere answers a /v2/ request on a host without one, in a form that clients
// show.
func notHere(text string) http.Handler {
	return httpx.Handle(func(w http.ResponseWriter, _ *http.Request) error {
		httpx.EventFrom(w).Route = "none"
		return errs.New(errs.NotFound, "%s", text).WithCode("UNSUPPORTED")
	}, v2.WriteError)
}

// packageFacts answers a token endpoint from the registry's lookups.
type packageFacts struct {
	store *store.Store
	reach reach
}

// Facts returns what is known about the package called name, for who.
func (f packageFacts) Facts(ctx context.Context, who access.Principal, name oci.Name) (access.Facts, error) {
	pkg, err := f.store.Package(ctx, who, access.Package{Type: f.reach.kind, Also: f.reach.also, Name: name})
	return pkg.Facts, err
}

// sourceName tells which repository of this server an address leads to: one of
// the server's own hosts, or of those that were named.
func sourceName(cfg *config.Config) func(source string) (oci.Name, bool) {
	hosts := cfg.Hosts()
	for _, h := range cfg.Registry.SourceHosts {
		hosts = append(hosts, strings.ToLower(h))
	}
	return func(source string) (oci.Name, bool) { return oci.ParseSource(source, hosts) }
}
