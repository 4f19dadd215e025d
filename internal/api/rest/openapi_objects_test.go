package rest

import (
	"context"
	"maps"
	"net/http/httptest"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/hooks"
	"packhouse/internal/oci"
	"packhouse/internal/packages"
	"packhouse/internal/token"
)

// counts is a directory in which nobody has a repository.
type counts struct{ Directory }

// RepositoryCounts implements account.People.
func (counts) RepositoryCounts(context.Context, int64) (public, others int, err error) {
	return 0, 0, nil
}

// then is the moment of every sample.
func then() time.Time { return time.Unix(1_700_000_000, 0) }

func (s *schemas) must(o object, err error) object {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
	return o
}

func (s *schemas) oci(name, digest string) (oci.Name, oci.Digest) {
	s.t.Helper()
	n, err := oci.ParseName(name)
	if err != nil {
		s.t.Fatal(err)
	}
	d, err := oci.ParseDigest(digest)
	if err != nil {
		s.t.Fatal(err)
	}
	return n, d
}

// objects names the schemas of what handlers make without a struct.
func (s *schemas) objects(h *Handler) {
	h.Directory = counts{}
	s.accounts(h)
	s.packages(h)
	s.hooks(h)
	s.rest(h)
}

func (s *schemas) accounts(h *Handler) {
	plain := account.Account{ID: 1, Login: "ann", Kind: account.User, CreatedAt: then()}
	full := account.Account{ID: 2, Login: "acme", Kind: account.Organization, Name: "x", Email: "x", Description: "x", CreatedAt: then()}
	org := access.Standing{Organization: true}
	r := httptest.NewRequest("GET", "/", nil)
	nobody, ruler := &call{h: h, r: r}, &call{h: h, r: r, who: access.Principal{Operator: true, Scopes: access.EveryScope}}
	s.sample("simple-user", nil, h.userOf(plain), h.userOf(full))
	of := func(c *call, a account.Account, st access.Standing) object { return s.must(c.publicUser(a, st)) }
	s.sample("public-user", nil, of(nobody, plain, access.Standing{}), of(ruler, full, org), of(ruler, plain, access.Standing{}))
	s.sample("private-user", nil, s.must(ruler.privateUser(plain, access.Standing{})), s.must(ruler.privateUser(full, org)))
	s.sample("organization-simple", nil, h.organizationSimple(plain), h.organizationSimple(full))
	for _, c := range []*call{nobody, ruler} {
		c.target = target{account: full, standing: org}
	}
	bare := *ruler
	bare.target.account = account.Account{ID: 3, Login: "bare", Kind: account.Organization, CreatedAt: then()}
	s.sample("organization-full", nil, s.must(nobody.organizationFull()), s.must(ruler.organizationFull()), s.must(bare.organizationFull()))
	s.sample("org-membership", parts{"organization": "organization-simple", "user": "simple-user"}, h.orgMembership(full, plain, access.Owner))
	s.teams(h, full)
	name, _ := s.oci("acme/app", "sha256:"+sixtyFour)
	repositories := []account.OwnedRepository{
		{Repository: account.Repository{ID: 1, Name: name, Visibility: access.Public, CreatedAt: then()}, Owner: plain},
		{Repository: account.Repository{ID: 1, Name: name, Description: "x", CreatedAt: then()}, Owner: full},
	}
	var shorts, longs, own []object
	for _, r := range repositories {
		shorts = append(shorts, h.minimalRepository(listed(r)))
		longs = append(longs, h.repositoryFull(r, access.Principal{}))
		own = append(own, h.repositoryObject(r, access.Principal{}), ruler.teamRepositoryObject(account.TeamRepository{OwnedRepository: r}))
	}
	owner := parts{"owner": "simple-user", "organization": "simple-user"}
	s.sample("minimal-repository", owner, shorts...)
	s.sample("full-repository", owner, longs...)
	s.sample("repository", owner, own...)
	s.sample("collaborator", nil, h.collaborator(plain, access.RepositoryRead), h.collaborator(full, access.RepositoryRead))
}

func (s *schemas) teams(h *Handler, org account.Account) {
	top := h.teamObject(org, account.Team{ID: 1, Slug: "x", Name: "x", CreatedAt: then()})
	below := h.teamObject(org, account.Team{ID: 2, Slug: "x", Name: "x", Description: "x", Group: "x", CreatedAt: then()})
	below["parent"] = maps.Clone(top)
	one, in := maps.Clone(below), maps.Clone(top)
	in["organization"] = h.organizationSimple(org)
	given := maps.Clone(top)
	given["permissions"] = permissions(access.RepositoryRead)
	s.sample("team-simple", nil, top, h.teamObject(org, account.Team{Description: "x", Group: "x"}))
	s.sample("team", parts{"parent": "team-simple", "organization": "organization-simple"}, top, below, in, given)
	maps.Copy(one, object{"organization": object{}, "members_count": 0, "repos_count": 0, "created_at": moment(then()), "updated_at": moment(then())})
	alone := maps.Clone(one)
	alone["parent"], alone["description"], alone["group"] = nil, nil, nil
	s.sample("team-full", parts{"parent": "team-simple", "organization": "organization-simple"}, one, alone)
	s.sample("team-membership", nil, object{"url": "x", "role": "x", "state": "x"})
}

