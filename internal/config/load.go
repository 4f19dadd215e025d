package config

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/providers/env/v2"
	"github.com/knadh/koanf/providers/file"
	"github.com/knadh/koanf/v2"

	"packhouse/internal/errs"
)

// Sources are where a configuration is read from.
type Sources struct {
	// File is the path of a YAML file; empty reads none. A file that was
	// named must exist.
	File string
	// Environ is the environment, as os.Environ returns it.
	Environ []string
	// Flags are the flags that were given, by name.
	Flags map[string]string
}

// Load reads, merges and checks a configuration. Errors are Invalid; their text
// names every wrong key and shows no value.
func Load(s Sources) (*Config, error) {
	c := Default()
	settings := Settings(c)
	layers := []func([]Setting) (map[string]any, error){s.readFile, s.readEnviron, s.readFlags}
	for _, read := range layers {
		values, err := read(settings)
		if err == nil {
			err = apply(settings, values)
		}
		if err != nil {
			return nil, errs.New(errs.Invalid, "configuration: %v", err)
		}
	}
	if err := c.Validate(); err != nil {
		return nil, errs.New(errs.Invalid, "configuration: %v", err)
	}
	if c.URL == "" {
		c.URL = c.derivedURL()
	}
	c.URL = strings.TrimSuffix(c.URL, "/")
	return c, nil
}

// apply sets every value, and names each key that is wrong.
func apply(settings []Setting, values map[string]any) error {
	var problems []error
	keys := make([]string, 0, len(values))
	for k := range values {
		keys = append(keys, k)
	}
	slices.Sort(keys) // the same order of errors every time
	for _, key := range keys {
		if err := applyOne(settings, key, values[key]); err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", key, err))
		}
	}
	return errors.Join(problems...)
}

func applyOne(settings []Setting, key string, value any) error {
	for _, s := range settings {
		switch {
		case s.Key == key:
			return assign(s.target, value)
		case s.Secret() && s.Key+"_file" == key:
			return assignFromFile(s.target, value)
		case value == nil && strings.HasPrefix(s.Key, key+"."):
			return nil // a section without entries
		}
	}
	return errors.New("there is no such setting")
}

// assignFromFile reads a secret from the file named by value; one line break
// at its end does not belong to it.
func assignFromFile(target, value any) error {
	path, err := scalar(value)
	if err != nil || path == "" {
		return err
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("cannot be read: %w", errors.Unwrap(err))
	}
	return assign(target, strings.TrimSuffix(strings.TrimSuffix(string(text), "\n"), "\r"))
}

func (s Sources) readFile([]Setting) (map[string]any, error) {
	if s.File == "" {
		return nil, nil
	}
	k := koanf.New(".")
	if err := k.Load(file.Provider(s.File), yaml.Parser()); err != nil {
		return nil, fmt.Errorf("file %s: %w", s.File, err)
	}
	return k.All(), nil
}

// readEnviron takes the variables of settings and leaves others alone: cluster
// software adds variables of its own under the name of a service.
func (s Sources) readEnviron(settings []Setting) (map[string]any, error) {
	keys := map[string]string{}
	for _, set := range settings {
		keys[set.Env()] = set.Key
		if set.Secret() {
			keys[set.Env()+"_FILE"] = set.Key + "_file"
		}
	}
	k := koanf.New("\x00") // variables are a flat list
	err := k.Load(env.Provider("\x00", env.Opt{
		Prefix:        EnvPrefix,
		EnvironFunc:   func() []string { return s.Environ },
		TransformFunc: func(name, value string) (string, any) { return keys[name], value },
	}), nil)
	return k.All(), err
}

func (s Sources) readFlags(settings []Setting) (map[string]any, error) {
	values := map[string]any{}
	for _, set := range settings {
		if v, ok := s.Flags[set.Flag()]; ok {
			values[set.Key] = v
		}
		if v, ok := s.Flags[set.Flag()+"-file"]; ok && set.Secret() {
			values[set.Key+"_file"] = v
		}
	}
	return values, nil
}

// Unknown returns the names of variables that begin like a setting's and are
// none, so that a start can warn of them.
func (s Sources) Unknown() []string {
	known := map[string]bool{EnvPrefix + "CONFIG": true}
	for _, set := range Settings(Default()) {
		known[set.Env()] = true
		known[set.Env()+"_FILE"] = set.Secret()
	}
	var unknown []string
	for _, v := range s.Environ {
		name, _, _ := strings.Cut(v, "=")
		if strings.HasPrefix(name, EnvPrefix) && !known[name] {
			unknown = append(unknown, name)
		}
	}
	return unknown
}
