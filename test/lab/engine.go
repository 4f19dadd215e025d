package lab

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Engine starts a docker engine on a socket of its own and returns the client
// that uses it. Engines take every address of 127.0.0.0/8 to be plain HTTP, and
// so are the names that lead there. hosts are further names of this machine that
// the engine knows; it alone sees them.
func (c *Client) Engine(hosts ...string) *Client {
	c.T.Helper()
	socket := "unix://" + c.Home + "/docker.sock"
	config := map[string]any{
		"iptables": false, "ip6tables": false, "bridge": "none", "storage-driver": "overlay2",
		"data-root": c.Home + "/data", "exec-root": c.Home + "/exec", "pidfile": c.Home + "/docker.pid",
		"hosts": []string{socket},
	}
	text, err := json.Marshal(config)
	if err != nil {
		c.T.Fatal(err)
	}
	file := c.Write("daemon.json", string(text))
	if len(hosts) == 0 {
		c.Daemon("dockerd", "--config-file", file)
	} else {
		table := c.Write("hosts", "127.0.0.1 localhost "+strings.Join(hosts, " ")+"\n")
		c.Daemon("unshare", "--mount", "--propagation", "private", "sh", "-c",
			fmt.Sprintf("mount --bind %s /etc/hosts && exec %s --config-file %s", table, c.lookPath("dockerd"), file))
	}
	c = c.As("DOCKER_HOST="+socket, "DOCKER_BUILDKIT=0")
	c.Await("the docker engine", "docker", "version")
	return c
}
