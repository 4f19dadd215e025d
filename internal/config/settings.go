package config

import (
	"slices"
	"strings"
)

// Setting is one key of the configuration.
type Setting struct {
	// Key is its name in the file, with dots between the levels.
	Key string
	// Doc says in one sentence what it does.
	Doc string

	target any // pointer into a Config
}

// Env returns the name of the setting's environment variable.
func (s Setting) Env() string {
	return EnvPrefix + strings.ToUpper(strings.ReplaceAll(s.Key, ".", "_"))
}

// Flag returns the name of the setting's flag, without hyphens before it.
func (s Setting) Flag() string {
	return strings.NewReplacer(".", "-", "_", "-").Replace(s.Key)
}

// Secret reports whether the value must not be shown. Such a setting can also
// be read from a file: Key + "_file", Env() + "_FILE", Flag() + "-file".
func (s Setting) Secret() bool {
	_, ok := s.target.(*Secret)
	return ok
}

// Value returns the value as one would write it; "" for a secret.
func (s Setting) Value() string {
	if s.Secret() {
		return ""
	}
	return format(s.target)
}

// EnvPrefix begins the name of every variable that is read.
const EnvPrefix = "PACKHOUSE_"

// Settings lists every setting of c, in the order of the documentation.
func Settings(c *Config) []Setting {
	return slices.Concat(generalSettings(c), signInSettings(c), identitySettings(c), storageSettings(c), limitSettings(c))
}

func generalSettings(c *Config) []Setting {
	return []Setting{
		{"data", "Directory of everything kept on this machine; made if absent.", &c.Data},
		{"listen", "Address of the registry. `localhost` is both loopback addresses: without TLS nothing else should reach it.", &c.Listen},
		{"url", "Public address; every link is built from it. Empty: derived from `listen`.", &c.URL},
		{"subdomain_isolation", "Serve the Container registry on `containers.HOST` and the Docker registry on `docker.HOST`, where HOST is that of `url`. Off: both on HOST.", &c.SubdomainIsolation},
		{"bare_host", "Without isolation, the registry that takes new pushes on HOST: `container` or `docker`. Packages of the other one stay there under their names.", &c.BareHost},
		{"plain_http", "Allow `listen` to be reached from other machines without TLS and without `trusted_proxies`.", &c.PlainHTTP},
		{"trusted_proxies", "Networks whose `X-Forwarded-For` is believed, such as `10.0.0.0/8`.", &c.TrustedProxies},
		{"metrics_listen", "Address of Prometheus `/metrics`, `/healthz` and `/readyz`. Empty: no such listener. Keep it on loopback or a private network.", &c.MetricsListen},
		{"admin_password", "Password that the first start gives to `admin`. Empty: a random one is printed.", &c.AdminPassword},
		{"tls.cert_file", "Certificate chain, PEM. The file is read again when it changes.", &c.TLS.CertFile},
		{"tls.key_file", "Private key of the certificate, PEM; readable by its owner alone.", &c.TLS.KeyFile},
		{"tls.acme.hosts", "Names to obtain certificates for by ACME; naming one accepts the authority's terms. With `subdomain_isolation`, HOST brings its two subdomains.", &c.TLS.ACME.Hosts},
		{"tls.acme.email", "Where the authority writes about expiring certificates.", &c.TLS.ACME.Email},
		{"tls.acme.directory_url", "Directory of the ACME authority. Empty: Let's Encrypt.", &c.TLS.ACME.DirectoryURL},
		{"tls.acme.ca_file", "Further roots to trust when talking to the authority, PEM.", &c.TLS.ACME.CAFile},
		{"tls.acme.http_listen", "Address that answers HTTP-01 challenges and sends plain requests on to `url`, usually `:80`. Empty: TLS-ALPN-01 only.", &c.TLS.ACME.HTTPListen},
		{"log.format", "`json` or `text`.", &c.Log.Format},
		{"log.level", "`debug`, `info`, `warn` or `error`.", &c.Log.Level},
		{"otlp.endpoint", "URL of an OTLP/HTTP receiver of traces, such as `http://localhost:4318`. Empty: no traces.", &c.OTLP.Endpoint},
		{"otlp.sample", "Share of requests that are traced, 0 to 1.", &c.OTLP.Sample},
	}
}

