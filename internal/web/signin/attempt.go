package signin

import (
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"packhouse/internal/account"
)

// attemptLife is how long somebody may take at the provider.
const attemptLife = 10 * time.Minute

// attempt is a way to the provider and back, kept by the browser in a cookie.
// What it says is bound into the state, so no part can be changed on the way.
type attempt struct {
	secret   []byte
	begun    time.Time
	purpose  string
	account  int64 // who set out; 0 to sign in
	returnTo string
}

// What somebody goes to the provider for.
const (
	toEnter   = "enter"
	toLink    = "link"    // the identity to the account
	toConfirm = "confirm" // who sits there
)

func (a attempt) binding() string {
	return strconv.FormatInt(a.begun.Unix(), 10) + "." + a.purpose + "." + strconv.FormatInt(a.account, 10) + "." +
		base64.RawURLEncoding.EncodeToString([]byte(a.returnTo))
}

func (a attempt) provider() account.Attempt {
	return account.Attempt{Secret: a.secret, Binding: a.binding(), Anew: a.purpose == toConfirm}
}

func (a attempt) cookie() string {
	return base64.RawURLEncoding.EncodeToString(a.secret) + "." + a.binding()
}

// parseAttempt is the reverse of cookie.
func parseAttempt(s string) (a attempt, ok bool) {
	parts := strings.Split(s, ".")
	if len(parts) != 5 {
		return attempt{}, false
	}
	secret, err1 := base64.RawURLEncoding.DecodeString(parts[0])
	begun, err2 := strconv.ParseInt(parts[1], 10, 64)
	who, err3 := strconv.ParseInt(parts[3], 10, 64)
	to, err4 := base64.RawURLEncoding.DecodeString(parts[4])
	if err1 != nil || err2 != nil || err3 != nil || err4 != nil || len(secret) != 32 {
		return attempt{}, false
	}
	return attempt{secret: secret, begun: time.Unix(begun, 0), purpose: parts[2], account: who, returnTo: string(to)}, true
}
