package main

import (
	"regexp"
	"strings"
	"testing"
)

// step is one command line of a scenario, what it prints and what it complains of.
type step struct {
	stdin string
	line  string // the command, without "packhouse admin"
	code  int
	out   string // a pattern
	says  string
}

func play(t *testing.T, steps []step) {
	t.Helper()
	playOn(t, t.TempDir(), steps)
}

// playOn plays with the data in a directory.
func playOn(t *testing.T, data string, steps []step) {
	t.Helper()
	environ := []string{"PACKHOUSE_DATA=" + data}
	for _, s := range steps {
		code, out, errOut := packhouse(t, s.stdin, environ, append([]string{"admin"}, strings.Fields(s.line)...)...)
		if code != s.code || !regexp.MustCompile(s.out).MatchString(out) || !strings.Contains(errOut, s.says) || (s.says == "") != (errOut == "") {
			t.Errorf("packhouse admin %s: code %d\n%s%s", s.line, code, out, errOut)
		}
	}
}

func TestUsersFromTheCommandLine(t *testing.T) {
	t.Parallel()
	play(t, []step{
		{"", "user create Alice --site-admin", 0, "^created user Alice\n$", ""},
		{"", "user create bob", 0, "^created user bob\n$", ""},
		{"a long password\n", "user password bob", 0, "^set the password of bob\n$", ""},
		{"short\n", "user password bob", 2, "^$", "at least 8"},
		{"", "user password bob", 2, "^$", "no password on standard input"},
		{"", "user site-admin alice --remove", 1, "^$", "at least one site administrator"},
		{"", "user suspend alice", 1, "^$", "at least one site administrator"},
		{"", "user delete alice --yes", 1, "^$", "at least one site administrator"},
		{"", "user site-admin bob", 0, "^bob is a site administrator\n$", ""},
		{"", "user site-admin alice --remove", 0, "^alice is no site administrator any more\n$", ""},
		{"", "user suspend alice", 0, "^suspended alice\n$", ""},
		{"", "user list", 0, `^LOGIN  STATE +CREATED\nAlice  user, suspended +20\d\d-\S+ \S+\nbob    site administrator +\S+ \S+\n$`, ""},
		{"", "user unsuspend alice", 0, "^unsuspended alice\n$", ""},
		{"", "user rename alice Alicia", 0, "^renamed alice to Alicia\n$", ""},
		{"", "user create alice", 1, "^$", "taken"},
		{"", "user unlink bob", 1, "^$", "no identity is linked"},
		{"", "user reset-second-factor bob", 1, "^$", "has no second factor"},
		{"", "user suspend alice", 0, "^suspended alice\n$", ""}, // the old name leads there
		{"", "user delete alicia", 2, "^$", "say --yes"},
		{"", "user delete alicia --yes", 0, "^deleted user alicia\n$", ""},
		{"", "user delete alicia --yes", 1, "^$", "no account"},
		{"", "user create alicia", 1, "^$", "taken"},
		{"", "user list", 0, `^LOGIN  STATE +CREATED\nbob .*\n$`, ""},
	})
}

func TestOrganizationsAndTeamsFromTheCommandLine(t *testing.T) {
	t.Parallel()
	play(t, []step{
		{"", "user create alice", 0, "", ""},
		{"", "user create bob", 0, "", ""},
		{"", "org create acme --owner alice", 0, "", ""},
		{"", "org set acme", 2, "^$", "nothing to change"},
		{"", "org set acme --base-role owner", 2, "^$", "base role"},
		{"", "org set acme --members-create secret", 2, "^$", "no visibility"},
		{"", "org set acme --default-visibility secret", 2, "^$", "default visibility"},
		{"", "org set alice --base-role read", 2, "^$", "only organizations"},
		{"", "org set acme --base-role none --members-create private,internal --inherit=false --default-visibility repository --require-sso=true", 0, "^changed acme\n$", ""},
		{"", "org list", 0, `\nacme +none +private,internal +no +repository +yes\n$`, ""},
		{"", "org member add acme bob", 0, "^bob is member of acme\n$", ""},
		{"", "org member add acme bob --role king", 2, "^$", "role"},
		{"", "org member list acme", 0, "^LOGIN  ROLE\nalice  owner\nbob    member\n$", ""},
		{"", "team create acme/Devs", 0, "^created team acme/Devs\n$", ""},
		{"", "team create acme/backend --parent devs", 0, "", ""},
		{"", "team create devs", 2, "^$", "ORGANIZATION/TEAM"},
		{"", "team create acme/outside --idp-group g1", 0, "", ""},
		{"", "team add acme/backend bob", 0, "^added bob to acme/backend\n$", ""},
		{"", "team add acme/outside bob", 1, "^$", "outside provider"},
		{"", "team list acme", 0, `^TEAM +BELOW +GROUP +MEMBERS\nbackend +devs +bob\ndevs +\noutside +g1 +\n$`, ""},
		{"", "team move acme/devs --parent backend", 1, "^$", "below itself"},
		{"", "team move acme/devs", 2, "^$", "where to"},
		{"", "team move acme/backend --top", 0, "^moved team acme/backend\n$", ""},
		{"", "team remove acme/backend bob", 0, "^removed bob from acme/backend\n$", ""},
		{"", "team delete acme/devs", 2, "^$", "--yes"},
		{"", "team delete acme/devs --yes", 0, "^deleted team acme/devs\n$", ""},
		{"", "org member remove acme alice", 1, "^$", "at least one owner"},
		{"", "user delete alice --yes", 1, "^$", "last owner of acme"},
		{"", "org member remove acme bob", 0, "^removed bob from acme\n$", ""},
		{"", "org rename acme acme-inc", 0, "^renamed acme to acme-inc\n$", ""},
		{"", "org delete acme --yes", 0, "^deleted organization acme\n$", ""},
		{"", "user delete alice --yes", 0, "^deleted user alice\n$", ""},
	})
}

