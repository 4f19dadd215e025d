package packagepage

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"html/template"
	"io"
	"strings"

	"packhouse/internal/oci"
	"packhouse/internal/packages"
	"packhouse/internal/web/readme"
)

// Where a readme is found.
const (
	fromVersion    = "version"    // in the version, or attached to it
	fromPackage    = "package"    // the package's own
	fromChart      = "chart"      // in a Helm chart
	fromRepository = "repository" // the linked repository's
)

const (
	markdownType = "text/markdown"
	chartType    = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
	// maxChart is how much of a chart is unpacked, maxPacked how large one may be.
	maxChart, maxPacked = 16 << 20, 4 << 20
	maxReadme           = 1 << 20
)

// readme is what the package says at length, for the shown version; from is ""
// for nothing.
func (r *reader) readme(i image) (html template.HTML, from string, err error) {
	for _, place := range []struct {
		from string
		find func(image) (string, error)
	}{
		{fromVersion, r.pushedReadme},
		{fromPackage, func(image) (string, error) {
			text, err := r.Packages.Readme(r.ctx, r.c.Who, r.c.Package.Ref)
			return text, absent(err)
		}},
		{fromChart, func(i image) (string, error) { return r.chartReadme(i), nil }},
		{fromRepository, func(image) (string, error) { return r.repositoryReadme() }},
	} {
		text, err := place.find(i)
		if err != nil {
			return "", "", err
		}
		if strings.TrimSpace(text) != "" {
			return r.render(text), place.from, nil
		}
	}
	return "", "", nil
}

// render keeps what it rendered: the same text is the same page.
func (r *reader) render(text string) template.HTML {
	key := oci.SHA256.FromBytes([]byte(text))
	if html, ok := r.rendered.GetIfPresent(key); ok {
		return html
	}
	html := readme.Render([]byte(text))
	r.rendered.Set(key, html)
	return html
}

// pushedReadme looks for a layer of Markdown in the version itself, then in what
// refers to it, the newest first.
func (r *reader) pushedReadme(i image) (string, error) {
	if i.manifest == nil {
		return "", nil
	}
	if text, ok := r.markdown(i.manifest); ok {
		return text, nil
	}
	page, err := r.Registry.Referrers(r.ctx, r.c.Who, r.c.Package.Ref, i.Digest, "", 0, maxAttached)
	if err != nil {
		return "", absent(err)
	}
	for at := len(page.Referrers) - 1; at >= 0; at-- {
		d := page.Referrers[at]
		m, _, err := r.manifest(packages.Version{PackageID: i.PackageID, Digest: d.Digest, MediaType: d.MediaType, Size: d.Size})
		if err != nil {
			continue
		}
		if text, ok := r.markdown(m); ok {
			return text, nil
		}
	}
	return "", nil
}

func (r *reader) markdown(m *oci.Manifest) (string, bool) {
	for _, layer := range m.Layers {
		if oci.CleanMediaType(layer.MediaType) != markdownType {
			continue
		}
		if content, ok := r.blob(layer, maxReadme); ok {
			return string(content), true
		}
	}
	return "", false
}

func (r *reader) repositoryReadme() (string, error) {
	repository := r.c.Package.Repository
	if repository == nil { // none, or the visitor may not know of it
		return "", nil
	}
	text, err := r.Accounts.RepositoryReadme(r.ctx, repository.ID)
	return text, absent(err)
}

// chartReadme is the README.md of a Helm chart.
func (r *reader) chartReadme(i image) string {
	if i.manifest == nil {
		return ""
	}
	for _, layer := range i.manifest.Layers {
		if layer.MediaType != chartType {
			continue
		}
		if text, ok := r.charts.GetIfPresent(layer.Digest); ok && r.mayRead(layer.Digest) {
			return text
		}
		content, ok := r.blob(layer, maxPacked)
		if !ok {
			return ""
		}
		text, _ := unpackReadme(strings.NewReader(string(content))) // a broken chart has none
		r.charts.Set(layer.Digest, text)
		return text
	}
	return ""
}

// unpackReadme finds CHART/README.md in a packed chart, without unpacking more
// than maxChart of it.
func unpackReadme(packed io.Reader) (string, error) {
	z, err := gzip.NewReader(packed)
	if err != nil {
		return "", err
	}
	archive := tar.NewReader(io.LimitReader(z, maxChart))
	for {
		entry, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return "", nil
		}
		if err != nil {
			return "", err
		}
		parts := strings.Split(strings.TrimPrefix(entry.Name, "./"), "/")
		if entry.Typeflag != tar.TypeReg || len(parts) != 2 || !strings.EqualFold(parts[1], "README.md") || entry.Size > maxReadme {
			continue
		}
		content, err := io.ReadAll(io.LimitReader(archive, maxReadme))
		return string(content), err
	}
}
