package main

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// givenFlags returns the flags that were set on the command line.
func givenFlags(c *cobra.Command) map[string]string {
	given := map[string]string{}
	c.Flags().Visit(func(f *pflag.Flag) { given[f.Name] = f.Value.String() })
	return given
}

// variable returns the value of an environment variable; the last one counts.
func variable(environ []string, name string) string {
	value := ""
	for _, v := range environ {
		if text, ok := strings.CutPrefix(v, name+"="); ok {
			value = text
		}
	}
	return value
}

// parseLife reads how long a token lasts: days as 90d, or anything that
// time.ParseDuration takes. "never" is 0.
func parseLife(s string) (time.Duration, error) {
	if s == "never" {
		return 0, nil
	}
	if days, ok := strings.CutSuffix(s, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 16)
		if err == nil && n > 0 {
			return time.Duration(n) * 24 * time.Hour, nil
		}
		return 0, errLife()
	}
	d, err := time.ParseDuration(s)
	if err != nil || d <= 0 {
		return 0, errLife()
	}
	return d, nil
}

func errLife() error { return errors.New("--expires must be like 90d or 12h, or never") }
