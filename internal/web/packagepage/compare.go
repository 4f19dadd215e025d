package packagepage

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"packhouse/internal/errs"
	"packhouse/internal/oci"
	"packhouse/internal/packages"
	"packhouse/internal/web/frame"
)

// comparePage is two versions beside each other, or the form to choose them.
type comparePage struct {
	frame.PackagePage
	// From and To are what was asked for: tags, digests or numbers.
	From, To string
	// Sides are the two versions; nil before both are chosen.
	Sides     *[2]image
	Growth    int64 // of the size; negative when the newer is smaller
	Settings  []change
	Env       []change
	Labels    []change
	Layers    []change
	Platforms []change
	// Same is set when they differ in nothing that is shown.
	Same bool
}

// change is one line of a comparison. Old or New is "" for what is not there.
type change struct {
	Name     string // "" where the values speak for themselves
	Old, New string
	// Sign is "same", "added", "removed" or "changed".
	Sign string
	Size int64
}

func (r *room) compare(c *frame.Call) error {
	data := comparePage{
		PackagePage: c.PackagePage("versions", "compare.title", c.Package.Name.String()), From: shown(c.Query("from")), To: shown(c.Query("to")),
	}
	if data.From == "" || data.To == "" {
		return r.Show(c, frame.OK, "compare", data)
	}
	read := r.reader(c)
	var sides [2]image
	for i, ref := range []string{data.From, data.To} {
		v, err := read.side(ref)
		if errs.Is(err, errs.NotFound) {
			err = errs.New(errs.NotFound, "the package has no version %q", ref)
			data.PackagePage.Page = c.Failed(data.Page, err)
			return c.Again(err, r.Room, "compare", data)
		}
		if err != nil {
			return err
		}
		if sides[i], err = read.image(v); err != nil {
			return err
		}
	}
	data.Sides = &sides
	data.fill(sides[0], sides[1])
	return r.Show(c, frame.OK, "compare", data)
}

// side finds a version by its number, a tag or a digest.
func (r *reader) side(ref string) (packages.Version, error) {
	ref = strings.TrimSpace(ref)
	v, err := r.named(ref)
	id, notNumber := strconv.ParseInt(ref, 10, 64)
	if err == nil || absent(err) != nil || notNumber != nil { // a tag may be a number, too, and then it is the tag
		return v, err
	}
	return r.Packages.Version(r.ctx, r.c.Who, r.c.Package.Ref, id)
}

func (p *comparePage) fill(from, to image) {
	p.Growth = to.Size - from.Size
	a, b := from.config, to.config
	for _, s := range []change{
		{Name: "platform", Old: a.Platform, New: b.Platform},
		{Name: "entrypoint", Old: command(a.Entrypoint), New: command(b.Entrypoint)},
		{Name: "cmd", Old: command(a.Cmd), New: command(b.Cmd)},
		{Name: "user", Old: a.User, New: b.User},
		{Name: "workdir", Old: a.WorkDir, New: b.WorkDir},
		{Name: "ports", Old: strings.Join(a.Ports, " "), New: strings.Join(b.Ports, " ")},
		{Name: "volumes", Old: strings.Join(a.Volumes, " "), New: strings.Join(b.Volumes, " ")},
		{Name: "stop-signal", Old: a.StopSignal, New: b.StopSignal},
	} {
		if s.Old != "" || s.New != "" {
			s.Sign = sign(s.Old, s.New)
			p.Settings = append(p.Settings, s)
		}
	}
	p.Env = compareLabels(variables(a.Env), variables(b.Env))
	p.Labels = compareLabels(mergedLabels(from), mergedLabels(to))
	p.Layers = compareLayers(from.manifest.Layers, to.manifest.Layers)
	if from.manifest.IsIndex() && to.manifest.IsIndex() {
		p.Platforms = comparePlatforms(from.Platforms, to.Platforms)
	}
	p.Same = from.Digest == to.Digest
}

func sign(before, after string) string {
	switch {
	case before == after:
		return "same"
	case before == "":
		return "added"
	case after == "":
		return "removed"
	}
	return "changed"
}

// command writes a command as a shell would take it, near enough to read.
func command(list []string) string {
	words := make([]string, len(list))
	for i, word := range list {
		if word == "" || strings.ContainsAny(word, " \t\n\"'\\") {
			word = strconv.Quote(word)
		}
		words[i] = word
	}
	return strings.Join(words, " ")
}

// variables are lines of an environment as names and values.
func variables(env []string) []label {
	list := make([]label, len(env))
	for i, line := range env {
		list[i].Name, list[i].Value, _ = strings.Cut(line, "=")
	}
	return list
}

// mergedLabels are the labels of the config and the annotations of the manifest,
// which count where both say something.
func mergedLabels(i image) []label {
	list := slices.Clone(i.config.Labels)
	for _, a := range labelsOf(i.manifest.Annotations) {
		if at := slices.IndexFunc(list, func(l label) bool { return l.Name == a.Name }); at >= 0 {
			list[at] = a
			continue
		}
		list = append(list, a)
	}
	return list
}

// compareLabels lists what either side has, by names.
func compareLabels(before, after []label) []change {
	values := map[string][2]*string{}
	for side, list := range [][]label{before, after} {
		for i := range list {
			pair := values[list[i].Name]
			pair[side] = &list[i].Value
			values[list[i].Name] = pair
		}
	}
	var out []change
	for _, name := range keys(values) {
		c := change{Name: name, Sign: "changed"}
		switch pair := values[name]; {
		case pair[0] == nil:
			c.New, c.Sign = *pair[1], "added"
		case pair[1] == nil:
			c.Old, c.Sign = *pair[0], "removed"
		default:
			c.Old, c.New = *pair[0], *pair[1]
			if c.Old == c.New {
				c.Sign = "same"
			}
		}
		out = append(out, c)
	}
	return out
}

// compareLayers lists the layers that both begin with, what is gone and what is
// new; a layer that stays at another place counts as the same.
func compareLayers(before, after []oci.Descriptor) []change {
	has := func(list []oci.Descriptor) map[oci.Digest]bool {
		m := make(map[oci.Digest]bool, len(list))
		for _, d := range list {
			m[d.Digest] = true
		}
		return m
	}
	was, is := has(before), has(after)
	var out []change
	for _, d := range before {
		c := change{Old: d.Digest.String(), Size: d.Size, Sign: "removed"}
		if is[d.Digest] {
			c.New, c.Sign = c.Old, "same"
		}
		out = append(out, c)
	}
	for _, d := range after {
		if !was[d.Digest] {
			out = append(out, change{New: d.Digest.String(), Size: d.Size, Sign: "added"})
		}
	}
	return out[:min(len(out), maxLayers)]
}

func comparePlatforms(before, after []platform) []change {
	list := func(platforms []platform) []label {
		out := make([]label, len(platforms))
		for i, p := range platforms {
			out[i] = label{fmt.Sprint(p.Name, " ", p.Version), p.Digest.String()}
		}
		return out
	}
	return compareLabels(list(before), list(after))
}

// Shrunk is by how much the newer is smaller; zero when it is not.
func (p comparePage) Shrunk() int64 { return max(0, -p.Growth) }
