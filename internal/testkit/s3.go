package testkit

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// sharedS3 is the one S3 server of a test binary, started by the first test
// that asks.
var sharedS3 struct {
	sync.Mutex
	server *S3Server
	err    error
}

// S3Bucket is what a client needs to use a bucket. The address has no scheme;
// it speaks plain HTTP.
type S3Bucket struct {
	Endpoint, Region, Name, AccessKey, SecretKey string
}

// S3 returns a new bucket for this test, on an S3-compatible server that the
// test binary shares. Without the server's program the test fails. StopS3 ends
// the server.
func S3(t testing.TB) S3Bucket {
	t.Helper()
	sharedS3.Lock()
	if sharedS3.server == nil && sharedS3.err == nil {
		sharedS3.server, sharedS3.err = NewS3Server()
	}
	server, err := sharedS3.server, sharedS3.err
	sharedS3.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	return server.Bucket(t)
}

// StopS3 stops the shared server, if there is one, and removes its data. Should
// nobody call it, the kernel ends the server with the test binary, and the data
// stays.
func StopS3() {
	sharedS3.Lock()
	defer sharedS3.Unlock()
	if sharedS3.server != nil {
		sharedS3.server.Remove()
		sharedS3.server = nil
	}
}

// S3Server is a private versitygw that keeps its objects in a temporary
// directory and listens on 127.0.0.1. It does not fsync.
type S3Server struct {
	program, dir string
	port         int
	secret       string
	pid          int
	exited       chan struct{}
}

// NewS3Server makes a server and starts it.
func NewS3Server() (*S3Server, error) {
	root, err := repositoryRoot()
	if err != nil {
		return nil, err
	}
	s := &S3Server{program: filepath.Join(root, ".tools", "bin", "versitygw"), secret: rand.Text()}
	if _, err := os.Stat(s.program); err != nil {
		return nil, fmt.Errorf("these tests need an S3 server: run `make tools` (%w)", err)
	}
	if s.dir, err = os.MkdirTemp("", "packhouse-s3-"); err != nil {
		return nil, err
	}
	// The port is free when it is chosen and may be gone when it is used.
	for try := 0; ; try++ {
		if s.port, err = freePort(); err == nil {
			err = s.Start()
		}
		if err == nil {
			return s, nil
		}
		if try == 2 {
			os.RemoveAll(s.dir)
			return nil, err
		}
	}
}

// Endpoint returns the host and port of s, which stay when it is restarted.
func (s *S3Server) Endpoint() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)) }

// Bucket makes a bucket and removes it, with what it holds, at the end of the
// test.
func (s *S3Server) Bucket(t testing.TB) S3Bucket {
	t.Helper()
	b := S3Bucket{
		Endpoint: s.Endpoint(), Region: "us-east-1", Name: "t-" + strings.ToLower(rand.Text()),
		AccessKey: "packhouse", SecretKey: s.secret,
	}
	client, err := minio.New(b.Endpoint, &minio.Options{
		Creds: credentials.NewStaticV4(b.AccessKey, b.SecretKey, ""), Region: b.Region,
	})
	if err == nil {
		err = client.MakeBucket(t.Context(), b.Name, minio.MakeBucketOptions{Region: b.Region})
	}
	if err != nil {
		t.Fatalf("make a bucket for the test: %v", err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(filepath.Join(s.dir, b.Name)); err != nil {
			t.Errorf("remove the bucket of the test: %v", err)
		}
	})
	return b
}

// Start starts the server, on the port it had before, and returns when it takes
// connections.
func (s *S3Server) Start() error {
	started := make(chan error, 1)
	s.exited = make(chan struct{})
	go s.run(started, s.exited)
	if err := <-started; err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	for tick := time.NewTicker(5 * time.Millisecond); ; {
		if c, err := net.Dial("tcp", s.Endpoint()); err == nil {
			return c.Close()
		}
		select {
		case <-tick.C:
		case <-s.exited:
			return errors.New("versitygw ended as soon as it was started")
		case <-ctx.Done():
			s.Stop()
			return errors.New("versitygw took no connections for 20 seconds")
		}
	}
}

// run is the server's life. It keeps its thread, because the kernel sends the
// death signal when the thread that started the child ends.
func (s *S3Server) run(started chan<- error, exited chan<- struct{}) {
	runtime.LockOSThread()
	defer close(exited)
	cmd := exec.Command(s.program, "--port", s.Endpoint(), "--quiet", "posix", s.dir)
	cmd.Dir = s.dir
	cmd.Env = []string{"ROOT_ACCESS_KEY=packhouse", "ROOT_SECRET_KEY=" + s.secret, "PATH=/usr/bin:/bin", "HOME=" + s.dir}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	err := cmd.Start()
	if err == nil {
		s.pid = cmd.Process.Pid
	}
	started <- err
	if err == nil {
		cmd.Wait()
	}
}

// Stop kills the server and cuts every connection, leaving its data.
func (s *S3Server) Stop() {
	syscall.Kill(s.pid, syscall.SIGKILL)
	<-s.exited
}

// Remove stops the server and removes its data.
func (s *S3Server) Remove() {
	select {
	case <-s.exited:
	default:
		s.Stop()
	}
	os.RemoveAll(s.dir)
}

// repositoryRoot returns the directory of go.mod.
func repositoryRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("tests run outside of the repository")
		}
	}
}
