package main

import "github.com/spf13/cobra"

func trustCommands(streams) []*cobra.Command { return nil }
