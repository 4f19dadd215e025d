package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

const (
	benchUser           = "bench"
	strangerUser        = "stranger"
	distributionVersion = "v3.1.2"
	distributionModule  = "github.com/distribution/distribution/v3/cmd/registry"
	scopes              = "read:packages,write:packages,delete:packages"
)

// contenders builds or finds the servers asked for, in the order of allServers.
func contenders(ctx context.Context, o options) ([]contender, error) {
	find := map[string]func(context.Context, options) (contender, error){
		"packhouse": findPackhouse, "distribution": findDistribution, "floor": findFloor, "nginx": findNginx,
	}
	var all []contender
	for _, name := range allServers {
		if !strings.Contains(","+strings.Join(o.servers, ",")+",", ","+name+",") {
			continue
		}
		c, err := find[name](ctx, o)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		all = append(all, c)
	}
	return all, nil
}

// findPackhouse builds the server and describes how to run it with an account,
// a personal access token and private packages.
func findPackhouse(ctx context.Context, o options) (contender, error) {
	bin := o.binary
	if bin == "" {
		bin = filepath.Join(o.dir, "packhouse")
		if err := build(ctx, nil, "build", "-trimpath", "-o", bin, "./cmd/packhouse"); err != nil {
			return contender{}, err
		}
	}
	bin, err := filepath.Abs(bin)
	if err != nil {
		return contender{}, err
	}
	prepare := func(ctx context.Context, dir string) (credentials, error) { return newAccount(ctx, bin, dir) }
	if o.filled {
		if prepare, err = filledOnce(ctx, o, bin); err != nil {
			return contender{}, err
		}
	}
	commit, _ := exec.CommandContext(ctx, "git", "rev-parse", "--short", "HEAD").Output()
	return contender{
		name: "packhouse", version: "commit " + strings.TrimSpace(string(commit)),
		can: canPull | canPush | canList | canSeed, probe: "/readyz",
		prepare: prepare,
		command: func(dir, addr string) (*exec.Cmd, error) {
			cmd := exec.Command(bin, "serve", "--data", dir, "--listen", addr, "--url", "http://"+addr)
			cmd.Env = append(os.Environ(), "PACKHOUSE_ADMIN_PASSWORD="+rand.Text(), "PACKHOUSE_API_RATE_LIMIT=0")
			return cmd, nil
		},
	}, nil
}

// newAccount makes the benchmark's user, and one without rights.
func newAccount(ctx context.Context, bin, dir string) (credentials, error) {
	password := rand.Text()
	secret, err := newUser(ctx, bin, dir, benchUser, password)
	if err != nil {
		return credentials{}, err
	}
	stranger, err := newUser(ctx, bin, dir, strangerUser, rand.Text())
	return credentials{user: benchUser, password: password, secret: secret, stranger: stranger}, err
}

// newUser makes a user with that password and returns a personal access token of it.
func newUser(ctx context.Context, bin, dir, login, password string) (string, error) {
	create := exec.CommandContext(ctx, bin, "admin", "user", "create", login, "--password-stdin", "--data", dir)
	create.Stdin = strings.NewReader(password + "\n")
	if out, err := create.CombinedOutput(); err != nil {
		return "", fmt.Errorf("create user: %w: %s", err, out)
	}
	issue := exec.CommandContext(ctx, bin, "admin", "token", "create", login, "--scopes", scopes, "--data", dir)
	var said bytes.Buffer
	issue.Stderr = &said
	out, err := issue.Output()
	if err != nil {
		return "", fmt.Errorf("create token: %w: %s", err, said.Bytes())
	}
	return strings.TrimSpace(string(out)), nil
}

// distributionConfig is the example that distribution ships, without the
// password file.
const distributionConfig = `version: 0.1
log:
  fields:
    service: registry
storage:
  cache:
    blobdescriptor: inmemory
  filesystem:
    rootdirectory: %s
  tag:
    concurrencylimit: 8
http:
  addr: %s
  headers:
    X-Content-Type-Options: [nosniff]
health:
  storagedriver:
    enabled: true
    interval: 10s
    threshold: 3
`

