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
	link     int64 // the account to link the identity to; 0: sign in
	returnTo string
}

func (a attempt) binding() string {
	return strconv.FormatInt(a.begun.Unix(), 10) + "." + strconv.FormatInt(a.link, 10) + "." +
		base64.RawURLEncoding.EncodeToString([]byte(a.returnTo))
}

func (a attempt) provider() account.Attempt {
	return account.Attempt{Secret: a.secret, Binding: a.binding()}
}

func (a attempt) cookie() string {
	return base64.RawURLEncoding.EncodeToString(a.secret) + "." + a.binding()
}

// parseAttempt is the reverse of cookie.
func parseAttempt(s string) (a attempt, ok bool) {
	parts := strings.Split(s, ".")
	if len(parts) != 4 {
		return attempt{}, false
	}
	secret, err1 := base64.RawURLEncoding.DecodeString(parts[0])
	begun, err2 := strconv.ParseInt(parts[1], 10, 64)
	link, err3 := strconv.ParseInt(parts[2], 10, 64)
	to, err4 := base64.RawURLEncoding.DecodeString(parts[3])
	if err1 != nil || err2 != nil || err3 != nil || err4 != nil || len(secret) != 32 {
		return attempt{}, false
	}
	return attempt{secret: secret, begun: time.Unix(begun, 0), link: link, returnTo: string(to)}, true
}