func storageSettings(c *Config) []Setting {
	return []Setting{
		{"database.url", "`postgres://…` address. Empty: SQLite at `packhouse.db` in `data`.", &c.Database.URL},
		{"s3.endpoint", "HOST:PORT of an S3-compatible store.", &c.S3.Endpoint},
		{"s3.region", "Region of the bucket.", &c.S3.Region},
		{"s3.bucket", "Bucket of the blobs. Empty: `blobs` in `data`.", &c.S3.Bucket},
		{"s3.prefix", "Put before every key; ends in a slash.", &c.S3.Prefix},
		{"s3.access_key", "Access key.", &c.S3.AccessKey},
		{"s3.secret_key", "Secret key.", &c.S3.SecretKey},
		{"s3.tls", "Speak TLS to the endpoint.", &c.S3.TLS},
		{"s3.public_endpoint", "URL at which clients reach the store, for redirects of blob pulls. Empty: no redirects.", &c.S3.PublicEndpoint},
	}
}

func limitSettings(c *Config) []Setting {
	return []Setting{
		{"http.read_header_timeout", "A request's header must be whole by then; also the limit of a TLS handshake.", &c.HTTP.ReadHeaderTimeout},
		{"http.idle_timeout", "An idle connection is closed after this.", &c.HTTP.IdleTimeout},
		{"http.max_header_size", "Largest request header.", &c.HTTP.MaxHeaderSize},
		{"http.max_connections", "Open connections; further ones wait. 0: derived from the limit of open files.", &c.HTTP.MaxConnections},
		{"http.upload_idle", "A request body without a byte for this long is cut.", &c.HTTP.UploadIdle},
		{"http.upload_min_rate", "Least average of a request body, a second, once `http.upload_grace` has been spent waiting for it.", &c.HTTP.UploadMinRate},
		{"http.upload_grace", "Waiting time before `http.upload_min_rate` counts.", &c.HTTP.UploadGrace},
		{"http.upload_max_time", "A request body is cut after this, however fast it moves. 0: never.", &c.HTTP.UploadMaxTime},
		{"http.download_idle", "A client that takes no bytes for this long is cut.", &c.HTTP.DownloadIdle},
		{"drain.delay", "At a stop, readiness says no for this long before listeners close.", &c.Drain.Delay},
		{"drain.requests", "At a stop, requests in flight may take this long.", &c.Drain.Requests},
		{"drain.uploads", "At a stop, uploads in flight may take this long.", &c.Drain.Uploads},
		{"registry.max_blob_size", "Largest blob of the Container registry.", &c.Registry.MaxBlobSize},
		{"registry.upload_inactivity", "An upload session without a request for this long expires.", &c.Registry.UploadInactivity},
		{"registry.upload_life", "An upload session expires after this, whatever happens.", &c.Registry.UploadLife},
		{"registry.max_uploads", "Open upload sessions of one account.", &c.Registry.MaxUploads},
		{"registry.source_hosts", "Further hosts whose repository URLs, in an image's label, mean repositories of this server, such as the forge that it serves.", &c.Registry.SourceHosts},
		{"docker.max_blob_size", "Largest blob of the Docker registry.", &c.Docker.MaxBlobSize},
		{"docker.tags_only", "In the Docker registry, refuse pushes and pulls by digest. Docker Engine 25 and later, containerd and podman pull by digest behind the scenes and need it off.", &c.Docker.TagsOnly},
		{"gc.interval", "How often garbage collection looks for what is due. At most a quarter of `gc.grace`, or `30m`: rounds further apart would look like a jump of the clock.", &c.GC.Interval},
		{"gc.grace", "How long a blob stays after it was pushed, or found to be there already, without a manifest that needs it. Must be more than `registry.upload_life`.", &c.GC.Grace},
		{"gc.condemn_for", "How long after that a push still finds it.", &c.GC.CondemnFor},
		{"gc.trash_for", "How long its bytes then stay in the trash, from where `packhouse undelete` takes them back.", &c.GC.TrashFor},
		{"gc.max_share", "Share of all stored bytes, 0 to 1. When more than that, and more than 10 GiB, is to go in one round, garbage collection stops until `packhouse gc resume`.", &c.GC.MaxShare},
		{"scrub.period", "In this time every stored blob is read again and compared with its digest. 0: never.", &c.Scrub.Period},
		{"scrub.rate", "Bytes a second that this reads at most. 0: any number.", &c.Scrub.Rate},
		{"retention.restore_window", "How long a deleted package or version can be restored.", &c.Retention.RestoreWindow},
		{"hooks.allow_private", "Let hooks reach this machine and private networks. Whoever may make a hook can then send requests there, and read the beginning of the answers.", &c.Hooks.AllowPrivate},
		{"api.rate_limit", "Requests an hour to the REST API from one account or job, at each node. 0: any number.", &c.API.RateLimit},
		{"api.anonymous_rate_limit", "The same for one client address without a credential.", &c.API.AnonymousRateLimit},
	}
}

// Switch reports whether the setting is on or off, so that its flag needs no
// value.
func (s Setting) Switch() bool {
	_, ok := s.target.(*bool)
	return ok
}
