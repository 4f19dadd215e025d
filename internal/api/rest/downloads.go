package rest

import (
	"context"
	"html/template"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"packhouse/internal/access"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
	"packhouse/internal/packages"
)

// Downloads tells how often packages were pulled, and what they are pulled by,
// and decides for whom.
type Downloads interface {
	Downloads(ctx context.Context, who access.Principal, p access.Package, q packages.DownloadQuery) (packages.Downloads, error)
	Latest(ctx context.Context, who access.Principal, p access.Package) (packages.Tag, error)
	Platforms(ctx context.Context, who access.Principal, p access.Package, id int64) (platforms, attestations []oci.Descriptor, err error)
}

// downloadRoutes are this server's own operations on what is pulled.
func (h *Handler) downloadRoutes() []route {
	var routes []route
	for at, owner := range h.owned() {
		one := at + "/packages/{package_type}/{package_name...}"
		add := func(pattern string, do func(*call, access.Package) error) {
			routes = append(routes, route{"GET", one + pattern, of(owner, onPackage(do)), withToken(access.ReadPackages)})
		}
		add("/downloads", h.getDownloads)
		add("/versions/{package_version_id}/downloads", h.getVersionDownloads)
		add("/tags/{tag}/downloads", h.getTagDownloads)
		add("/latest", h.getLatest)
		add("/versions/{package_version_id}/platforms", h.getPlatforms)
		if at != "/user" { // pages show it to anybody
			routes = append(routes, route{"GET", one + "/downloads/badge.svg", of(owner, onPackage(h.getBadge)), decidedBelow(0)})
		}
	}
	return routes
}

// downloadsObject is how often something was pulled.
type downloadsObject struct {
	Total          int64       `json:"total"`
	LastDownloadAt *time.Time  `json:"last_download_at"`
	Days           []dayObject `json:"days"`
}

type dayObject struct {
	Date      string `json:"date"`
	Downloads int64  `json:"downloads"`
}

func (h *Handler) getDownloads(c *call, p access.Package) error {
	return h.downloads(c, p, packages.DownloadQuery{})
}

func (h *Handler) getVersionDownloads(c *call, p access.Package) error {
	id, err := c.id("package_version_id")
	if err != nil {
		return err
	}
	return h.downloads(c, p, packages.DownloadQuery{VersionID: id})
}

func (h *Handler) getTagDownloads(c *call, p access.Package) error {
	tag, err := oci.ParseTag(c.param("tag"))
	if err != nil {
		return err
	}
	return h.downloads(c, p, packages.DownloadQuery{Tag: tag})
}

func (h *Handler) downloads(c *call, p access.Package, q packages.DownloadQuery) error {
	if c.q.Has("days") {
		days, err := strconv.Atoi(c.q.Get("days"))
		if err != nil || days < 1 {
			return errs.New(errs.Invalid, "Invalid argument. days is a number above 0.")
		}
		q.Days = days
	}
	d, err := h.Downloads.Downloads(c.r.Context(), c.who, p, q)
	if err != nil {
		return err
	}
	o := downloadsObject{Total: d.Total, Days: make([]dayObject, len(d.Days))}
	if !d.Last.IsZero() {
		o.LastDownloadAt = &d.Last
	}
	for i, day := range d.Days {
		o.Days[i] = dayObject{day.Day.Format(time.DateOnly), day.Count}
	}
	return c.json(http.StatusOK, o)
}

// badge is two boxes, the label and the number. Its texts are given their width,
// so that any font fits.
var badge = template.Must(template.New("badge").Parse(
	`<svg xmlns="http://www.w3.org/2000/svg" width="{{.Width}}" height="20" role="img" aria-label="{{.Label}}: {{.Value}}">` +
		`<title>{{.Label}}: {{.Value}}</title>` +
		`<rect width="{{.Width}}" height="20" rx="3" fill="#444"/>` +
		`<path fill="#0969da" d="M{{.Left}} 0h{{.Inner}}a3 3 0 0 1 3 3v14a3 3 0 0 1-3 3H{{.Left}}z"/>` +
		`<g fill="#fff" text-anchor="middle" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">` +
		`<text x="{{.LabelAt}}" y="14" textLength="{{.LabelLength}}">{{.Label}}</text>` +
		`<text x="{{.ValueAt}}" y="14" textLength="{{.ValueLength}}">{{.Value}}</text></g></svg>`))