// findDistribution installs distribution once and describes how to run it.
func findDistribution(ctx context.Context, _ options) (contender, error) {
	tools, err := filepath.Abs(".tools/bin")
	if err != nil {
		return contender{}, err
	}
	bin := filepath.Join(tools, "distribution-"+distributionVersion)
	if _, err := os.Stat(bin); errors.Is(err, os.ErrNotExist) {
		if err := installDistribution(ctx, bin); err != nil {
			return contender{}, err
		}
	}
	return contender{
		name: "distribution", version: distributionVersion,
		can: canPull | canPush | canList, probe: "/v2/",
		command: func(dir, addr string) (*exec.Cmd, error) {
			conf := filepath.Join(dir, "config.yml")
			text := fmt.Sprintf(distributionConfig, filepath.Join(dir, "data"), addr)
			if err := os.WriteFile(conf, []byte(text), 0o644); err != nil {
				return nil, err
			}
			cmd := exec.Command(bin, "serve", conf)
			cmd.Env = append(os.Environ(), "OTEL_TRACES_EXPORTER=none")
			return cmd, nil
		},
	}, nil
}

func installDistribution(ctx context.Context, bin string) error {
	if err := os.MkdirAll(filepath.Dir(bin), 0o755); err != nil {
		return err
	}
	stage, err := os.MkdirTemp(filepath.Dir(bin), "install-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(stage)
	fmt.Fprintln(os.Stderr, "bench: building distribution", distributionVersion, "once; this takes minutes")
	if err := build(ctx, []string{"GOBIN=" + stage}, "install", "-trimpath", distributionModule+"@"+distributionVersion); err != nil {
		return err
	}
	return os.Rename(filepath.Join(stage, "registry"), bin)
}

// build runs the go command without cgo.
func build(ctx context.Context, env []string, args ...string) error {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Env = append(append(os.Environ(), "CGO_ENABLED=0"), env...)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	return cmd.Run()
}

// nginxConfig is Debian's, with nothing logged.
const nginxConfig = `daemon off;
%s
worker_processes auto;
pid %[2]s/nginx.pid;
error_log stderr;
events { worker_connections 768; }
http {
  sendfile on;
  tcp_nopush on;
  access_log off;
  default_type application/octet-stream;
  client_body_temp_path %[2]s/t1; proxy_temp_path %[2]s/t2; fastcgi_temp_path %[2]s/t3; uwsgi_temp_path %[2]s/t4; scgi_temp_path %[2]s/t5;
  server { listen %[3]s; root %[2]s/files; }
}
`

var nginxVersion = regexp.MustCompile(`nginx/(\S+)`)

// findNginx describes how to serve files with Debian's nginx.
func findNginx(ctx context.Context, _ options) (contender, error) {
	bin, err := exec.LookPath("/usr/sbin/nginx")
	if err != nil {
		return contender{}, errors.New("not installed: apt-get install nginx-light, or leave it out with -servers")
	}
	said, _ := exec.CommandContext(ctx, bin, "-v").CombinedOutput()
	version := nginxVersion.FindString(string(said))
	user := ""
	if os.Getuid() == 0 {
		user = "user root;"
	}
	return contender{
		name: "nginx", version: strings.TrimPrefix(version, "nginx/"), can: canPull, probe: "/ready",
		command: func(dir, addr string) (*exec.Cmd, error) {
			files := filepath.Join(dir, "files")
			conf := filepath.Join(dir, "nginx.conf")
			err := errors.Join(
				os.MkdirAll(files, 0o755),
				os.WriteFile(filepath.Join(files, "ready"), []byte("ok\n"), 0o644),
				os.WriteFile(conf, fmt.Appendf(nil, nginxConfig, user, dir, addr), 0o644))
			return exec.Command(bin, "-p", dir, "-c", conf, "-e", "stderr"), err
		},
	}, nil
}

// findFloor describes the bare loop: this program, started again.
func findFloor(context.Context, options) (contender, error) {
	self, err := os.Executable()
	return contender{
		name: "floor", version: "test/bench", can: canPull | canPush, probe: "/v2/",
		command: func(dir, addr string) (*exec.Cmd, error) {
			return exec.Command(self, floorCommand, dir, addr), nil
		},
	}, err
}
