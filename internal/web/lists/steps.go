package lists

import (
	"net/url"
	"strings"

	"packhouse/internal/access"
	"packhouse/internal/errs"
	"packhouse/internal/packages"
	"packhouse/internal/web/frame"
)

const (
	// firstPushPath answers a script that waits for the first push.
	firstPushPath = "/packages/first"
	// refreshAfter is after how many seconds browsers without script look again.
	refreshAfter = 10
	exampleImage = "alpine:latest"
)

// steps are the lines to log in and push, in a namespace that has no package.
type steps struct {
	Login, Tag, Push string
	// Name is what will be pushed, without host and tag.
	Name string
	// Poll is where a script asks for the address of the first package.
	Poll string
	// Docker is set where packages lie in repositories.
	Docker bool
}

// stepsOf returns the first steps in a namespace; nil for those who may not push
// there. With all, the first package of the whole server is waited for.
func (r *room) stepsOf(c *frame.Call, o frame.Owner, all bool) (*steps, error) {
	may, err := r.mayPush(c, o.Login)
	if err != nil || !may {
		return nil, err
	}
	s := &steps{Name: o.Login + "/alpine", Poll: firstPushPath, Docker: r.Makes == access.Docker}
	host := c.Frame.ContainerHost
	if s.Docker {
		s.Name, host = o.Login+"/my-repository/alpine", c.Frame.DockerHost
	}
	host = strings.ToLower(host)
	s.Login = "docker login " + host + " -u " + c.Who.Login
	s.Tag = "docker tag " + exampleImage + " " + host + "/" + s.Name + ":1"
	s.Push = "docker push " + host + "/" + s.Name + ":1"
	if !all {
		s.Poll += "?" + url.Values{"owner": {o.Login}}.Encode()
	}
	return s, nil
}

func (r *room) mayPush(c *frame.Call, owner string) (bool, error) {
	if c.Who.AccountID == 0 {
		return false, nil
	}
	return r.Packages.MayMake(c.R.Context(), c.Who, owner, r.Makes)
}

// firstPush tells the script of the first steps where the first package is:
// {"path": ""} while there is none. It is for those who are shown the steps, and
// to others it is not there.
func (r *room) firstPush(c *frame.Call) error {
	owner := c.Query("owner")
	may := c.Who.SiteAdmin
	if owner != "" {
		var err error
		if may, err = r.mayPush(c, owner); err != nil {
			return err
		}
	}
	if !may {
		return errs.New(errs.NotFound, "there is no such page")
	}
	list, _, err := r.Packages.ListPackages(c.R.Context(), c.Who, packages.ListQuery{Owner: owner, PerPage: 1, Enough: 1})
	if err != nil {
		return err
	}
	answer := struct {
		Path string `json:"path"`
	}{}
	if len(list) > 0 {
		answer.Path = frame.PackagePath(list[0])
	}
	return c.JSON(answer)
}
