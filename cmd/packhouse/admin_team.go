package main

import "github.com/spf13/cobra"

func teamCommands(streams) []*cobra.Command { return nil }