func TestRepositoriesFromTheCommandLine(t *testing.T) {
	t.Parallel()
	play(t, []step{
		{"", "user create octocat", 0, "", ""},
		{"", "user create bob", 0, "", ""},
		{"", "org create acme --owner octocat", 0, "", ""},
		{"", "repo create octocat/octo-app", 0, "^created repository octocat/octo-app\n$", ""},
		{"", "repo create Octocat/Octo-App", 1, "^$", "taken"},
		{"", "repo create octocat", 2, "^$", "OWNER/NAME"},
		{"", "repo create nobody/app", 1, "^$", "nobody"},
		{"", "repo create octocat/other --visibility internal", 2, "^$", "only organizations"},
		{"", "repo create acme/app --visibility internal", 0, "", ""},
		{"", "repo visibility octocat/octo-app public", 0, "^octocat/octo-app is public\n$", ""},
		{"", "repo visibility octocat/octo-app secret", 2, "^$", "visibility is"},
		{"", "repo list octocat", 0, "^REPOSITORY +VISIBILITY\noctocat/octo-app +public\n$", ""},
		{"", "repo grant acme/app --user bob --role write", 0, "^granted write on acme/app to bob\n$", ""},
		{"", "team create acme/devs", 0, "", ""},
		{"", "repo grant acme/app --team devs --role admin", 0, "", ""},
		{"", "repo grant acme/app --user bob --team devs --role read", 2, "^$", "to a user or to a team"},
		{"", "repo grant acme/app --user bob", 2, "^$", "--role"},
		{"", "repo grant acme/app --user bob --role none", 2, "^$", "role"},
		{"", "repo grants acme/app", 0, "^USER +TEAM +ROLE\nbob +write\n +devs +admin\n$", ""},
		{"", "repo revoke acme/app --user bob", 0, "^revoked the role of bob on acme/app\n$", ""},
		{"", "repo revoke acme/app --user bob", 1, "^$", "no role"},
		{"", "repo rename acme/app acme/service", 0, "^renamed acme/app to acme/service\n$", ""},
		{"", "repo rename acme/app elsewhere/service", 2, "^$", "OWNER/NAME"},
		{"", "repo rename acme", 2, "^$", "\nUsage: packhouse admin repo rename OWNER/NAME NEW-NAME [flags]\nSee packhouse admin repo rename --help.\n"},
		{"", "repo transfer acme/app octocat", 2, "^$", "--yes"},
		{"", "repo transfer acme/app octocat --yes", 0, "^transferred acme/app to octocat/service\n$", ""},
		{"", "repo list octocat", 0, "\noctocat/service +private\n$", ""},
		{"", "repo delete octocat/service --yes", 0, "^deleted repository octocat/service\n$", ""},
		{"", "repo delete acme/app --yes", 1, "^$", "no repository"},
	})
}

func TestSwitchesFromTheCommandLine(t *testing.T) {
	t.Parallel()
	play(t, []step{
		{"", "site show", 0, "^SWITCH +STATE\nregistry container +enabled\nregistry docker +enabled\nsign-up +closed\npublic-to-private +allowed\ndownload-guard +5000\n$", ""},
		{"", "site registry docker read-only", 0, "^the docker registry is read-only\n$", ""},
		{"", "site registry container disabled", 0, "^the container registry is disabled\n$", ""},
		{"", "site registry npm disabled", 2, "^$", "the registries are"},
		{"", "site registry docker off", 2, "^$", "a registry is"},
		{"", "site sign-up open", 0, "^sign-up is open\n$", ""},
		{"", "site sign-up ajar", 2, "^$", "open or closed"},
		{"", "site show", 0, "registry container +disabled\nregistry docker +read-only\nsign-up +open\npublic-to-private +allowed\n", ""},
		{"", "site public-to-private never", 2, "^$", "allowed or forbidden"},
		{"", "site audit --limit 2", 0, `^NUMBER +TIME +WHO +WHAT +ON +DETAIL\n3 .* operator +site.set +sign_up +\{"value":"open"\}\n2 .* registry.container .*\n$`, ""},
		{"", "site audit --before 2", 0, `^NUMBER.*\n1 .*registry.docker .*read-only.*\n$`, ""},
		{"", "site download-guard often", 2, "^$", "number from 0 on"},
		{"", "site download-guard -- -1", 2, "^$", "number from 0 on"},
		{"", "site download-guard 10", 0, "^download-guard is 10\n$", ""},
		{"", "site show", 0, "download-guard +10\n$", ""},
	})
}

func TestTyped(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{"bob\n": true, "bob": true, "bob\r\n": true, "yes\n": false, "bobby\n": false, "\nbob\n": false, "": false} {
		if got := typed(strings.NewReader(text), "bob"); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}
