package main

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"packhouse/internal/app"
	"packhouse/internal/config"
	"packhouse/internal/errs"
)

func trustCommands(s streams) []*cobra.Command {
	return []*cobra.Command{newTrustAdd(s), newTrustList(s), newTrustRemove(s)}
}

func newTrustAdd(s streams) *cobra.Command {
	c := &cobra.Command{
		Use:   "add --repository OWNER/REPO|--package OWNER/NAME|--owner OWNER --actions pull,push --github OWNER/REPO",
		Short: "Let jobs in by the identity tokens of an outside issuer",
		Long: "Let jobs in by the identity tokens of an outside issuer, without a secret to keep. All that is said of the jobs must be true of one. " +
			"A rule about a repository gives the rights of the repository's own jobs, one about a package or an owner those in --actions alone. " +
			"In a claim, * stands for any characters. A claim inside others is named as a JSON pointer, such as /kubernetes.io/namespace.",
		Example: "  packhouse admin trust add --repository acme/app --actions pull,push --github acme/app --ref main",
		Args:    cobra.NoArgs,
	}
	load := withSettings(c, s, func(key string) bool {
		return whereTheDataIs(key) || key == "url" || key == "identity.allow_private_issuers"
	})
	var r app.TrustRequest
	flags := c.Flags()
	flags.StringVar(&r.Repository, "repository", "", "the rule is about this repository, `OWNER/REPO`")
	flags.StringVar(&r.Package, "package", "", "the rule is about this package, `OWNER/NAME`")
	flags.StringVar(&r.Owner, "owner", "", "the rule is about all packages of this `account`")
	flags.StringSliceVar(&r.Actions, "actions", nil, "what the jobs may do: pull, push, delete")
	flags.StringVar(&r.GitHub, "github", "", "jobs of GitHub Actions in `OWNER/REPO`")
	flags.StringVar(&r.GitLab, "gitlab", "", "jobs of GitLab CI in `GROUP/PROJECT`; --issuer for a server of your own")
	flags.StringVar(&r.Gitea, "gitea", "", "jobs of Gitea or Forgejo Actions in `https://HOST/OWNER/REPO`")
	flags.StringVar(&r.Kubernetes, "kubernetes", "", "pods with the service account `NAMESPACE/NAME` of the cluster named by --issuer")
	flags.StringVar(&r.Ref, "ref", "", "only jobs of this `branch`, or refs/tags/NAME; * stands for any characters")
	flags.StringVar(&r.Environment, "environment", "", "only jobs of this deployment `environment`")
	flags.StringVar(&r.Issuer, "issuer", "", "`URL` of the issuer, as its tokens have it")
	flags.StringVar(&r.Audience, "audience", "", "what the identity tokens are made for (default: the address of this server)")
	claims := flags.StringArray("claim", nil, "a claim that the tokens must have, `NAME=PATTERN`; may be repeated")
	c.RunE = func(c *cobra.Command, _ []string) error {
		cfg, _, err := load()
		if err != nil {
			return err
		}
		if r.Claims, err = parseClaims(*claims); err != nil {
			return err
		}
		id, err := app.AddTrust(c.Context(), cfg, r)
		if err != nil {
			return err
		}
		fmt.Fprintln(c.OutOrStdout(), "added trust rule", id)
		return nil
	}
	return c
}

func parseClaims(list []string) (map[string]string, error) {
	claims := map[string]string{}
	for _, one := range list {
		name, pattern, ok := strings.Cut(one, "=")
		if _, twice := claims[name]; !ok || twice {
			return nil, errs.New(errs.Invalid, "--claim must be NAME=PATTERN, each name once: %q", one)
		}
		claims[name] = pattern
	}
	return claims, nil
}

func newTrustList(s streams) *cobra.Command {
	return operation{
		use: "list OWNER", short: "List the rules about what an account owns", args: cobra.ExactArgs(1),
		do: func(c *cobra.Command, cfg *config.Config, args []string) (string, error) {
			list, err := app.ListTrust(c.Context(), cfg, args[0])
			if err != nil {
				return "", err
			}
			table := [][]string{{"ID", "ABOUT", "NAME", "ACTIONS", "ISSUER", "AUDIENCE", "CLAIMS", "LAST USED"}}
			for _, r := range list {
				used := "never"
				if !r.LastUsedAt.IsZero() {
					used = r.LastUsedAt.Format("2006-01-02 15:04")
				}
				var claims []string
				for _, name := range slices.Sorted(maps.Keys(r.Claims)) {
					claims = append(claims, name+"="+r.Claims[name])
				}
				table = append(table, []string{
					strconv.FormatInt(r.ID, 10), r.Kind, r.Target, r.Actions, r.Issuer, r.Audience, strings.Join(claims, " "), used,
				})
			}
			return "", printTable(c.OutOrStdout(), table)
		},
	}.command(s)
}

func newTrustRemove(s streams) *cobra.Command {
	return operation{
		use: "remove ID", short: "Remove a rule, and end the tokens that came from it", args: cobra.ExactArgs(1),
		do: func(c *cobra.Command, cfg *config.Config, args []string) (string, error) {
			id, err := strconv.ParseInt(args[0], 10, 64)
			if err != nil {
				return "", errs.New(errs.Invalid, "%q is no number of a rule; trust list OWNER shows them", args[0])
			}
			return "removed trust rule " + args[0], app.RemoveTrust(c.Context(), cfg, id)
		},
	}.command(s)
}