// maxLabel is the longest label in characters.
const maxLabel = 40

// getBadge answers with a picture of how often the package was pulled, or with
// tag what was pulled under that. Who may not read the package finds none.
func (h *Handler) getBadge(c *call, p access.Package) error {
	q := packages.DownloadQuery{Days: 1}
	if c.q.Has("tag") {
		tag, err := oci.ParseTag(c.q.Get("tag"))
		if err != nil {
			return err
		}
		q.Tag = tag
	}
	label := c.q.Get("label")
	if label == "" {
		label = "downloads"
	}
	if !utf8.ValidString(label) || utf8.RuneCountInString(label) > maxLabel {
		return errs.New(errs.Invalid, "Invalid argument. label has %d characters at most.", maxLabel)
	}
	d, err := h.Downloads.Downloads(c.r.Context(), c.who, p, q)
	if errs.Is(err, errs.Unauthenticated) || errs.Is(err, errs.Denied) {
		return errPackageNotFound()
	}
	if err != nil {
		return err
	}
	const char, margin = 7, 12
	value := short(d.Total)
	left, right := utf8.RuneCountInString(label)*char+margin, len(value)*char+margin
	var b strings.Builder
	err = badge.Execute(&b, map[string]any{
		"Label": label, "Value": value, "Width": left + right, "Left": left, "Inner": right - 3,
		"LabelAt": left / 2, "ValueAt": left + right/2, "LabelLength": left - margin, "ValueLength": right - margin,
	})
	if err != nil {
		return err
	}
	c.w.Header().Set("Cache-Control", "private, max-age=300")
	return c.raw(http.StatusOK, "image/svg+xml; charset=utf-8", []byte(b.String()))
}

// short is a number as badges have it: 999, 1.2k, 34k, 5.6M.
func short(n int64) string {
	for _, unit := range []struct {
		size int64
		name string
	}{{1e9, "G"}, {1e6, "M"}, {1e3, "k"}} {
		switch {
		case n >= 10*unit.size:
			return strconv.FormatInt(n/unit.size, 10) + unit.name
		case n >= unit.size:
			text := strconv.FormatFloat(float64(n/(unit.size/10))/10, 'f', -1, 64)
			return text + unit.name
		}
	}
	return strconv.FormatInt(n, 10)
}

// latestObject is what a package is pulled by.
type latestObject struct {
	Name      string    `json:"name"`
	Digest    string    `json:"digest"`
	VersionID int64     `json:"version_id"`
	Kind      string    `json:"kind"`
	UpdatedAt time.Time `json:"updated_at"`
}

func (h *Handler) getLatest(c *call, p access.Package) error {
	t, err := h.Downloads.Latest(c.r.Context(), c.who, p)
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, latestObject{t.Name, t.Digest.String(), t.VersionID, t.Kind, t.Since})
}

// platformObject is a child of an index.
type platformObject struct {
	Digest       string `json:"digest"`
	OS           string `json:"os"`
	Architecture string `json:"architecture"`
	Variant      string `json:"variant,omitempty"`
	Size         int64  `json:"size"`
}

func (h *Handler) getPlatforms(c *call, p access.Package) error {
	id, err := c.id("package_version_id")
	if err != nil {
		return err
	}
	platforms, attestations, err := h.Downloads.Platforms(c.r.Context(), c.who, p, id)
	if err != nil {
		return err
	}
	answer := struct {
		Platforms    []platformObject `json:"platforms"`
		Attestations []string         `json:"attestations"`
	}{[]platformObject{}, []string{}}
	for _, d := range platforms {
		o := platformObject{Digest: d.Digest.String(), Size: d.Size}
		if d.Platform != nil {
			o.OS, o.Architecture, o.Variant = d.Platform.OS, d.Platform.Architecture, d.Platform.Variant
		}
		answer.Platforms = append(answer.Platforms, o)
	}
	for _, d := range attestations {
		answer.Attestations = append(answer.Attestations, d.Digest.String())
	}
	return c.json(http.StatusOK, answer)
}
