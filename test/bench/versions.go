package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
)

// versionPages is how many pages of 100 the REST API gives of one list.
const versionPages = 100

// listVersions measures pages of the versions of one large package, as the
// clients of GitHub's API ask for them.
func listVersions(ctx context.Context, t *trial) error {
	name := "versions"
	if err := t.seed(name, t.versions); err != nil {
		return err
	}
	k, err := t.client(repo(name))
	if err != nil {
		return err
	}
	defer k.close()
	_, image, _ := strings.Cut(k.repo, "/")
	header := "Authorization: Bearer " + t.tokens.creds.secret + "\r\nAccept: application/vnd.github+json\r\n"
	ask := func(page int) error {
		a, err := k.do(request{
			method: "GET", header: header,
			path: fmt.Sprintf("/api/v3/user/packages/container/%s/versions?per_page=%d&page=%d", image, pageSize, page),
		})
		if err != nil {
			return err
		}
		var list []struct {
			Name     string
			Metadata struct{ Container struct{ Tags []string } }
		}
		if err := json.Unmarshal(a.body, &list); err != nil || a.status != 200 {
			return fmt.Errorf("a page of versions: %d, %v: %.200s", a.status, err, a.body)
		}
		if len(list) != min(pageSize, t.versions-(page-1)*pageSize) || len(list[0].Metadata.Container.Tags) != 1 {
			return fmt.Errorf("page %d holds %d versions, the first with the tags %v", page, len(list), list[0].Metadata.Container.Tags)
		}
		return ctx.Err()
	}
	pages := min(versionPages, (t.versions+pageSize-1)/pageSize)
	return t.measure("page of versions", func() (work, error) {
		return timed(400, t.span, func() error { return ask(1 + rand.IntN(pages)) })
	})
}
