package lists

import (
	"io"

	"packhouse/internal/web/frame"
)

// robotsText lets searching machines read the pages of public packages: nothing
// else is to be seen without signing in. What answers programs, takes forms or
// has no end is not for them.
const robotsText = `User-agent: *
Disallow: /api/
Disallow: /v1/
Disallow: /v2/
Disallow: /token
Disallow: /login
Disallow: /join
Disallow: /logout
Disallow: /search
Disallow: /settings
Disallow: /organizations/
Disallow: /packages/
Disallow: /site
Disallow: /*/settings
Disallow: /*?q=
Disallow: /*&
Allow: /*&page=
`

func (r *room) robots(c *frame.Call) error {
	c.W.Header().Set("Content-Type", "text/plain; charset=utf-8")
	c.W.Header().Set("Cache-Control", "public, max-age=86400")
	_, err := io.WriteString(c.W, robotsText)
	return err
}

// favicon leads to the icon, for those who look only there.
func (r *room) favicon(c *frame.Call) error { return c.Redirect(c.Frame.Assets.Favicon) }
