package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// Who sits at a terminal is asked for the name; silence is no. Nobody else is asked.
func TestConfirmationIsForTerminals(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		in   *os.File
		want string
	}{
		"a terminal": {terminal(t, "\n"), "Type bob to go on: packhouse: nothing was changed\n"},
		"a file":     {open(t, "ask.go"), "say --yes"},
		"nothing":    {open(t, os.DevNull), "say --yes"},
	} {
		var out, errOut bytes.Buffer
		args := []string{"admin", "user", "delete", "bob", "--data", t.TempDir()}
		if code := run(t.Context(), args, streams{c.in, &out, &errOut, nil, nil}); code != exitUsage || !strings.Contains(errOut.String(), c.want) {
			t.Errorf("with %s: code %d, %s", name, code, errOut.String())
		}
	}
}

// terminal returns one end of a pseudo-terminal at whose other end typed was typed.
func terminal(t *testing.T, typed string) *os.File {
	t.Helper()
	keyboard := open(t, "/dev/ptmx")
	fd := int(keyboard.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	screen := open(t, fmt.Sprintf("/dev/pts/%d", n))
	if _, err := keyboard.WriteString(typed); err != nil {
		t.Fatal(err)
	}
	return screen
}

func open(t *testing.T, name string) *os.File {
	t.Helper()
	flags := os.O_RDONLY
	if strings.HasPrefix(name, "/dev/pt") {
		flags = os.O_RDWR | unix.O_NOCTTY
	}
	f, err := os.OpenFile(name, flags, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}
