package token

import "log/slog"

const redacted = "[redacted]"

// Secret is a credential in plain text. It prints, logs and encodes as a fixed
// word; Reveal is the only way to the text.
type Secret struct{ text *string } // a pointer, so that %+v of a struct shows an address

func newSecret(text string) Secret { return Secret{&text} }

// Reveal returns the text, to be shown to its owner once.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// String returns a fixed word.
func (s Secret) String() string { return redacted }

// GoString returns a fixed word.
func (s Secret) GoString() string { return redacted }

// LogValue returns a fixed word.
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText returns a fixed word.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }
