package webtest

import (
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// Push pushes a small image of its own to OWNER/NAME:TAG as the user, and returns
// its digest.
func (s *Site) Push(login, ref string) string {
	s.Helper()
	image, err := random.Image(512, 2)
	s.check(err)
	return s.PushImage(login, ref, image)
}

// PushImage pushes an image, or with PushIndex an index, as the user.
func (s *Site) PushImage(login, ref string, image v1.Image) string {
	s.Helper()
	s.check(remote.Write(s.reference(ref), image, s.as(login)...))
	digest, err := image.Digest()
	s.check(err)
	return digest.String()
}

// PushIndex pushes an index with what it holds.
func (s *Site) PushIndex(login, ref string, index v1.ImageIndex) string {
	s.Helper()
	s.check(remote.WriteIndex(s.reference(ref), index, s.as(login)...))
	digest, err := index.Digest()
	s.check(err)
	return digest.String()
}

func (s *Site) reference(ref string) name.Reference {
	s.Helper()
	r, err := name.ParseReference(Host+"/"+ref, name.Insecure)
	s.check(err)
	return r
}

func (s *Site) as(login string) []remote.Option {
	return []remote.Option{
		remote.WithAuth(&authn.Basic{Username: login, Password: Password}),
		remote.WithTransport(s.Transport()), remote.WithContext(s.Context()),
	}
}
