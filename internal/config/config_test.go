package config_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"packhouse/internal/config"
	"packhouse/internal/errs"
)

func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "packhouse.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestLaterSourcesWin(t *testing.T) {
	t.Parallel()
	path := file(t, "data: /file\nlisten: localhost:1\nlog:\n  level: warn\n  format: text\ntrusted_proxies: [10.0.0.0/8, 10.1.1.1]\n")
	c, err := config.Load(config.Sources{
		File:    path,
		Environ: []string{"PACKHOUSE_LISTEN=localhost:2", "PACKHOUSE_LOG_LEVEL=error", "HOME=/root", "PACKHOUSE_TRUSTED_PROXIES=192.0.2.7"},
		Flags:   map[string]string{"log-level": "debug"},
	})
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprintf("%s %s %s %s %s %s", c.Data, c.Listen, c.Log.Level, c.Log.Format, c.TrustedProxies, c.HTTP.IdleTimeout)
	if want := "/file localhost:2 debug text [192.0.2.7/32] 2m0s"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if c.URL != "http://localhost:2" {
		t.Errorf("url is %s", c.URL)
	}
}

func TestNothingSetIsValid(t *testing.T) {
	t.Parallel()
	c, err := config.Load(config.Sources{})
	if err != nil {
		t.Fatal(err)
	}
	if c.URL != "http://localhost:8080" || c.UsesS3() || c.UsesTLS() || c.DatabaseFile() != "data/packhouse.db" || c.BlobDir() != "data/blobs" {
		t.Errorf("defaults: %+v", c)
	}
}

func TestErrorsNameTheKey(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, yaml, want string }{
		{"unknown key", "listne: x", "listne: there is no such setting"},
		{"unknown nested key", "s3: {buckt: x}", "s3.buckt: there is no such setting"},
		{"a section for a value", "listen: {a: b}", "listen.a: there is no such setting"},
		{"a value for a section", "s3: x", "s3: there is no such setting"},
		{"no value", "listen:", "listen: has no value"},
		{"a list for a value", "listen: [a]", "listen: must be a single value"},
		{"bad duration", "http: {upload_idle: 30}", "http.upload_idle: must be a duration"},
		{"bad size", "registry: {max_blob_size: -1}", "registry.max_blob_size: must be a size"},
		{"size too large", "registry: {max_blob_size: 9999999999GiB}", "registry.max_blob_size: must be a size"},
		{"bad bool", "s3: {tls: maybe}", "s3.tls: must be true or false"},
		{"bad number", "registry: {max_uploads: many}", "registry.max_uploads: must be a whole number"},
		{"bad network", "trusted_proxies: [10.0.0.0/8, proxy]", "trusted_proxies: must hold networks"},
		{"bad listen", "listen: '8080'", "listen: must be HOST:PORT"},
		{"open without TLS", "listen: ':8080'", "listen: is reachable from other machines without TLS"},
		{"url with path", "url: https://example.test/registry", "url: must be http:// or https:// and a host"},
		{"url with user", "url: https://a:b@example.test", "url: must be http:// or https:// and a host"},
		{"url of another scheme", "url: ftp://example.test", "url: must be http://"},
		{"half a certificate", "tls: {cert_file: a.pem}", "tls.key_file: tls.cert_file and tls.key_file belong together"},
		{"two certificates", "tls: {cert_file: a, key_file: b, acme: {hosts: [a.test]}}", "tls.acme.hosts: tls.cert_file is set too"},
		{"ACME for an address", "tls: {acme: {hosts: [192.0.2.1]}}", "tls.acme.hosts: must be full host names"},
		{"a wrong database", "database: {url: 'mysql://a'}", "database.url: must be a postgres:// address"},
		{"bucket without endpoint", "s3: {bucket: a}", "s3.endpoint: is needed with s3.bucket"},
		{"endpoint with scheme", "s3: {bucket: a, endpoint: 'http://x'}", "s3.endpoint: must be HOST:PORT"},
		{"half a key", "s3: {access_key: a}", "s3.secret_key: s3.access_key and s3.secret_key belong together"},
		{"another registry", "bare_host: npm", "bare_host: must be container or docker"},
		{"subdomains of a number", "{subdomain_isolation: true, url: 'https://192.0.2.1'}", "subdomain_isolation: needs a url with a host name"},
		{"subdomains of a derived number", "{subdomain_isolation: true, plain_http: true, listen: '192.0.2.1:80'}", "subdomain_isolation: needs a url with a host name"},
		{"a source with a scheme", "registry: {source_hosts: ['https://forge.test']}", "registry.source_hosts: must be host names"},
		{"no layer at all", "docker: {max_blob_size: 0}", "docker.max_blob_size: must be more than 0"},
		{"a token for a day", "identity: {token_life: 24h}", "identity.token_life: must be between 1m and 6h"},
		{"log level", "log: {level: loud}", "log.level: must be debug"},
		{"sample", "otlp: {sample: 2}", "otlp.sample: must be between 0 and 1"},
		{"drain", "drain: {uploads: 1s}", "drain.uploads: must not be less than drain.requests"},
		{"life", "registry: {upload_life: 1s}", "registry.upload_life: must not be less"},
		{"short promises", "gc: {grace: 25h, condemn_for: 1m}", "gc.condemn_for: with half of gc.grace, must be more than registry.upload_life"},
		{"rounds far apart", "gc: {interval: 24h}", "gc.interval: must be 30m, or a quarter of gc.grace, at most"},
		{"not YAML", "a: [", "file "},
		{"key twice", "data: a\ndata: b", "already defined"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := config.Load(config.Sources{File: file(t, tt.yaml)})
			if !errs.Is(err, errs.Invalid) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error is %v, want Invalid with %q", err, tt.want)
			}
		})
	}
}

