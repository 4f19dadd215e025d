package main

import "github.com/spf13/cobra"

// newAdmin returns the commands of the machine's operator. Each group is in a
// file of its own.
func newAdmin(s streams) *cobra.Command {
	admin := &cobra.Command{Use: "admin", Short: "Change accounts, packages and tokens, with the server running or stopped"}
	admin.AddCommand(
		group("user", "Users", userCommands(s)...),
		group("org", "Organizations", orgCommands(s)...),
		group("team", "Teams of organizations", teamCommands(s)...),
		group("repo", "Repositories that packages are linked to", repoCommands(s)...),
		group("package", "Packages: visibility, links and grants", packageCommands(s)...),
		group("retention", "Rules by which versions are deleted", retentionCommands(s)...),
		group("token", "Personal access tokens", tokenCommands(s)...),
		group("workflow-token", "Tokens for the jobs of a repository", workflowTokenCommands(s)...),
		group("trust", "Outside issuers whose identity tokens are taken", trustCommands(s)...),
		group("hook", "Hooks: programs that are told what happens to packages", hookCommands(s)...),
		group("site", "Switches of this server", siteCommands(s)...),
		newMigrateDocker(s),
		newExplain(s),
		newStorage(s),
	)
	return admin
}
