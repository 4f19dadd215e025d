package account

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"io"
	"strings"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/audit"
	"packhouse/internal/errs"
)

// How long a browser stays signed in: without a request, and at all.
const (
	SessionIdle = 14 * 24 * time.Hour
	SessionLife = 90 * 24 * time.Hour
)

// SudoLife is how long somebody who has just shown who they are may do what is
// dangerous.
const SudoLife = 15 * time.Minute

// touchEvery is how old the note of a session's last request may be.
const touchEvery = time.Hour

// maxAgent is the longest name of a browser that is kept, in bytes.
const maxAgent = 200

// Session is a browser in which a user is signed in. What is stored cannot be
// used to sign in.
type Session struct {
	SecretHash string // SHA-256 of the secret in the cookie, hexadecimal
	AccountID  int64
	// Issuer is the outside provider that vouched for the user; empty after a
	// password.
	Issuer     string
	Address    string
	Agent      string
	CreatedAt  time.Time
	LastSeenAt time.Time
	ExpiresAt  time.Time
	// SudoUntil is until when the browser may do what is dangerous.
	SudoUntil time.Time
}

// SessionStore keeps sessions.
type SessionStore interface {
	// StartWebSession stores n.Session, and ends n.Replaced and n.Pending if they
	// are there. Unauthenticated when the user was suspended or deleted, or n does
	// not hold any more.
	StartWebSession(ctx context.Context, n NewSession, e audit.Entry) error
	// ConfirmWebSession gives the session another hash, and what is dangerous may
	// be done in it until then. Unauthenticated when it has ended.
	ConfirmWebSession(ctx context.Context, old, hash string, until time.Time, e audit.Entry) error
	// WebSession returns the session and its user as it is now; NotFound when
	// it has expired or ended, or the user may not come in any more.
	WebSession(ctx context.Context, hash string, now time.Time) (Session, Account, error)
	// TouchWebSession notes a request; it may be lost by a power cut.
	TouchWebSession(ctx context.Context, hash string, seen, expires time.Time) error
	// EndWebSession ends the session, if there is one.
	EndWebSession(ctx context.Context, hash string) error
	// SweepWebSessions removes sessions that have expired.
	SweepWebSessions(ctx context.Context, now time.Time) (int, error)
	// RecordSignIn records a sign-in that failed.
	RecordSignIn(ctx context.Context, e audit.Entry) error
}

// Sessions starts, finds and ends the sessions of browsers. Safe for concurrent
// use. A suspension, a new password and the deletion of the account end a
// user's sessions; the store sees to that.
type Sessions struct {
	Store  SessionStore
	Now    func() time.Time
	Random io.Reader
}

// Browser is what is noted of where a session was started.
type Browser struct {
	Address string
	Agent   string
	// Secret is that of the session that the browser had before; empty for
	// none. It ends when another starts.
	Secret string
}

// Way is how somebody shows who they are. The zero value is a password alone.
type Way struct {
	// Issuer is the outside provider that vouches for them, and Earlier is set when
	// they may have shown it some time ago who they are: whoever sits there now is
	// asked again before what is dangerous.
	Issuer  string
	Earlier bool
	// Passkey is set for a passkey alone.
	Passkey bool
	// Factor is the second factor that came after the password, or that who is
	// signed in showed again.
	Factor string
	// NewPassword is set for a session that goes on under another secret, since its
	// user has just changed the password.
	NewPassword bool
	// Pending is the secret of the sign-in that waited for it.
	Pending string
}

func (w Way) detail(b Browser) map[string]any {
	d := map[string]any{"address": b.Address, "by": "password"}
	switch {
	case w.NewPassword:
		d["by"] = "new password"
	case w.Issuer != "":
		d["by"] = w.Issuer
	case w.Passkey:
		d["by"] = FactorPasskey
	case w.Factor != "" && w.Pending == "": // who is signed in shows it again
		d["by"] = w.Factor
	case w.Factor != "":
		d["second_factor"] = w.Factor
	}
	return d
}

// NewSession is a session to start. PasswordSet is when the password was set that
// let the user in, in microseconds; negative when none did. Unless Second is set
// the user must have no second factor.
type NewSession struct {
	Session
	PasswordSet int64
	Second      bool
	Replaced    string // hash of the browser's session before
	Pending     string // hash of the sign-in that waited
}