func TestAllProblemsAtOnce(t *testing.T) {
	t.Parallel()
	_, err := config.Load(config.Sources{Flags: map[string]string{"log-level": "x", "listen": "y", "otlp-sample": "3"}})
	for _, key := range []string{"log.level", "listen", "otlp.sample"} {
		if err == nil || !strings.Contains(err.Error(), key+": ") {
			t.Errorf("%s is not named in %v", key, err)
		}
	}
}

func TestMissingFileIsRefused(t *testing.T) {
	t.Parallel()
	if _, err := config.Load(config.Sources{File: "/nonexistent/p.yaml"}); err == nil {
		t.Error("a file that is not there was accepted")
	}
}

func TestPublicAddress(t *testing.T) {
	t.Parallel()
	tests := []struct {
		flags map[string]string
		want  string
	}{
		{map[string]string{"listen": "127.0.0.1:9000"}, "http://localhost:9000"},
		{map[string]string{"listen": "[::1]:80"}, "http://localhost"},
		{map[string]string{"listen": ":8080", "plain-http": "true"}, "http://localhost:8080"},
		{map[string]string{"listen": ":443", "tls-acme-hosts": "packages.test.example"}, "https://packages.test.example"},
		{map[string]string{"listen": "10.0.0.1:8443", "tls-cert-file": "c", "tls-key-file": "k"}, "https://10.0.0.1:8443"},
		{map[string]string{"listen": "[2001:db8::1]:443", "tls-cert-file": "c", "tls-key-file": "k"}, "https://[2001:db8::1]"},
		{map[string]string{"url": "https://packages.example/"}, "https://packages.example"},
	}
	for _, tt := range tests {
		c, err := config.Load(config.Sources{Flags: tt.flags})
		if err != nil {
			t.Errorf("%v: %v", tt.flags, err)
		} else if c.URL != tt.want {
			t.Errorf("%v: %s, want %s", tt.flags, c.URL, tt.want)
		}
	}
}

func TestSecretFromFile(t *testing.T) {
	t.Parallel()
	path := file(t, "s3cret\n")
	for _, s := range []config.Sources{
		{Environ: []string{"PACKHOUSE_ADMIN_PASSWORD_FILE=" + path}},
		{Flags: map[string]string{"admin-password-file": path}},
		{File: file(t, "admin_password_file: "+path)},
	} {
		c, err := config.Load(s)
		if err != nil || c.AdminPassword.Reveal() != "s3cret" {
			t.Errorf("password %q, error %v", c.AdminPassword.Reveal(), err)
		}
	}
	_, err := config.Load(config.Sources{Environ: []string{"PACKHOUSE_ADMIN_PASSWORD_FILE=/nonexistent"}})
	if err == nil || !strings.Contains(err.Error(), "admin_password_file: cannot be read") {
		t.Errorf("error is %v", err)
	}
	if _, err := config.Load(config.Sources{File: file(t, "data_file: "+path)}); err == nil {
		t.Error("a setting that is no secret was read from a file")
	}
}

