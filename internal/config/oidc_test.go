package config_test

import (
	"strings"
	"testing"

	"packhouse/internal/config"
	"packhouse/internal/errs"
)

func TestAProviderIsDescribedInFull(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ yaml, want string }{
		{"oidc: {issuer: 'https://id.test/realm/', client_id: us}", ""},
		{"oidc: {issuer: 'http://localhost:5556', client_id: us, scopes: [openid, groups], client_secret: s}", ""},
		{"oidc: {issuer: 'http://127.0.0.1:5556', client_id: us, groups_claim: ''}", ""},
		{"oidc: {client_id: us}", "oidc.issuer: is needed with oidc.client_id"},
		{"oidc: {issuer: 'https://id.test'}", "oidc.client_id: is needed with oidc.issuer"},
		{"oidc: {issuer: 'http://id.test', client_id: us}", "oidc.issuer: must be an https:// URL"},
		{"oidc: {issuer: 'https://id.test?a=b', client_id: us}", "oidc.issuer: must be an https:// URL"},
		{"oidc: {issuer: id.test, client_id: us}", "oidc.issuer: must be an https:// URL"},
		{"oidc: {issuer: 'https://id.test', client_id: us, scopes: [profile]}", "oidc.scopes: must hold openid"},
		{"oidc: {issuer: 'https://id.test', client_id: us, name: ''}", "oidc.name: must not be empty"},
		{"oidc: {issuer: 'https://id.test', client_id: us, login_claim: ''}", "oidc.login_claim: must not be empty"},
		{"oidc: {issuer: 'https://id.test', client_id: us, ca_file: /nonexistent}", "oidc.ca_file: must be a PEM file"},
	} {
		c, err := config.Load(config.Sources{File: file(t, tt.yaml)})
		if tt.want == "" && (err != nil || c.OIDC.LoginClaim != "preferred_username" || !c.OIDC.CreateAccounts) {
			t.Errorf("%s: %v", tt.yaml, err)
		}
		if tt.want != "" && (!errs.Is(err, errs.Invalid) || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: error is %v, want Invalid with %q", tt.yaml, err, tt.want)
		}
	}
}
