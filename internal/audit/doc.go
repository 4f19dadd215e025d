// Package audit is the record of who changed what. Entries are only ever added,
// each in the transaction of the change that it tells of: there is no change
// without its entry, and no entry of a change that did not happen.
//
// A change is recorded like this. The method of a service takes the actor right
// after the context, builds the Entry and hands it to its store, whose method
// calls record(ctx, tx, entry) inside its write:
//
//	func (s *Service) Suspend(ctx context.Context, by audit.Actor, login string) error {
//		…
//		return s.Store.SetSuspended(ctx, a.ID, true, audit.Entry{
//			At: s.Now(), Actor: by, Action: "user.suspend", Target: a.Login,
//		})
//	}
//
// Callers write audit.By(principal). Actions are named NOUN.VERB, targets are
// logins, OWNER/NAME, or OWNER/NAME@DIGEST. Details hold what was changed to
// what, and never a secret.
//
// Subject packages may import audit; it knows none of them.
package audit
