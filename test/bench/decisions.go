package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// decisions measures reads of many packages, each of which has to be decided
// anew: they are more than the server remembers, they are private, and what the
// reader may do comes from an organization and a repository. The personal access
// token comes with each request.
func decisions(_ context.Context, t *trial) error {
	if !t.filled {
		return nil
	}
	all, err := t.clients(t.conns, filledOwner)
	if err != nil {
		return err
	}
	defer closeAll(all)
	header := "Authorization: Bearer " + t.tokens.creds.secret + "\r\nAccept: " + manifestType + "\r\n"
	return t.measure("decision", func() (work, error) {
		return t.forSpan(all, func(k *client, i int) error {
			// A stride through all packages, so that each is met again only much later.
			path := fmt.Sprintf("/v2/%s/app%06d/manifests/v%d", filledOwner, i*7919*5%filledPackages, i%filledVersions)
			a, err := k.do(request{method: "HEAD", path: path, header: header})
			if err == nil && a.status != 200 {
				err = fmt.Errorf("%s answered %d", path, a.status)
			}
			return err
		})
	})
}

// filledOnce prepares a directory with the crowd and the benchmark's user, and
// returns what gives each server a copy of it.
func filledOnce(ctx context.Context, o options, bin string) (func(context.Context, string) (credentials, error), error) {
	full := filepath.Join(o.dir, "filled")
	if err := os.Mkdir(full, 0o755); err != nil {
		return nil, err
	}
	creds, err := newAccount(ctx, bin, full)
	if err != nil {
		return nil, err
	}
	fmt.Fprintln(os.Stderr, "bench: filling the database")
	if err := fill(ctx, full); err != nil {
		return nil, err
	}
	if err := join(ctx, bin, full); err != nil {
		return nil, err
	}
	return func(ctx context.Context, dir string) (credentials, error) { return creds, copyData(ctx, full, dir) }, nil
}

// join makes the benchmark's user a member of the organization that the crowd
// is measured in.
func join(ctx context.Context, bin, dir string) error {
	cmd := exec.CommandContext(ctx, bin, "admin", "org", "member", "add", filledOwner, benchUser, "--data", dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("join %s: %w: %s", filledOwner, err, out)
	}
	return nil
}

// copyData gives a server its own copy of a prepared directory.
func copyData(ctx context.Context, from, to string) error {
	cmd := exec.CommandContext(ctx, "cp", "-a", "--reflink=auto", from+"/.", to)
	cmd.Stderr = os.Stderr
	return cmd.Run()
}
