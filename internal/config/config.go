// Package config owns every setting of Packhouse: one typed struct, its
// defaults, the file, the environment and the flags that change them, and the
// rules that a configuration must keep.
//
// Sources are applied in this order, the later one winning: defaults, the YAML
// file, PACKHOUSE_… variables, flags. A key that does not exist is refused, so
// a slip of the pen never passes for a setting.
package config

import (
	"net/netip"
	"time"
)

// Config is a whole configuration. After Load it is valid and is not changed
// any more; it may be read by any number of goroutines.
type Config struct {
	// Data is the directory of everything Packhouse keeps on this machine.
	Data string
	// Listen is the address of the registry, HOST:PORT. The host "localhost"
	// stands for both loopback addresses.
	Listen string
	// URL is the public address. Links, realms and hooks are built from it and
	// never from a request. Load fills it in when it is empty; it has no slash
	// at its end.
	URL string
	// SubdomainIsolation gives each registry a host of its own before that of
	// URL: containers.HOST and docker.HOST.
	SubdomainIsolation bool
	// BareHost is the registry that takes new pushes on URL when there is no
	// isolation: container or docker.
	BareHost string
	// PlainHTTP allows a listener without TLS that other machines can reach.
	PlainHTTP bool
	// TrustedProxies are the networks whose X-Forwarded-For is believed.
	TrustedProxies []netip.Prefix
	// MetricsListen is the address of /metrics; empty opens no listener.
	MetricsListen string
	// AdminPassword is the password that the first start gives to admin.
	AdminPassword Secret

	Database  Database
	S3        S3
	TLS       TLS
	Log       Log
	OTLP      OTLP
	HTTP      HTTP
	Drain     Drain
	Registry  Registry
	Docker    Docker
	API       API
	GC        GC
	Scrub     Scrub
	Retention Retention
	Hooks     Hooks
	OIDC      OIDC
	Identity  Identity
}

// The values of BareHost.
const (
	BareContainer = "container"
	BareDocker    = "docker"
)

// Database says where the rows are.
type Database struct {
	// URL is a postgres:// address; empty means SQLite in the data directory.
	URL Secret
}

// S3 says which bucket holds the blobs. An empty Bucket means the data directory.
type S3 struct {
	Endpoint  string // HOST:PORT
	Region    string
	Bucket    string
	Prefix    string // of every key; empty or ending in a slash
	AccessKey string
	SecretKey Secret
	TLS       bool
	// PublicEndpoint is a URL at which clients reach the bucket themselves;
	// empty sends every blob through Packhouse.
	PublicEndpoint string
}

// TLS says where the certificate comes from: files, ACME, or nowhere.
type TLS struct {
	CertFile string
	KeyFile  string
	ACME     ACME
}

// ACME obtains certificates for Hosts; naming a host accepts the terms of the
// authority. An empty Hosts means no ACME.
type ACME struct {
	Hosts        []string
	Email        string
	DirectoryURL string // empty: Let's Encrypt
	CAFile       string // further roots to trust when talking to the authority
	// HTTPListen is where HTTP-01 challenges are answered and plain requests
	// are sent on to URL; empty leaves TLS-ALPN-01 on the main listener.
	HTTPListen string
}

// Log says how records are written to standard error.
type Log struct {
	Format string // json or text
	Level  string // debug, info, warn or error
}

// OTLP says where traces go.
type OTLP struct {
	Endpoint string  // URL of an OTLP/HTTP receiver; empty: no traces
	Sample   float64 // share of requests that are traced, 0 to 1
}

// HTTP holds the limits of connections and bodies.
type HTTP struct {
	ReadHeaderTimeout time.Duration
	IdleTimeout       time.Duration
	MaxHeaderSize     ByteSize
	// MaxConnections is how many may be open; 0 derives it from the limit of
	// open files.
	MaxConnections int
	// UploadIdle is how long a body may go without a byte.
	UploadIdle time.Duration
	// UploadMinRate is the least average a second, once the server has waited
	// UploadGrace for bytes of one body.
	UploadMinRate ByteSize
	UploadGrace   time.Duration
	// UploadMaxTime ends one request's body, however fast it moves; 0: never.
	UploadMaxTime time.Duration
	// DownloadIdle is how long a client may take no bytes.
	DownloadIdle time.Duration
}

