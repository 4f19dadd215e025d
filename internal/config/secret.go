package config

import "log/slog"

const redacted = "[redacted]"

// Secret is a text that must not reach a log, an error or a listing. Printing,
// logging and encoding it show a fixed word; Reveal is the only way in. The
// zero value is the empty secret.
type Secret struct {
	// A pointer, so that even fmt's walk through unexported fields, which
	// calls no methods, finds an address and not the text.
	text *string
}

// NewSecret returns text as a Secret.
func NewSecret(text string) Secret {
	if text == "" {
		return Secret{}
	}
	return Secret{&text}
}

// Reveal returns the text.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// IsZero reports whether the secret is empty.
func (s Secret) IsZero() bool { return s.text == nil }

// String returns a fixed word.
func (s Secret) String() string { return redacted }

// GoString returns a fixed word.
func (s Secret) GoString() string { return redacted }

// LogValue returns a fixed word.
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalJSON returns a fixed word.
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// MarshalText returns a fixed word.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }
