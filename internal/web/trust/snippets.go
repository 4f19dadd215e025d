package trust

import (
	"embed"
	"strings"

	"packhouse/internal/access"
	"packhouse/internal/web/frame"
)

// samples are what jobs of each provider have to do. Words in capitals between
// underscores are put in.
//
//go:embed samples
var samples embed.FS

// snippets returns what a job has to do for a rule: to log in, and to exchange its
// identity token for one that lasts longer.
func snippets(c *frame.Call, p frame.SettingsPage, r ruleLine) (login, exchange string, err error) {
	host := c.Frame.ContainerHost
	if p.Package != nil && p.Package.Package.Type == access.Docker {
		host = c.Frame.DockerHost
	}
	image := host + "/" + r.Target
	if r.About == "owner" {
		image += "/app"
	}
	put := strings.NewReplacer(
		"_HOST_", host, "_IMAGE_", image, "_AUDIENCE_", r.Audience, "_TARGET_", r.Target, "_SERVER_", c.Frame.Absolute(""),
	)
	text, err := samples.ReadFile("samples/" + r.Provider + ".txt")
	if err != nil {
		return "", "", err
	}
	trade, err := samples.ReadFile("samples/exchange.txt")
	return put.Replace(string(text)), put.Replace(strings.TrimSpace(string(trade))), err
}