// Drain says how long a stop waits.
type Drain struct {
	Delay    time.Duration // readiness says no this long before listeners close
	Requests time.Duration
	Uploads  time.Duration
}

// Registry holds the limits of what is pushed. MaxBlobSize is the Container
// registry's; the others are those of both.
type Registry struct {
	MaxBlobSize      ByteSize
	UploadInactivity time.Duration // between two requests of an upload session
	UploadLife       time.Duration // of an upload session as a whole
	MaxUploads       int           // open sessions of one account
	// SourceHosts are hosts whose repository URLs, in an image's label, mean
	// repositories of this server; the server's own hosts always do.
	SourceHosts []string
}

// Hooks says where events may be sent.
type Hooks struct {
	// AllowPrivate allows receivers at addresses of this machine and of private
	// networks.
	AllowPrivate bool
}

// API holds the limits of the REST API: requests an hour of one caller at one
// node, and of one address without a credential; 0 for any number.
type API struct {
	RateLimit          int
	AnonymousRateLimit int
}

// Scrub says how fast all stored bytes are read again and hashed.
type Scrub struct {
	Period time.Duration // of one pass over all; 0: never
	Rate   ByteSize      // at most so many bytes a second; 0: any
}

// GC says when bytes that nothing needs are removed.
type GC struct {
	Interval time.Duration // between two looks
	// Grace is how long a blob is promised to stay after it was pushed or found
	// to be there, without a manifest that needs it. It is longer than any push.
	Grace time.Duration
	// CondemnFor is how long a blob that nothing needs can still be taken back
	// by a push; TrashFor how long its bytes then lie in the trash.
	CondemnFor, TrashFor time.Duration
	// MaxShare of all bytes is condemned in one go without being asked; 1: any.
	MaxShare float64
}

// Retention says how long what was deleted can be restored.
type Retention struct {
	RestoreWindow time.Duration
}

// Docker holds what is different in the Docker registry.
type Docker struct {
	MaxBlobSize ByteSize
	// TagsOnly refuses pushes and pulls by digest.
	TagsOnly bool
}

// Default returns the configuration that holds when nothing is set.
func Default() *Config {
	return &Config{
		Data:     "data",
		Listen:   "localhost:8080",
		BareHost: BareContainer,
		S3:       S3{Region: "us-east-1", TLS: true},
		Log:      Log{Format: "json", Level: "info"},
		OTLP:     OTLP{Sample: 1},
		HTTP: HTTP{
			ReadHeaderTimeout: 10 * time.Second,
			IdleTimeout:       120 * time.Second,
			MaxHeaderSize:     32 * KiB,
			UploadIdle:        30 * time.Second,
			UploadMinRate:     16 * KiB,
			UploadGrace:       60 * time.Second,
			UploadMaxTime:     24 * time.Hour,
			DownloadIdle:      60 * time.Second,
		},
		Drain: Drain{Requests: 30 * time.Second, Uploads: 10 * time.Minute},
		Registry: Registry{
			MaxBlobSize:      10 * GiB,
			UploadInactivity: 10 * time.Minute,
			UploadLife:       24 * time.Hour,
			MaxUploads:       100,
		},
		Docker: Docker{MaxBlobSize: 5 * GiB},
		API:    API{RateLimit: 15_000, AnonymousRateLimit: 600},
		GC: GC{
			Interval: time.Minute, Grace: 48 * time.Hour, CondemnFor: 24 * time.Hour, TrashFor: 7 * 24 * time.Hour, MaxShare: 0.2,
		},
		Scrub:     Scrub{Period: 30 * 24 * time.Hour, Rate: 20 * MiB},
		Retention: Retention{RestoreWindow: 30 * 24 * time.Hour},
		OIDC:      defaultOIDC(),
		Identity:  Identity{TokenLife: time.Hour},
	}
}

// UsesTLS reports whether the main listener speaks TLS.
func (c *Config) UsesTLS() bool { return c.TLS.CertFile != "" || c.UsesACME() }

// UsesACME reports whether certificates come from an ACME authority.
func (c *Config) UsesACME() bool { return len(c.TLS.ACME.Hosts) > 0 }

// UsesS3 reports whether blobs are kept in a bucket.
func (c *Config) UsesS3() bool { return c.S3.Bucket != "" }
