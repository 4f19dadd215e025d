package config

import "time"

// Identity says how the identity tokens of outside issuers are taken.
type Identity struct {
	// AllowPrivateIssuers allows rules of trust to name issuers at addresses
	// that are not public, and at http:// addresses of this machine.
	AllowPrivateIssuers bool
	// TokenLife is how long the tokens last that are given for identity tokens.
	TokenLife time.Duration
}

func identitySettings(c *Config) []Setting {
	return []Setting{
		{"identity.allow_private_issuers", "Take identity tokens of issuers at private addresses too, such as a forge or a cluster in the own network, and by `http://` on this machine.", &c.Identity.AllowPrivateIssuers},
		{"identity.token_life", "A workflow token that a job gets for its identity token lasts this long: 1m to 6h.", &c.Identity.TokenLife},
	}
}

func (c *Config) checkIdentity(p *problems) {
	p.need(c.Identity.TokenLife >= time.Minute && c.Identity.TokenLife <= 6*time.Hour, "identity.token_life", "must be between 1m and 6h")
}