// Start signs who in and returns the secret of the session, which is always a
// new one. What is dangerous may be done in it for SudoLife, unless w is Earlier.
func (s *Sessions) Start(ctx context.Context, who access.Principal, w Way, b Browser) (secret string, err error) {
	if secret, err = s.newSecret(); err != nil {
		return "", err
	}
	now := s.Now()
	n := NewSession{
		Session: Session{
			SecretHash: sessionHash(secret), AccountID: who.AccountID, Issuer: w.Issuer, Address: b.Address, Agent: cut(b.Agent, maxAgent),
			CreatedAt: now, LastSeenAt: now, ExpiresAt: now.Add(SessionIdle), SudoUntil: now.Add(SudoLife),
		},
		PasswordSet: who.Generation, Second: w != Way{},
		Replaced: hashOfSecret(b.Secret), Pending: hashOfSecret(w.Pending),
	}
	if w.Earlier {
		n.SudoUntil = now
	}
	if w.Issuer != "" || w.Passkey || w.NewPassword {
		n.PasswordSet = -1 // no password let who in
	}
	err = s.Store.StartWebSession(ctx, n, audit.Entry{
		At: now, Actor: audit.By(who), Action: "user.sign-in", Target: who.Login, Detail: w.detail(b),
	})
	return secret, err
}

// Confirm notes that who has shown again who it is in the session: for SudoLife
// from now on what is dangerous may be done there. It returns the session as it is
// now, with a new secret. Unauthenticated when it has ended.
func (s *Sessions) Confirm(ctx context.Context, session Session, who access.Principal, w Way, b Browser) (Session, string, error) {
	secret, err := s.newSecret()
	if err != nil {
		return session, "", err
	}
	old := session.SecretHash
	session.SecretHash, session.SudoUntil = sessionHash(secret), s.Now().Add(SudoLife)
	return session, secret, s.Store.ConfirmWebSession(ctx, old, session.SecretHash, session.SudoUntil, audit.Entry{
		At: s.Now(), Actor: audit.By(who), Action: "user.confirm", Target: who.Login, Detail: w.detail(b),
	})
}

func (s *Sessions) newSecret() (string, error) {
	raw := make([]byte, 32)
	if _, err := io.ReadFull(s.Random, raw); err != nil {
		return "", errs.Wrap(errs.Internal, err, "no randomness for a session")
	}
	return base64.RawURLEncoding.EncodeToString(raw), nil
}

// Failed records that somebody did not get in as login, which may be empty when
// nobody knows who it was to be.
func (s *Sessions) Failed(ctx context.Context, login string, w Way, b Browser) error {
	if login == "" {
		login = "unknown"
	}
	return s.Store.RecordSignIn(ctx, audit.Entry{
		At: s.Now(), Actor: audit.Server, Action: "user.sign-in-failed", Target: login, Detail: w.detail(b),
	})
}

// Find returns the session with that secret and who is signed in by it, or
// Unauthenticated.
func (s *Sessions) Find(ctx context.Context, secret string) (Session, access.Principal, error) {
	now, none := s.Now(), errs.New(errs.Unauthenticated, "nobody is signed in")
	if secret == "" {
		return Session{}, access.Principal{}, none
	}
	session, a, err := s.Store.WebSession(ctx, sessionHash(secret), now)
	if errs.Is(err, errs.NotFound) {
		return Session{}, access.Principal{}, none
	}
	if err != nil {
		return Session{}, access.Principal{}, err
	}
	if now.Sub(session.LastSeenAt) >= touchEvery {
		session.LastSeenAt, session.ExpiresAt = now, now.Add(SessionIdle)
		if last := session.CreatedAt.Add(SessionLife); session.ExpiresAt.After(last) {
			session.ExpiresAt = last
		}
		if err := s.Store.TouchWebSession(ctx, session.SecretHash, session.LastSeenAt, session.ExpiresAt); err != nil {
			return Session{}, access.Principal{}, err
		}
	}
	return session, principal(a), nil
}

// End signs the browser with that secret out. It may be signed out already.
func (s *Sessions) End(ctx context.Context, secret string) error {
	if secret == "" {
		return nil
	}
	return s.Store.EndWebSession(ctx, sessionHash(secret))
}

// Sweep forgets sessions that have expired. Run it now and then.
func (s *Sessions) Sweep(ctx context.Context) (int, error) {
	return s.Store.SweepWebSessions(ctx, s.Now())
}

// sessionHash returns what is stored of a secret, which has too many bits to be
// guessed: a plain hash holds.
func sessionHash(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

func cut(s string, limit int) string {
	if len(s) > limit {
		s = s[:limit]
	}
	return strings.ToValidUTF8(s, "")
}
