package main

import "testing"

func TestTokensFromTheCommandLine(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	const secret = "_[0-9A-Za-z]{36}\n$"
	playOn(t, data, []step{
		{"", "user create mona", 0, "", ""},
		{"", "user create lisa", 0, "", ""},
		{"", "org create acme --owner mona", 0, "", ""},
	})
	publish(t, data, "mona", "container mona/one")
	playOn(t, data, []step{
		{"", "token create mona --scopes read:packages,repo --note for-the-cluster --expires never", 0, "^php" + secret, ""},
		{"", "token create-fine-grained mona --package mona/one:pull,push --expires 30d", 0, "^phf" + secret, ""},
		{"", "token create-fine-grained mona --package Mona/one:pull --namespace acme:push,delete --note x", 0, "^phf" + secret, ""},
		{"", "token create-fine-grained mona", 2, "^$", "needs a --package or a --namespace"},
		{"", "token create-fine-grained mona --package mona/none:pull", 1, "^$", `no package "mona/none"`},
		{"", "token create-fine-grained mona --package mona/one", 2, "^$", "such as mona/one:pull,push"},
		{"", "token create-fine-grained mona --namespace acme:all", 2, "^$", "some of pull, push and delete"},
		{"", "token create-fine-grained mona --namespace acme:pull --expires never", 2, "^$", "needs an end"},
		{"", "token create-fine-grained mona --namespace acme:pull --expires 367d", 2, "^$", "at most 366 days"},
		{"", "token create-fine-grained acme --namespace acme:pull", 1, "^$", "tokens belong to users"},
		{"", "token list mona", 0, "^ID +KIND +MAY +CREATED +EXPIRES +LAST USED +NOTE\n" +
			`3 +fine-grained +mona/one:pull acme:push,delete +\S+ +\S+Z +never +x\n` +
			`2 +fine-grained +mona/one:pull,push +\S+ +\S+Z +never *\n` +
			`1 +classic +read:packages,repo +\S+ +never +never +for-the-cluster\n$`, ""},
		{"", "token list lisa", 0, "^ID .*\n$", ""},
		{"", "token list nobody", 1, "^$", "nobody"},
		{"", "token authorize 2 acme", 0, "^authorized token 2 for acme\n$", ""},
		{"", "token deauthorize 2 acme", 0, "^deauthorized token 2 for acme\n$", ""},
		{"", "token deauthorize 2 acme", 1, "^$", "was not authorized"},
		{"", "token authorize 2 lisa", 1, "^$", `no organization "lisa"`},
		{"", "token revoke 2", 0, "^revoked token 2\n$", ""},
		{"", "token revoke 2", 1, "^$", "no such token"},
		{"", "token revoke two", 2, "^$", "a token's id is a number"},
		{"", "token authorize 2 acme", 1, "^$", "no such token of a member"},
	})
}

func TestWorkflowTokensFromTheCommandLine(t *testing.T) {
	t.Parallel()
	const secret = "^phw_[0-9A-Za-z]{36}\n$"
	play(t, []step{
		{"", "user create mona", 0, "", ""},
		{"", "repo create mona/app", 0, "", ""},
		{"", "workflow-token create mona/app", 0, secret, ""},
		{"", "workflow-token create Mona/App --permissions contents=read,packages=read --expires 6h", 0, secret, ""},
		{"", "workflow-token create mona/app --permissions contents=write", 0, secret, ""},
		{"", "workflow-token create mona/app --codespace", 0, secret, ""},
		{"", "workflow-token create mona/app --expires 7h", 2, "^$", "at most 6 hours"},
		{"", "workflow-token create mona/app --expires never", 2, "^$", "at most 6 hours"},
		{"", "workflow-token create mona/app --permissions packages=admin", 2, "^$", "none, read or write"},
		{"", "workflow-token create mona/none", 1, "^$", "no repository"},
		{"", "workflow-token list mona/app", 0, "^ID +KIND +MAY.*\n4 +codespace +read:packages .*\n3 +workflow +none .*\n" +
			"2 +workflow +read:packages .*\n1 +workflow +read:packages,write:packages,delete:packages .*\n$", ""},
		{"", "workflow-token revoke 1", 0, "^revoked workflow token 1\n$", ""},
		{"", "workflow-token revoke 1", 1, "^$", "no such token"},
		{"", "token revoke 2", 1, "^$", "no such token"},
		{"", "token list mona", 0, "^ID .*\n$", ""},
	})
}
