package main

import "github.com/spf13/cobra"

func siteCommands(streams) []*cobra.Command { return nil }
