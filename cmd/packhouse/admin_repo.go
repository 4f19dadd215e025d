package main

import "github.com/spf13/cobra"

func repoCommands(streams) []*cobra.Command { return nil }
