package packagepage

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"unicode"

	"packhouse/internal/httpx"
	"packhouse/internal/oci"
	"packhouse/internal/packages"
	"packhouse/internal/web/frame"
)

// versionPage is the page of one version.
type versionPage struct {
	frame.PackagePage
	Image   image
	Deleted bool
	// Chosen is the tag of the pull command; "" for a version without tags.
	Chosen   string
	Install  install
	MoreTags int64 // that are not shown
	// Config is nil for what is no image, or cannot be read.
	Config      *imageConfig
	Annotations []label
	Layers      []layer
	MoreLayers  int64
	// Manifest is the document as people read it; "" for one too long for a page.
	Manifest string
	// In are the indexes that hold the version; Subject is what it speaks of, and
	// SubjectID its number, zero when it is not here.
	In        []packages.Version
	Subject   oci.Digest
	SubjectID int64
	// Documents are what the version itself says, where it speaks of another.
	Documents []document
	Attached  []attached
	// Next is where the list of what is attached goes on; zero at its end.
	Next      int64
	Downloads chart
	Licence   string
}

// How much the page shows: of tags, of indexes, of a manifest in bytes.
const maxTags, maxIndexes, maxManifest = 50, 20, 64 << 10

func (r *room) version(c *frame.Call) error {
	id, err := c.ID("id")
	if err != nil {
		return err
	}
	v, err := r.Packages.Version(c.R.Context(), c.Who, c.Package.Ref, id)
	if err != nil {
		return err
	}
	read := r.reader(c)
	if c.Query("raw") != "" {
		return read.raw(v)
	}
	data := versionPage{
		PackagePage: c.PackagePage("versions", "oneversion.title", c.Package.Name.String(), short(v.Digest)), Deleted: !v.DeletedAt.IsZero(), Licence: licence(shown(v.Licenses)),
	}
	if data.Image, err = read.image(v); err != nil {
		return err
	}
	read.tags(&data)
	read.content(&data)
	if err := read.relations(&data); err != nil {
		return err
	}
	return r.Show(c, frame.OK, "version", data)
}

// short is the beginning of a digest, as people compare it.
func short(d oci.Digest) string { return d.Hex()[:min(12, len(d.Hex()))] }

// raw answers with the exact bytes of the manifest.
func (r *reader) raw(v packages.Version) error {
	_, content, err := r.manifest(v)
	if err != nil {
		return err
	}
	r.c.W.Header().Set("Content-Type", "application/json; charset=utf-8")
	r.c.W.Header().Set("Content-Disposition", `inline; filename="manifest.json"`)
	return httpx.WriteCompressed(r.c.W, r.c.R, http.StatusOK, content)
}

// tags chooses the tag of the pull command: the one in the address, if the
// version has it, else its newest.
func (r *reader) tags(data *versionPage) {
	v := &data.Image
	wanted := r.c.Query("tag")
	switch {
	case slices.Contains(v.Tags, wanted):
		data.Chosen = wanted
	case len(v.Tags) > 0:
		data.Chosen = v.Tags[0]
	}
	data.MoreTags = int64(max(0, len(v.Tags)-maxTags))
	v.Tags = v.Tags[:min(len(v.Tags), maxTags)]
	data.Install = r.install(*v, data.Chosen)
}

// content tells what the version holds.
func (r *reader) content(data *versionPage) {
	m := data.Image.manifest
	if data.Image.hasConfig {
		data.Config = &data.Image.config
	}
	data.Annotations = labelsOf(m.Annotations)
	data.Layers, data.MoreLayers = layersOf(m, data.Image.config.History)
	if len(data.Image.content) <= maxManifest {
		var b bytes.Buffer
		if json.Indent(&b, data.Image.content, "", "  ") == nil {
			data.Manifest = visible(b.String())
		}
	}
	switch oci.Kind(data.Image.Kind) {
	case oci.KindSignature, oci.KindAttestation, oci.KindSBOM:
		for _, l := range m.Layers[:min(len(m.Layers), maxDocuments)] {
			data.Documents = append(data.Documents, r.document(data.Image.Digest, l))
		}
	case oci.KindImage, oci.KindIndex, oci.KindArtifact, oci.KindCache:
	}
}

// relations tells what the version has to do with others, and how often it was
// pulled.
func (r *reader) relations(data *versionPage) (err error) {
	who, p, v := r.c.Who, r.c.Package.Ref, data.Image.Version
	if data.In, err = r.Packages.IndexesWith(r.ctx, who, p, v.Digest, maxIndexes); err != nil {
		return err
	}
	if data.Subject = v.Subject; !v.Subject.IsZero() {
		found, err := r.Packages.VersionsOf(r.ctx, who, p, []oci.Digest{v.Subject})
		if err != nil {
			return err
		}
		data.SubjectID = found[v.Subject].ID
	}
	if data.Deleted {
		return nil
	}
	d, err := r.Packages.Downloads(r.ctx, who, p, packages.DownloadQuery{VersionID: v.ID})
	if err != nil {
		return err
	}
	data.Downloads = chartOf(d)
	data.Attached, data.Next, err = r.attachedTo(data.Image, r.c.After())
	return err
}

// Command writes a command in one line.
func (versionPage) Command(words []string) string { return command(words) }

// visible is JSON with what would turn the direction of the text as escapes.
func visible(text string) string {
	var b strings.Builder
	for _, r := range text {
		if unicode.Is(unicode.Bidi_Control, r) {
			fmt.Fprintf(&b, `\u%04x`, r)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}
