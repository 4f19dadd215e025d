// Drives every operation on packages with @octokit/rest:
// node operations.mjs SERVER CHECKER. Requests for SERVER go to CHECKER, which
// passes them on.
import assert from "node:assert/strict";
import { Octokit } from "@octokit/rest";

const [server, checker] = process.argv.slice(2);
const octokit = new Octokit({
  auth: process.env.PACKHOUSE_TEST_TOKEN,
  baseUrl: server + "/api/v3",
  log: { debug() {}, info() {}, warn() {}, error() {} },
  request: { fetch: (url, options) => fetch(url.replace(server, checker), options) },
});
const packages = octokit.rest.packages;
const container = { package_type: "container" };

const places = {
  Org: {
    account: { org: "acme" }, name: "js/acme", list: packages.listPackagesForOrganization, versions: packages.getAllPackageVersionsForPackageOwnedByOrg,
    conflicts: packages.listDockerMigrationConflictingPackagesForOrganization, get: "getPackageForOrganization", version: "getPackageVersionForOrganization",
  },
  User: {
    account: { username: "ann" }, name: "js/ann", list: packages.listPackagesForUser, versions: packages.getAllPackageVersionsForPackageOwnedByUser,
    conflicts: packages.listDockerMigrationConflictingPackagesForUser, get: "getPackageForUser", version: "getPackageVersionForUser",
  },
  AuthenticatedUser: {
    account: {}, name: "js/self", list: packages.listPackagesForAuthenticatedUser, versions: packages.getAllPackageVersionsForPackageOwnedByAuthenticatedUser,
    conflicts: packages.listDockerMigrationConflictingPackagesForAuthenticatedUser, get: "getPackageForAuthenticatedUser", version: "getPackageVersionForAuthenticatedUser",
  },
};

for (const [suffix, p] of Object.entries(places)) {
  const one = { ...p.account, ...container, package_name: p.name };
  const get = async () => (await packages[p.get](one)).data;

  const listed = await octokit.paginate(p.list, { ...p.account, ...container, per_page: 2 });
  assert.ok(listed.some((found) => found.name === p.name), `the list lacks ${p.name}`);
  const before = await get();
  assert.equal(before.name, p.name);
  assert.equal(before.downloads, 0);

  // Every version, over pages of two.
  const all = await octokit.paginate(p.versions, { ...one, per_page: 2 });
  assert.equal(all.length, before.version_count);
  assert.equal(new Set(all.map((v) => v.id)).size, all.length);
  assert.deepEqual(all.map((v) => v.metadata.container.tags.length), all.map(() => 1));

  const version = { ...one, package_version_id: all[0].id };
  assert.deepEqual((await packages[p.version](version)).data, all[0]);
  assert.equal((await packages[`deletePackageVersionFor${suffix}`](version)).status, 204);
  await assert.rejects(packages[`deletePackageVersionFor${suffix}`](version), (e) => e.status === 404 && e.message.startsWith("Package not found."));
  const deleted = await octokit.paginate(p.versions, { ...one, state: "deleted" });
  assert.deepEqual(deleted.map((v) => v.id), [all[0].id]);
  assert.ok(deleted[0].deleted_at);
  assert.equal((await packages[`restorePackageVersionFor${suffix}`](version)).status, 204);
  assert.equal((await packages[p.version](version)).data.deleted_at, undefined);

  assert.ok(Array.isArray((await p.conflicts(p.account)).data));
  assert.equal((await packages[`deletePackageFor${suffix}`](one)).status, 204);
  await assert.rejects(get(), (e) => e.status === 404);
  assert.equal((await packages[`restorePackageFor${suffix}`](one)).status, 204);
  assert.equal((await get()).id, before.id);
}
