package packagepage

import (
	"html/template"
	"math"
	"net/http"
	"net/url"

	"packhouse/internal/access"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
	"packhouse/internal/packages"
	"packhouse/internal/web/frame"
)

// packagePage is the page of a package.
type packagePage struct {
	frame.PackagePage
	// Shown is the version that the page speaks of; without one the package is
	// empty.
	Shown *image
	// Chosen is the tag that was asked for or else the latest; "" for a version
	// that has none.
	Chosen, Latest string
	Install        install
	// Platforms is set when the tab of platforms is open.
	Platforms   bool
	Recent      []packages.Tag
	Description string
	Licence     string
	Readme      template.HTML
	ReadmeFrom  string
	Attached    []attached
	More        bool // there are more than those
	Caches      []packages.Version
	Downloads   chart
	// Grants are for the package's administrators; so is Inherits.
	Grants   []packages.Grant
	Inherits bool
}

// install is how a version is got.
type install struct {
	// ByTag and ByDigest are lines for a shell. ByTag is "" without a tag.
	ByTag, ByDigest string
	// From is the first line of a Dockerfile, "" for what is no image.
	From string
	// Login is the line to sign in with, "" where nobody has to.
	Login string
}

// How much the page shows.
const maxRecent, maxCaches, maxGrants = 10, 10, 20

func (r *room) show(c *frame.Call) error {
	read := r.reader(c)
	data := packagePage{PackagePage: c.PackagePage("package", "packagepage.title", c.Package.Name.String())}
	data.Platforms = c.Query("tab") == "platforms"
	status, err := read.choose(&data)
	if err != nil {
		return err
	}
	if data.Shown != nil {
		if err := read.describe(&data); err != nil {
			return err
		}
	}
	if err := read.aside(&data); err != nil {
		return err
	}
	return r.Show(c, status, "package", data)
}

// choose finds the version to show: that of the tag in the address, or of the
// latest, or the newest that is no signature or the like.
func (r *reader) choose(data *packagePage) (status int, err error) {
	status = http.StatusOK
	latest, err := r.Packages.Latest(r.ctx, r.c.Who, r.c.Package.Ref)
	if absent(err) != nil {
		return 0, err
	}
	data.Latest, data.Chosen = latest.Name, latest.Name
	if wanted := r.c.Query("tag"); wanted != "" && wanted != latest.Name {
		tag, err := oci.ParseTag(wanted)
		if err == nil {
			_, err = r.named(tag.String())
		}
		switch {
		case err == nil:
			data.Chosen = wanted
		case errs.Is(err, errs.NotFound) || errs.Is(err, errs.Invalid):
			status = http.StatusNotFound
			data.PackagePage.Page = r.c.Failed(data.Page, errs.New(errs.NotFound, "there is no such tag"))
		default:
			return 0, err
		}
	}
	v, found, err := r.version(data.Chosen)
	if err != nil || !found {
		return status, err
	}
	i, err := r.image(v)
	data.Shown = &i
	return status, err
}

func (r *reader) version(tag string) (v packages.Version, found bool, err error) {
	if tag != "" {
		v, err = r.named(tag)
		return v, err == nil, absent(err)
	}
	page, err := r.Packages.Versions(r.ctx, r.c.Who, r.c.Package.Ref, packages.VersionQuery{After: math.MaxInt64, PerPage: packages.MaxPerPage})
	if err != nil {
		return v, false, err
	}
	for _, v := range page.Versions {
		if oci.Kind(v.Kind).Released() && v.Subject.IsZero() {
			return v, true, nil
		}
	}
	return v, false, nil
}

// describe tells of the shown version.
func (r *reader) describe(data *packagePage) (err error) {
	i := data.Shown
	data.Install = r.install(*i, data.Chosen)
	data.Description, data.Licence = i.Description, i.Licenses
	for _, p := range i.Platforms { // an index may leave this to what it holds
		child := i.children[p.Digest]
		if data.Description == "" {
			data.Description = shown(child.Description)
		}
		if data.Licence == "" {
			data.Licence = shown(child.Licenses)
		}
	}
	data.Licence = licence(data.Licence)
	if data.Readme, data.ReadmeFrom, err = r.readme(*i); err != nil {
		return err
	}
	var next int64
	data.Attached, next, err = r.attachedTo(*i, 0)
	data.More = next != 0
	return err
}

// aside tells of the package.
func (r *reader) aside(data *packagePage) (err error) {
	who, p := r.c.Who, r.c.Package.Ref
	if data.Recent, err = r.Packages.RecentTags(r.ctx, who, p, maxRecent); err != nil {
		return err
	}
	if data.Caches, err = r.Packages.Caches(r.ctx, who, p, maxCaches); err != nil {
		return err
	}
	d, err := r.Packages.Downloads(r.ctx, who, p, packages.DownloadQuery{})
	if err != nil {
		return err
	}
	data.Downloads = chartOf(d)
	if !r.c.Package.Admin {
		return nil
	}
	document, err := r.Packages.Document(r.ctx, who, p)
	data.Inherits = document.Inherits
	data.Grants = append(document.Grants, document.Repositories...)
	data.Grants = data.Grants[:min(len(data.Grants), maxGrants)]
	return err
}

func (r *reader) install(i image, tag string) install {
	in, tool := install{}, "docker"
	byTag, byDigest := r.address()+":"+tag, r.address()+"@"+i.Digest.String()
	switch {
	case i.manifest.Config != nil && i.manifest.Config.MediaType == "application/vnd.cncf.helm.config.v1+json":
		tool = "helm"
		byTag, byDigest = "oci://"+r.address()+" --version "+chartVersion(tag), "oci://"+byDigest
	case i.Kind == string(oci.KindImage), i.Kind == string(oci.KindIndex):
		in.From = "FROM " + byTag
		if tag == "" {
			in.From = "FROM " + byDigest
		}
	default:
		tool = "oras"
	}
	in.ByDigest = tool + " pull " + byDigest
	if tag != "" {
		in.ByTag = tool + " pull " + byTag
	}
	if r.c.Package.Visibility != access.Public {
		in.Login = r.login(tool)
	}
	return in
}

// login is the line for whoever looks.
func (r *reader) login(tool string) string {
	if tool == "helm" {
		tool = "helm registry"
	}
	return tool + " login " + r.host() + " -u " + r.c.Who.Login
}

// ByTagPath is the address of the page for a tag.
func (p packagePage) ByTagPath(tag string) string {
	return p.Package.Path() + "?" + url.Values{"tag": {tag}}.Encode()
}

// PlatformsPath is the address of the tab of platforms, InstallPath of the other.
func (p packagePage) PlatformsPath() string {
	q := url.Values{"tab": {"platforms"}}
	if p.Chosen != "" {
		q.Set("tag", p.Chosen)
	}
	return p.Package.Path() + "?" + q.Encode()
}

// InstallPath is the address of the tab of installation.
func (p packagePage) InstallPath() string {
	if p.Chosen == "" {
		return p.Package.Path()
	}
	return p.ByTagPath(p.Chosen)
}
