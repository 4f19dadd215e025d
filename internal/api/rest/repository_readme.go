package rest

import (
	"crypto/sha1" //nolint:gosec // names a text as git does; nothing is trusted for it
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"

	"packhouse/internal/access"
)

func (h *Handler) repositoryReadmeRoutes() []route {
	const at = "/repos/{owner}/{repo}/readme"
	return []route{
		{"GET", at, h.getRepositoryReadme, seeRepository()},
		{"PUT", at, h.putRepositoryReadme, administerRepository(access.Repo)},
	}
}

// contentFile is GitHub's content-file, of the one file that a repository has
// here.
type contentFile struct {
	Type        string            `json:"type"`
	Encoding    string            `json:"encoding"`
	Size        int               `json:"size"`
	Name        string            `json:"name"`
	Path        string            `json:"path"`
	Content     string            `json:"content"` // base64
	SHA         string            `json:"sha"`
	URL         string            `json:"url"`
	GitURL      any               `json:"git_url"`
	HTMLURL     string            `json:"html_url"`
	DownloadURL any               `json:"download_url"`
	Links       map[string]string `json:"_links"`
}

// readmePath is what the file is called in GitHub's answer.
const readmePath = "README.md"

func (c *call) showRepositoryReadme(text string) error {
	name := c.target.repository.Name.String()
	self, page := c.h.Base+"/repos/"+name+"/readme", c.h.Site+"/"+name
	sum := sha1.Sum([]byte(fmt.Sprintf("blob %d\x00%s", len(text), text))) //nolint:gosec // as git names it
	return c.json(http.StatusOK, contentFile{
		Type: "file", Encoding: "base64", Size: len(text), Name: readmePath, Path: readmePath,
		Content: base64.StdEncoding.EncodeToString([]byte(text)), SHA: hex.EncodeToString(sum[:]),
		URL: self, HTMLURL: page, Links: map[string]string{"self": self, "html": page},
	})
}

func (h *Handler) getRepositoryReadme(c *call) error {
	text, err := h.Accounts.RepositoryReadme(c.r.Context(), c.target.repository.ID)
	if err == nil && text == "" {
		err = errNotThere()
	}
	if err != nil {
		return absent(err)
	}
	return c.showRepositoryReadme(text)
}

// repositoryReadmeRequest is the body of a change: the text in base64, as GitHub
// takes contents; "" takes the readme away.
type repositoryReadmeRequest struct {
	Content *string `json:"content"`
}

func (h *Handler) putRepositoryReadme(c *call) error {
	var b repositoryReadmeRequest
	if err := c.body(&b); err != nil {
		return err
	}
	if b.Content == nil {
		return invalid(`content is missing; "" is for no readme`)
	}
	text, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(*b.Content, "\n", ""))
	if err != nil {
		return invalid("content is not valid Base64.")
	}
	if err := h.Accounts.SetRepositoryReadme(c.r.Context(), c.by(), c.target.repository.Name.String(), string(text)); err != nil {
		return changed(err)
	}
	now, err := h.Accounts.RepositoryReadme(c.r.Context(), c.target.repository.ID)
	if err != nil {
		return absent(err)
	}
	return c.showRepositoryReadme(now)
}
