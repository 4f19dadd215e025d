// Sets an organization up with @octokit/rest: node directory.mjs SERVER
// ADDRESS. Requests for SERVER go to ADDRESS.
import assert from "node:assert/strict";
import { Octokit } from "@octokit/rest";

const [server, address] = process.argv.slice(2);
const octokit = new Octokit({
  auth: process.env.PACKHOUSE_TEST_TOKEN,
  baseUrl: server + "/api/v3",
  request: { fetch: (url, options) => fetch(url.replace(server, address), options) },
  log: { debug() {}, info() {}, warn() {}, error() {} },
});
const { orgs, repos, teams, users } = octokit.rest;
const org = "jsworks";

const me = await users.getAuthenticated();
assert.equal(me.data.login, "jo");
assert.match(me.headers["x-oauth-scopes"], /admin:org/);

const membership = (await orgs.setMembershipForUser({ org, username: "kim", role: "member" })).data;
assert.deepEqual([membership.role, membership.state], ["member", "active"]);
assert.deepEqual((await octokit.paginate(orgs.listMembers, { org, per_page: 1 })).map((m) => m.login), ["jo", "kim"]);
assert.equal((await orgs.update({ org, default_repository_permission: "none" })).data.default_repository_permission, "none");

const repo = (await repos.createInOrg({ org, name: "shop", private: true })).data;
assert.equal(repo.full_name, "jsworks/shop");
const team = (await teams.create({ org, name: "Shop Keepers", maintainers: ["kim"] })).data;
assert.equal(team.slug, "shop-keepers");
assert.equal(team.members_count, 1);
await teams.addOrUpdateRepoPermissionsInOrg({ org, team_slug: team.slug, owner: org, repo: "shop", permission: "push" });
const level = (await repos.getCollaboratorPermissionLevel({ owner: org, repo: "shop", username: "kim" })).data;
assert.equal(level.permission, "write");
assert.deepEqual((await repos.listTeams({ owner: org, repo: "shop" })).data.map((t) => t.permission), ["push"]);

await assert.rejects(repos.get({ owner: org, repo: "none" }), (e) => e.status === 404 && e.message.startsWith("Not Found"));
assert.equal((await repos.update({ owner: org, repo: "shop", name: "store" })).data.name, "store");
assert.equal((await teams.deleteInOrg({ org, team_slug: team.slug })).status, 204);
assert.equal((await orgs.removeMembershipForUser({ org, username: "kim" })).status, 204);
assert.equal((await repos.delete({ owner: org, repo: "store" })).status, 204);