func TestSecretsAreNeverShown(t *testing.T) {
	t.Parallel()
	const canary = "canary-7351"
	c, err := config.Load(config.Sources{Environ: []string{
		"PACKHOUSE_ADMIN_PASSWORD=" + canary, "PACKHOUSE_DATABASE_URL=postgres://u:" + canary + "@db/x",
		"PACKHOUSE_S3_ACCESS_KEY=a", "PACKHOUSE_S3_SECRET_KEY=" + canary,
	}})
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%v %+v %#v %s %v", *c, *c, *c, c.AdminPassword, c.S3)
	fmt.Fprintf(&b, "%v", struct{ hidden config.Secret }{c.AdminPassword})
	for _, h := range []slog.Handler{slog.NewJSONHandler(&b, nil), slog.NewTextHandler(&b, nil)} {
		slog.New(h).Info("start", "config", c, "password", c.AdminPassword, "s3", c.S3)
	}
	if err := json.NewEncoder(&b).Encode(c); err != nil {
		t.Fatal(err)
	}
	for _, s := range config.Settings(c) {
		b.WriteString(s.Value())
	}
	if strings.Contains(b.String(), canary) {
		t.Errorf("a secret is shown in:\n%s", b.String())
	}
	_, err = config.Load(config.Sources{Environ: []string{"PACKHOUSE_DATABASE_URL=mysql://" + canary, "PACKHOUSE_HTTP_UPLOAD_IDLE=" + canary}})
	if err == nil || strings.Contains(err.Error(), canary) {
		t.Errorf("a value is shown in the error %v", err)
	}
}

func TestKeyFileOpenToEveryoneIsRefused(t *testing.T) {
	t.Parallel()
	key := file(t, "k")
	flags := map[string]string{"tls-cert-file": key, "tls-key-file": key}
	if err := os.Chmod(key, 0o604); err != nil {
		t.Fatal(err)
	}
	if _, err := config.Load(config.Sources{Flags: flags}); err == nil || !strings.Contains(err.Error(), "tls.key_file: is readable by everyone") {
		t.Errorf("error is %v", err)
	}
}

func TestUnknownVariablesAreReported(t *testing.T) {
	t.Parallel()
	s := config.Sources{Environ: []string{"PACKHOUSE_LISTN=x", "PACKHOUSE_LISTEN=localhost:1", "PACKHOUSE_CONFIG=a", "PACKHOUSE_S3_SECRET_KEY_FILE=b", "PATH=/bin"}}
	if got := fmt.Sprint(s.Unknown()); got != "[PACKHOUSE_LISTN]" {
		t.Errorf("unknown variables: %s", got)
	}
}

func TestByteSize(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]config.ByteSize{
		"0": 0, "17": 17, "16KiB": 16384, "10 GB": 10_000_000_000, "10gib": 10 << 30, "1TiB": 1 << 40, "5B": 5,
	} {
		if got, err := config.ParseByteSize(text); err != nil || got != want {
			t.Errorf("%q is %d, %v; want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "KiB", "1.5GiB", "-1", "1XB", "0x10", "99999999999999999999", "9000000TiB"} {
		if got, err := config.ParseByteSize(text); err == nil {
			t.Errorf("%q was read as %d", text, got)
		}
	}
}

// TestEverySettingCanBeSet writes each setting's own default through every
// source, and sees that no two share a name.
func TestEverySettingCanBeSet(t *testing.T) {
	t.Parallel()
	names := map[string]string{}
	flags := map[string]string{}
	for _, s := range config.Settings(config.Default()) {
		for _, n := range []string{s.Env(), s.Flag()} {
			if other, ok := names[n]; ok {
				t.Errorf("%s and %s are both called %s", s.Key, other, n)
			}
			names[n] = s.Key
		}
		flags[s.Flag()] = s.Value()
	}
	c, err := config.Load(config.Sources{Flags: flags})
	if err != nil {
		t.Fatal(err)
	}
	if c.HTTP.UploadMaxTime != 24*time.Hour || c.Registry.MaxBlobSize != 10*config.GiB {
		t.Errorf("values were changed on the way: %+v", c)
	}
}

// TestEveryFieldIsASetting catches a field that no source can reach.
func TestEveryFieldIsASetting(t *testing.T) {
	t.Parallel()
	if got, want := len(config.Settings(config.Default())), countLeaves(reflect.TypeFor[config.Config]()); got != want {
		t.Errorf("%d settings for %d fields", got, want)
	}
}

func countLeaves(t reflect.Type) int {
	if t.Kind() != reflect.Struct || t == reflect.TypeFor[config.Secret]() {
		return 1
	}
	n := 0
	for i := range t.NumField() {
		n += countLeaves(t.Field(i).Type)
	}
	return n
}
