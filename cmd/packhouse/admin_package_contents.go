package main

import (
	"github.com/spf13/cobra"

	"packhouse/internal/app"
	"packhouse/internal/config"
)

// contentCommands are about what is in packages, and what was.
func contentCommands(s streams) []*cobra.Command {
	return []*cobra.Command{
		newPackageDelete(s), newPackageRestore(s), newPackageDeleted(s), newVersionList(s), newVersionDelete(s), newVersionRestore(s),
		newTagList(s), newTagHistory(s), newTagSet(s), newTagDelete(s),
	}
}

func newPackageDelete(s streams) *cobra.Command {
	var confirm func(what, name string) error
	c := packageCommand(
		s, operation{
			use: "delete OWNER/NAME", short: "Delete a package", args: cobra.ExactArgs(1),
			long: "Delete a package with all its versions. It can be restored for a while (retention.restore_window), unless another gets its name, which is free at once.",
		},
		func(c *cobra.Command, cfg *config.Config, p app.PackageAddress, _ []string) (string, error) {
			if err := confirm("deletes "+p.Name+" with all its versions", p.Name); err != nil {
				return "", err
			}
			return "deleted " + p.Name, app.DeletePackage(c.Context(), cfg, p)
		})
	confirm = confirmed(c)
	return c
}

func newPackageRestore(s streams) *cobra.Command {
	return packageCommand(
		s, operation{
			use: "restore OWNER/NAME", short: "Bring a deleted package back", args: cobra.ExactArgs(1),
			long: "Bring the newest deleted package of that name back, as it was. It is refused while another package has the name.",
		},
		func(c *cobra.Command, cfg *config.Config, p app.PackageAddress, _ []string) (string, error) {
			return "restored " + p.Name, app.RestorePackage(c.Context(), cfg, p)
		})
}

func newPackageDeleted(s streams) *cobra.Command {
	return operation{
		use: "deleted OWNER", short: "List the packages of an owner that can be restored", args: cobra.ExactArgs(1),
		do: func(c *cobra.Command, cfg *config.Config, args []string) (string, error) {
			return "", listed(c, func() ([][]string, error) { return app.ListDeletedPackages(c.Context(), cfg, args[0]) })
		},
	}.command(s)
}

func newVersionList(s streams) *cobra.Command {
	var which app.PackageVersions
	c := packageCommand(
		s, operation{use: "versions OWNER/NAME", short: "List the versions of a package, the newest first", args: cobra.ExactArgs(1)},
		func(c *cobra.Command, cfg *config.Config, p app.PackageAddress, _ []string) (string, error) {
			return "", listed(c, func() ([][]string, error) { return app.ListVersions(c.Context(), cfg, p, which) })
		})
	c.Flags().BoolVar(&which.Deleted, "deleted", false, "those that can be restored instead")
	c.Flags().BoolVar(&which.Untagged, "untagged", false, "only those without a tag that nothing needs")
	return c
}

func newVersionDelete(s streams) *cobra.Command {
	var confirm func(what, name string) error
	var force, withPackage bool
	c := packageCommand(
		s, operation{
			use: "delete-version OWNER/NAME ID|DIGEST|TAG", short: "Delete a version of a package", args: cobra.ExactArgs(2),
			long: "Delete a version with all its tags. It can be restored for a while (retention.restore_window). What an index of the package holds is not deleted, " +
				"nor what refers to a version, nor the last version or the last tagged one, nor a public version that was downloaded often.",
		},
		func(c *cobra.Command, cfg *config.Config, p app.PackageAddress, args []string) (string, error) {
			if err := confirm("deletes version "+args[0]+" of "+p.Name, p.Name); err != nil {
				return "", err
			}
			return "deleted version " + args[0] + " of " + p.Name, app.DeleteVersion(c.Context(), cfg, p, args[0], force, withPackage)
		})
	c.Flags().BoolVar(&force, "force", false, "also delete the indexes that hold it, and however often it was downloaded")
	c.Flags().BoolVar(&withPackage, "with-package", false, "delete the package where its last version, or the last with a tag, would go")
	confirm = confirmed(c)
	return c
}

func newVersionRestore(s streams) *cobra.Command {
	return packageCommand(
		s, operation{
			use: "restore-version OWNER/NAME ID|DIGEST", short: "Bring a deleted version back", args: cobra.ExactArgs(2),
			long: "Bring a deleted version back, with the tags that it had unless they are set now, and with the deleted versions that it needs.",
		},
		func(c *cobra.Command, cfg *config.Config, p app.PackageAddress, args []string) (string, error) {
			return "restored version " + args[0] + " of " + p.Name, app.RestoreVersion(c.Context(), cfg, p, args[0])
		})
}

func newTagList(s streams) *cobra.Command {
	var match string
	c := packageCommand(
		s, operation{use: "tags OWNER/NAME", short: "List the tags of a package", args: cobra.ExactArgs(1)},
		func(c *cobra.Command, cfg *config.Config, p app.PackageAddress, _ []string) (string, error) {
			return "", listed(c, func() ([][]string, error) { return app.ListTags(c.Context(), cfg, p, match) })
		})
	c.Flags().StringVar(&match, "match", "", "only those that fit a `pattern` such as v1.*")
	return c
}

func newTagHistory(s streams) *cobra.Command {
	return packageCommand(
		s, operation{use: "tag-history OWNER/NAME TAG", short: "List what a tag led to, the newest first", args: cobra.ExactArgs(2)},
		func(c *cobra.Command, cfg *config.Config, p app.PackageAddress, args []string) (string, error) {
			return "", listed(c, func() ([][]string, error) { return app.TagHistory(c.Context(), cfg, p, args[0]) })
		})
}

func newTagSet(s streams) *cobra.Command {
	return packageCommand(
		s, operation{
			use: "tag OWNER/NAME TAG TAG|DIGEST", short: "Add a tag, or have it lead to another version", args: cobra.ExactArgs(3),
			long: "Have a tag lead to the version that another tag or a digest names. To undo a move, name a digest of tag-history.",
		},
		func(c *cobra.Command, cfg *config.Config, p app.PackageAddress, args []string) (string, error) {
			return "tagged " + args[1] + " of " + p.Name + " as " + args[0], app.SetTag(c.Context(), cfg, p, args[0], args[1])
		})
}

func newTagDelete(s streams) *cobra.Command {
	return packageCommand(
		s, operation{
			use: "untag OWNER/NAME TAG", short: "Take one tag away; the version stays", args: cobra.ExactArgs(2),
		},
		func(c *cobra.Command, cfg *config.Config, p app.PackageAddress, args []string) (string, error) {
			return "took the tag " + args[0] + " from " + p.Name, app.DeleteTag(c.Context(), cfg, p, args[0])
		})
}
