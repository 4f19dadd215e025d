package packagepage

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode"
)

// How much of a config is shown: of each list so many, of each text so much.
const maxListed, maxShown = 300, 2000

// imageConfig is what the config of an image says.
type imageConfig struct {
	Platform, Author          string
	Created                   time.Time
	Entrypoint, Cmd, Env      []string
	User, WorkDir, StopSignal string
	Ports, Volumes            []string
	Labels                    []label
	History                   []historyLine
}

// Says reports whether there is anything to show beside the labels.
func (c imageConfig) Says() bool {
	return c.Platform+c.Author+c.User+c.WorkDir+c.StopSignal != "" || !c.Created.IsZero() ||
		len(c.Entrypoint)+len(c.Cmd)+len(c.Env)+len(c.Ports)+len(c.Volumes) > 0
}

// label is a name with its value.
type label struct{ Name, Value string }

// historyLine is one step of how the image was built.
type historyLine struct {
	Created time.Time
	Command string
	Empty   bool // it made no layer
}

// rawConfig is the document, as far as its members have the right types.
type rawConfig struct {
	Architecture string `json:"architecture"`
	OS           string `json:"os"`
	Variant      string `json:"variant"`
	Created      string `json:"created"`
	Author       string `json:"author"`
	Config       struct {
		Entrypoint   []string                   `json:"Entrypoint"`
		Cmd          []string                   `json:"Cmd"`
		Env          []string                   `json:"Env"`
		User         string                     `json:"User"`
		WorkingDir   string                     `json:"WorkingDir"`
		StopSignal   string                     `json:"StopSignal"`
		ExposedPorts map[string]json.RawMessage `json:"ExposedPorts"`
		Volumes      map[string]json.RawMessage `json:"Volumes"`
		Labels       map[string]string          `json:"Labels"`
	} `json:"config"`
	History []struct {
		Created    string `json:"created"`
		CreatedBy  string `json:"created_by"`
		Comment    string `json:"comment"`
		EmptyLayer bool   `json:"empty_layer"`
	} `json:"history"`
}

// parseConfig reads what it can; false for what is no JSON object.
func parseConfig(content []byte) (imageConfig, bool) {
	var raw rawConfig
	err := json.Unmarshal(content, &raw)
	var odd *json.UnmarshalTypeError
	if err != nil && (!errors.As(err, &odd) || odd.Field == "") { // the rest is read all the same
		return imageConfig{}, false
	}
	in := raw.Config
	c := imageConfig{
		Platform: platformName(raw.OS, raw.Architecture, raw.Variant), Author: shown(raw.Author), Created: moment(raw.Created),
		Entrypoint: shownAll(in.Entrypoint), Cmd: shownAll(in.Cmd), Env: shownAll(in.Env),
		User: shown(in.User), WorkDir: shown(in.WorkingDir), StopSignal: shown(in.StopSignal),
		Ports: shownAll(keys(in.ExposedPorts)), Volumes: shownAll(keys(in.Volumes)), Labels: labelsOf(in.Labels),
	}
	for _, h := range raw.History {
		command := h.CreatedBy
		if command == "" {
			command = h.Comment
		}
		c.History = append(c.History, historyLine{moment(h.Created), shown(command), h.EmptyLayer})
	}
	return c, true
}

// platformName is how docker writes a platform; "" for none.
func platformName(parts ...string) string {
	var named []string
	for _, p := range parts {
		if p = shown(p); p != "" {
			named = append(named, p)
		}
	}
	return strings.Join(named, "/")
}

func labelsOf(m map[string]string) []label {
	var list []label
	for _, name := range keys(m) {
		if len(list) == maxListed {
			break
		}
		list = append(list, label{shown(name), shown(m[name])})
	}
	return list
}

func keys[T any](m map[string]T) []string {
	list := make([]string, 0, len(m))
	for k := range m {
		list = append(list, k)
	}
	slices.Sort(list)
	return list
}

func moment(s string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil || t.Year() < 1 || t.Year() > 9999 {
		return time.Time{}
	}
	return t
}

func shownAll(list []string) []string {
	if len(list) > maxListed {
		list = append(slices.Clone(list[:maxListed]), "…")
	}
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = shown(s)
	}
	return out
}

// shown is the beginning of a text of others, without what would not be seen or
// would turn the direction of the text around it.
func shown(s string) string {
	var b strings.Builder
	n := 0
	for _, r := range s {
		if unicode.IsControl(r) && r != '\n' && r != '\t' || unicode.Is(unicode.Bidi_Control, r) {
			continue
		}
		if n == maxShown {
			b.WriteRune('…')
			break
		}
		b.WriteRune(r)
		n++
	}
	return b.String()
}
