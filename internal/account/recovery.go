package account

import (
	"context"
	"io"
	"strings"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/audit"
	"packhouse/internal/errs"
)

// recoveryCodes is how many an account gets at once, of 80 bits each.
const recoveryCodes = 10

// RecoveryStore keeps the codes that sign in once when a second factor is lost.
type RecoveryStore interface {
	// RecoveryCodes returns how many are left, and since when there is a second
	// factor; zero: there is none.
	RecoveryCodes(ctx context.Context, accountID int64) (since time.Time, left int, err error)
	// UseRecoveryCode uses one up; Unauthenticated when there is none with that
	// hash which was not.
	UseRecoveryCode(ctx context.Context, accountID int64, hash string, e audit.Entry) error
	// ReplaceRecoveryCodes makes these the only ones. Conflict without a second
	// factor.
	ReplaceRecoveryCodes(ctx context.Context, accountID int64, hashes []string, e audit.Entry) error
}

// newCodes returns recovery codes, and what is stored of them.
func (f *Factors) newCodes() (codes, hashes []string, err error) {
	for range recoveryCodes {
		raw := make([]byte, 16)
		if _, err := io.ReadFull(f.Random, raw); err != nil {
			return nil, nil, errs.Wrap(errs.Internal, err, "no randomness for recovery codes")
		}
		var code strings.Builder
		for i, b := range raw {
			if i > 0 && i%4 == 0 {
				code.WriteByte('-')
			}
			code.WriteByte(passwordAlphabet[int(b)%len(passwordAlphabet)])
		}
		codes = append(codes, code.String())
		hashes = append(hashes, codeHash(code.String()))
	}
	return codes, hashes, nil
}

// codeHash returns what is stored of a code, however it was typed. A plain hash
// holds: a code has too many bits to be guessed.
func codeHash(code string) string {
	return hashOfSecret("recovery " + strings.NewReplacer("-", "", " ", "").Replace(strings.ToLower(code)))
}

// UseRecoveryCode takes a recovery code of who, once. Unauthenticated for any
// other text.
func (f *Factors) UseRecoveryCode(ctx context.Context, who access.Principal, code string) error {
	if len(code) > 100 {
		return errCode()
	}
	return f.Store.UseRecoveryCode(ctx, who.AccountID, codeHash(code), f.entry(who, "user.recovery-code-use", nil))
}

// RenewRecoveryCodes gives who other codes, to be shown once; those of before are
// worth nothing. Conflict without a second factor.
func (f *Factors) RenewRecoveryCodes(ctx context.Context, who access.Principal) ([]string, error) {
	codes, hashes, err := f.newCodes()
	if err != nil {
		return nil, err
	}
	return codes, f.Store.ReplaceRecoveryCodes(ctx, who.AccountID, hashes, f.entry(who, "user.recovery-codes-renew", nil))
}
