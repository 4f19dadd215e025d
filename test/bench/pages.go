package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// pageAsk is one page of the large package: its name in the report and its path.
// private is set where nobody but the owner may go.
type pageAsk struct {
	name, path string
	private    bool
}

// largePage are the pages that are measured, of a package of that name, with the
// ids of two of its versions and a place in the middle of its list.
func largePages(image, first, second, middle string) []pageAsk {
	at := "/users/" + benchUser + "/packages/container/"
	below := at + image
	list := below + "/versions?" + url.QueryEscape("filters[version_type]") + "="
	return []pageAsk{
		{"package", at + "package/" + image, false},
		{"package, a tag chosen", at + "package/" + image + "?tag=" + tagName(7), false},
		{"versions, tagged", list + "tagged", false},
		{"versions, tagged, from the middle", list + "tagged&after=" + middle, false},
		{"versions, untagged", list + "untagged", false},
		{"versions, deleted", list + "deleted", true},
		{"one version", below + "/" + first, false},
		{"comparison", below + "/compare?from=" + second + "&to=" + first, false},
		{"deletion of a version", below + "/versions/" + first + "/delete", true},
		{"tags", below + "/tags", false},
		{"history of a tag", below + "/tags/" + tagName(7), false},
		{"settings", below + "/settings", true},
		{"visibility", below + "/settings/visibility", true},
		{"deletion of the package", below + "/settings/delete", true},
		{"rules of trust", below + "/settings/trust", true},
		{"retention", below + "/settings/retention", true},
		{"hooks", below + "/settings/hooks", true},
		{"packages of the owner", "/" + benchUser + "?tab=packages", false},
		{"search", "/search?q=" + image, false},
		{"first page", "/", false},
	}
}

// pagesAsk lists the names of these pages, for the report.
func pagesAsk() []pageAsk { return largePages("", "", "", "") }

// readPages measures the pages of a package with as many versions as tags, for
// its owner and, once it is public, for nobody in particular.
func readPages(ctx context.Context, t *trial) error {
	const image = "pages"
	if err := t.seed(image, t.versions); err != nil {
		return err
	}
	k, err := t.client(repo(image))
	if err != nil {
		return err
	}
	defer k.close()
	ids, err := t.thinOut(k, image)
	if err != nil {
		return err
	}
	cookie, err := signIn(ctx, t.addr, t.tokens.creds)
	if err != nil {
		return err
	}
	asks := largePages(image, ids[0], ids[1], ids[2])
	for _, ask := range asks {
		if err := t.readPage(ctx, k, ask.name+", signed in", ask.path, cookie); err != nil {
			return err
		}
	}
	if err := t.api(k, "PATCH", "/user/packages/container/"+image, `{"visibility":"public"}`, nil); err != nil {
		return err
	}
	for _, ask := range asks {
		if ask.private {
			continue
		}
		if err := t.readPage(ctx, k, ask.name+", anonymous", ask.path, ""); err != nil {
			return err
		}
	}
	return nil
}

// thinOut takes tags of versions away and deletes others, so that every list has
// something, and returns the ids of the two newest and of one in the middle.
func (t *trial) thinOut(k *client, image string) ([3]string, error) {
	var ids [3]string
	n := min(t.versions/20, 500)
	for i := 100; i < 100+n; i++ {
		if err := t.api(k, "DELETE", "/user/packages/container/"+image+"/tags/"+tagName(i), "", nil); err != nil {
			return ids, err
		}
	}
	list := func(page int) (versions []struct{ ID json.Number }, err error) {
		path := fmt.Sprintf("/user/packages/container/%s/versions?per_page=100&page=%d", image, page)
		return versions, t.api(k, "GET", path, "", &versions)
	}
	newest, err := list(1)
	if err != nil {
		return ids, err
	}
	middle, err := list(max(1, min(t.versions/200, versionPages)))
	if err != nil || len(newest) < 100 || len(middle) == 0 {
		return ids, fmt.Errorf("%d and %d versions are listed: %w", len(newest), len(middle), err)
	}
	for _, v := range newest[50:] {
		if err := t.api(k, "DELETE", "/user/packages/container/"+image+"/versions/"+v.ID.String(), "", nil); err != nil {
			return ids, err
		}
	}
	return [3]string{newest[0].ID.String(), newest[1].ID.String(), middle[0].ID.String()}, nil
}

// api makes a call of the REST API and reads its answer into v, unless that is nil.
func (t *trial) api(k *client, method, path, body string, v any) error {
	r := request{
		method: method, path: "/api/v3" + path,
		header: "Authorization: Bearer " + t.tokens.creds.secret + "\r\nAccept: application/vnd.github+json\r\nContent-Type: application/json\r\n",
	}
	if body != "" {
		p := bytesPayload([]byte(body))
		r.body = &p
	}
	a, err := k.do(r)
	if err == nil && a.status/100 != 2 {
		err = fmt.Errorf("%s %s: %d: %.300s", method, path, a.status, a.body)
	}
	if err != nil || v == nil {
		return err
	}
	return json.Unmarshal(a.body, v)
}

// readPage asks for one page again and again, compressed as browsers want it.
func (t *trial) readPage(ctx context.Context, k *client, name, path, cookie string) error {
	header := "Accept-Encoding: gzip\r\nAccept-Language: en\r\n"
	if cookie != "" {
		header += "Cookie: " + cookie + "\r\n"
	}
	ask := func() error {
		a, err := k.do(request{method: "GET", path: path, header: header})
		if err == nil && a.status != 200 {
			err = fmt.Errorf("%s at %s: %d: %.300s", name, path, a.status, a.body)
		}
		if err == nil {
			err = ctx.Err()
		}
		return err
	}
	for range 5 { // templates are parsed when they are first needed
		if err := ask(); err != nil {
			return err
		}
	}
	return t.measure("page: "+name, func() (work, error) { return timed(200, t.span/4, ask) })
}

// signIn starts a session by the form and returns its cookie.
func signIn(ctx context.Context, addr string, c credentials) (string, error) {
	form := url.Values{"login": {c.user}, "password": {c.password}, "return_to": {"/"}}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+addr+"/login", strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	answer, err := http.DefaultTransport.RoundTrip(r) // what comes after the sign-in is of no interest
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	for _, cookie := range answer.Cookies() {
		if cookie.Name == "packhouse" && cookie.Value != "" {
			return cookie.Name + "=" + cookie.Value, nil
		}
	}
	return "", fmt.Errorf("%s could not sign in: %s", c.user, answer.Status)
}
