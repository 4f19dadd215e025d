package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"packhouse/internal/app"
	"packhouse/internal/config"
)

// newRoot returns the whole command tree. ran tells, after an execution,
// whether the command line was understood and a command was run.
func newRoot(s streams) (root *cobra.Command, ran *bool) {
	ran = new(bool)
	root = &cobra.Command{
		Use:               "packhouse",
		Short:             "A self-hosted package registry",
		SilenceUsage:      true,
		SilenceErrors:     true,
		PersistentPreRun:  func(*cobra.Command, []string) { *ran = true },
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
	}
	root.SetIn(s.in)
	root.SetOut(s.out)
	root.SetErr(s.err)
	admin := newAdmin(s)
	root.AddCommand(newServe(s), admin, newFsck(s), newBackup(s), newRestore(s), newJobs(s), newGC(s), newUndelete(s), newVersion())
	for _, c := range []*cobra.Command{root, admin} {
		needSubcommand(c)
	}
	return root, ran
}

// group returns a command that only holds others.
func group(name, short string, children ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{Use: name, Short: short}
	c.AddCommand(children...)
	needSubcommand(c)
	return c
}

// needSubcommand makes c alone, or with a word it does not know, wrong usage:
// cobra would print the help and call that a success.
func needSubcommand(c *cobra.Command) {
	c.Args = func(c *cobra.Command, args []string) error {
		if len(args) == 0 {
			return fmt.Errorf("%s needs a command after it", c.CommandPath())
		}
		return fmt.Errorf("%s has no command %q", c.CommandPath(), args[0])
	}
	c.Run = func(*cobra.Command, []string) {}
}

func newServe(s streams) *cobra.Command {
	c := &cobra.Command{
		Use:   "serve",
		Short: "Run the registry",
		Long:  "Run the registry until SIGINT or SIGTERM, then finish what is in flight. A second signal stops at once.",
		Args:  cobra.NoArgs,
	}
	load := withSettings(c, s, everything)
	c.RunE = func(c *cobra.Command, _ []string) error {
		cfg, sources, err := load()
		if err != nil {
			return err
		}
		log, flush := app.NewLogger(cfg.Log, s.err)
		defer flush()
		for _, name := range sources.Unknown() {
			log.Warn("a variable looks like a setting and is none", "name", name)
		}
		return app.Run(c.Context(), cfg, log, s.out, programVersion(), s.hurry)
	}
	return c
}

func newVersion() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		Run:   func(c *cobra.Command, _ []string) { fmt.Fprintln(c.OutOrStdout(), "packhouse", programVersion()) },
	}
}

// withSettings gives c the flag --config and one for each setting, and returns
// what loads the configuration once the flags are parsed. Flags that shown does
// not name work, and stay out of the help.
func withSettings(c *cobra.Command, s streams, shown func(key string) bool) func() (*config.Config, config.Sources, error) {
	flags := c.Flags()
	file := flags.String("config", "", "configuration `file` (YAML); also PACKHOUSE_CONFIG")
	for _, set := range config.Settings(config.Default()) {
		flags.String(set.Flag(), set.Value(), strings.ReplaceAll(set.Doc, "`", "")) // quotes name a value there
		f := flags.Lookup(set.Flag())
		f.Hidden = !shown(set.Key)
		if set.Switch() {
			f.NoOptDefVal = "true"
		}
		if set.Secret() {
			flags.String(set.Flag()+"-file", "", "read "+set.Flag()+" from this file")
			flags.Lookup(set.Flag() + "-file").Hidden = true
		}
	}
	return func() (*config.Config, config.Sources, error) {
		sources := config.Sources{File: *file, Environ: s.environ, Flags: givenFlags(c)}
		if !flags.Changed("config") {
			sources.File = variable(s.environ, config.EnvPrefix+"CONFIG")
		}
		cfg, err := config.Load(sources)
		return cfg, sources, err
	}
}

func everything(string) bool { return true }

// whereTheDataIs is what admin commands usually need.
func whereTheDataIs(key string) bool { return key == "data" || key == "database.url" }
