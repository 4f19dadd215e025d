package main

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// asProgram in the environment makes the test binary packhouse itself.
const asProgram = "TEST_RUNS_THE_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// process is a packhouse serve of its own.
type process struct {
	cmd *exec.Cmd
	log *bufio.Scanner
}

func serveIn(t *testing.T, data string) *process {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "serve", "--data", data, "--listen", "127.0.0.1:0")
	cmd.Env = append(os.Environ(), asProgram+"=1")
	errOut, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Wait() }) // t.Context has ended it
	return &process{cmd, bufio.NewScanner(errOut)}
}

// await reads the log until it says text; a server that listens says no more.
func (p *process) await(t *testing.T, text string) {
	t.Helper()
	var all strings.Builder
	for p.log.Scan() {
		if all.WriteString(p.log.Text() + "\n"); strings.Contains(p.log.Text(), text) {
			return
		}
		if strings.Contains(p.log.Text(), `"listening"`) {
			break
		}
	}
	t.Fatalf("the process did not say %q:\n%s", text, all.String())
}

func TestOneServerForADirectory(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	first := serveIn(t, data)
	first.await(t, `"listening"`)
	if code, _, errOut := packhouse(t, "", nil, "admin", "org", "create", "acme", "--owner", "admin", "--data", data); code != exitOK {
		t.Errorf("an admin command beside the server: code %d, %s", code, errOut)
	}

	refused := serveIn(t, data)
	refused.await(t, "packhouse: another packhouse serve uses the directory "+filepath.Join(data, "blobs")+"; stop that one first")
	if _ = refused.cmd.Wait(); refused.cmd.ProcessState.ExitCode() != exitFailed {
		t.Errorf("the second server ended with %s", refused.cmd.ProcessState)
	}

	next := serveIn(t, data)
	next.await(t, "waiting for its end")
	if err := first.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	next.await(t, `"listening"`)
}