const sixtyFour = "0000000000000000000000000000000000000000000000000000000000000000"

func (s *schemas) packages(h *Handler) {
	name, digest := s.oci("acme/app", "sha256:"+sixtyFour)
	bare := packages.Listed{Name: name, Type: access.Container, CreatedAt: then(), UpdatedAt: then()}
	full := bare
	full.Repository, full.DeletedAt = &packages.ListedRepository{}, then()
	s.sample("package", parts{"owner": "simple-user", "repository": "minimal-repository"}, h.packageObject(bare), h.packageObject(full))
	docker := bare
	docker.Type = access.Docker
	v := packages.Version{ID: 1, Digest: digest, CreatedAt: then(), UpdatedAt: then()}
	gone := v
	gone.Description, gone.Licenses, gone.DeletedAt = "x", "x", then()
	s.sample("package-version", nil, h.versionObject(bare, v), h.versionObject(docker, gone))
	s.sample("tag", nil, tagObject(packages.Tag{Digest: digest, Since: then()}), tagObject(packages.Tag{Digest: digest, Since: then(), SetBy: "x"}))
	s.sample("tag-interval", nil,
		object{"digest": "x", "version_id": int64(1), "since": moment(then()), "until": moment(then()), "set_by": "x", "present": true},
		object{"digest": "x", "version_id": nil, "since": moment(then()), "until": nil, "set_by": nil, "present": true})
	s.sample("sizes", nil, sizesObject(packages.Sizes{}))
	s.sample("package-search", parts{"items": "package"}, object{"total_count": 0, "incomplete_results": false, "items": []object{}})
	s.sample("inheritance-plan", nil,
		object{"repository": "x", "inherits": true, "change": true, "lost": []packages.Grant{}, "admin": "x"},
		object{"repository": nil, "inherits": true, "change": true, "lost": []packages.Grant{}, "admin": nil})
	s.sample("package-grants", nil, object{"inherits": true, "grants": []grantObject{}, "repositories": []repositoryGrantObject{}})
}

func (s *schemas) hooks(h *Handler) {
	name, _ := s.oci("acme/app", "sha256:"+sixtyFour)
	at := hooks.Target{RepositoryID: 1, Name: name}
	idle := hooks.Hook{Target: at, Events: []string{"x"}, CreatedAt: then(), UpdatedAt: then()}
	failing := idle
	failing.HasSecret, failing.FailingSince, failing.Last = true, then(), &hooks.LastResponse{Code: 500, Message: "x"}
	s.sample("webhook-config", nil, hookConfig(idle), hookConfig(failing))
	s.sample("hook", parts{"config": "webhook-config"}, h.hookObject(idle), h.hookObject(failing))
	waits := hooks.Delivery{CreatedAt: then(), NextAt: then()}
	done := hooks.Delivery{CreatedAt: then(), Action: hooks.Published}
	s.sample("hook-delivery-item", nil, deliveryObject(waits), deliveryObject(done))
	var one []object
	for _, d := range []hooks.Delivery{waits, done} {
		o := deliveryObject(d)
		o["url"], o["request"] = "x", object{"headers": map[string]string{}, "payload": waits.Payload}
		o["response"] = object{"headers": map[string]string{}, "payload": "x"}
		one = append(one, o)
	}
	s.sample("hook-delivery", nil, one...)
}

func (s *schemas) rest(h *Handler) {
	authorization := []object{h.authorization(token.Token{CreatedAt: then()}, "x"), h.authorization(token.Token{CreatedAt: then(), ExpiresAt: then()}, "x")}
	s.sample("authorization", nil, authorization...)
	known := object{
		"login": "x", "credential_id": int64(1), "authorized_credential_id": int64(1), "credential_type": "x", "credential_authorized_at": moment(then()),
		"credential_accessed_at": moment(then()), "authorized_credential_note": "x", "authorized_credential_expires_at": moment(then()), "scopes": []string{},
	}
	unused := maps.Clone(known)
	unused["credential_accessed_at"], unused["authorized_credential_expires_at"] = nil, nil
	s.sample("credential-authorization", nil, known, unused)
	rate := map[string]int{}
	s.sample("rate-limit", nil, object{"resources": object{"core": rate}, "rate": rate})
	s.sample("permission", parts{"user": "collaborator"}, object{"permission": "x", "role_name": "x", "user": object{}})
	s.sample("renamed", nil, object{"message": "x", "url": "x"})
	s.sample("meta", nil, object{"verifiable_password_authentication": true, "installed_version": "x"})
	s.sample("undeleted", nil, object{"digest": "x", "packages": 1})
	s.named["nothing"] = object{"type": "object", "description": "An object without members."}
	s.named["anything"] = object{"type": "array", "maxItems": 0, "items": object{}, "description": "What GitHub has and this server never does."}
	s.named["addresses"] = object{"type": "object", "additionalProperties": object{"type": "string"}}
	s.named["basic-error"] = object{
		"type": "object", "required": []string{"message", "documentation_url", "status"},
		"properties": object{
			"message": object{"type": "string"}, "documentation_url": object{"type": "string"}, "status": object{"type": "string"},
			"errors": object{"type": "array", "description": "What is told beside, such as what needs a version.", "items": object{}},
		},
	}
}
