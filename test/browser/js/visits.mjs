// Where to look at each page, in a world that holds something of everything.
import {createServer} from 'node:http'
import {writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {password} from './world.mjs'
import {code} from './totp.mjs'

// furnish makes the organization acme, which ann owns, and what it has; root
// administers the site, and there is somebody to add a second factor in each way.
export async function furnish(world, ways) {
  const {admin} = world
  await Promise.all([world.user('ann'), world.user('ben'), world.user('root', '--site-admin')])
  for (const way of ways) await world.user(`zed-${way.name}`)
  await admin('org', 'create', 'acme', '--owner', 'ann')
  await admin('org', 'member', 'add', 'acme', 'ben')
  await admin('repo', 'create', 'acme/shop', '--visibility', 'private')
  await admin('team', 'create', 'acme/crew')
  await admin('team', 'add', 'acme/crew', 'ben')
  await admin('repo', 'grant', 'acme/shop', '--team', 'crew', '--role', 'write')
  await admin('site', 'sign-up', 'open')
  const receiver = createServer((request, response) => { request.resume(); response.end('thank you') }).listen(0, '127.0.0.1')
  receiver.unref()
  await new Promise(resolve => receiver.once('listening', resolve))
  for (const n of [1, 2, 3, 4]) await world.push('ann', `image-${n}`, `acme/app:1.${n}.0`)
  await world.push('ann', 'index-1', 'acme/app:latest')
  await world.push('ann', 'signature', 'acme/app:signature')
  await world.push('ann', 'sbom', 'acme/app:sbom')
  await world.push('ann', 'image-1', 'acme/a-package-with-a-name-that-is-as-long-as-names-of-packages-are/in-real-life:1')
  await world.push('ann', 'image-2', 'acme/gone:1')
  await world.push('ann', 'image-2', 'ann/gone:1')
  await world.push('ann', 'image-1', 'ann/own:1')
  await admin('package', 'link', 'acme/app', 'acme/shop')
  await admin('package', 'grant', 'acme/app', '--team', 'crew', '--role', 'read')
  await admin('package', 'grant', 'acme/app', '--repository', 'acme/shop', '--role', 'write')
  await admin('package', 'tag', 'acme/app', 'stable', '1.1.0')
  await admin('package', 'tag', 'acme/app', 'stable', '1.2.0')
  await admin('package', 'untag', 'acme/app', '1.4.0')
  await admin('package', 'delete-version', 'acme/app', '1.3.0', '--yes')
  for (const owner of ['acme', 'ann']) {
    await admin('package', 'delete', `${owner}/gone`, '--yes')
    await admin('hook', 'create', owner, `http://127.0.0.1:${receiver.address().port}/`)
    await admin('trust', 'add', '--owner', owner, '--actions', 'pull,push', '--github', 'acme/shop', '--ref', 'main')
  }
  await admin('hook', 'create', 'acme/app', `http://127.0.0.1:${receiver.address().port}/`)
  await admin('trust', 'add', '--package', 'acme/app', '--actions', 'pull,push', '--github', 'acme/shop', '--ref', 'main')
  await admin('token', 'create', 'ann', '--scopes', 'read:packages,write:packages')
  const rules = join(world.screenshots, 'rules.json')
  writeFileSync(rules, '{"delete": [{"untagged": true}, {"tags": ["1.*"]}], "keep": [{"tags": ["1.*"], "last": 1}]}')
  await admin('retention', 'set', 'acme/app', rules)
  await admin('retention', 'plan', 'acme/app')
}

// first returns the address of the first link that a selector finds at a path.
const first = (path, selector) => async person => {
  await person.open(path)
  const links = await person.page.locator(selector).evaluateAll(list => list.map(a => a.getAttribute('href')))
  if (links.length === 0) throw new Error(`no ${selector} at ${path}`)
  return links[0]
}

const app = '/acme/shop/pkgs/container/app'
const set = `${app}/settings`

const everybody = [
  {page: 'signin/login', path: '/login'},
  {page: 'signin/join', path: '/join'},
  {page: 'frame/error', path: '/nothing/here'},
  {page: 'lists/welcome', path: '/'},
  {page: 'signin/second-factor', path: throughPassword},
]

const ann = [
  {page: 'lists/home', path: '/'},
  {page: 'lists/packages', path: '/orgs/acme/packages'},
  {page: 'lists/packages', name: 'own', path: '/ann?tab=packages'},
  {page: 'lists/repositories', path: '/acme?tab=repositories'},
  {page: 'lists/search', path: '/search?q=app'},
  {page: 'packagepage/package', path: app},
  {page: 'packagepage/package', name: 'platforms', path: `${app}?tag=latest&tab=platforms`},
  {page: 'packagepage/package', name: 'long', path: '/orgs/acme/packages/container/package/a-package-with-a-name-that-is-as-long-as-names-of-packages-are%2Fin-real-life'},
  {page: 'packagepage/version', path: person => newest(person, '1.1.0')},
  {page: 'packagepage/version', name: 'index', path: person => newest(person, 'latest')},
  {page: 'packagepage/compare', path: `${app}/compare?from=1.1.0&to=1.2.0`},
  {page: 'versions/list', path: `${app}/versions`},
  {page: 'versions/list', name: 'deleted', path: `${app}/versions?filters%5Bversion_type%5D=deleted`},
  {page: 'versions/delete', path: first(`${app}/versions`, 'main a[href$="/delete"]')},
  {page: 'versions/tags', path: `${app}/tags`},
  {page: 'versions/tag', path: `${app}/tags/stable`},
  {page: 'packagesettings/general', path: set},
  {page: 'packagesettings/inheritance', path: `${set}/inheritance?inherits=1`},
  {page: 'packagesettings/rename', path: `${set}/rename`},
  {page: 'packagesettings/transfer', path: `${set}/transfer`},
  {page: 'packagesettings/visibility', path: `${set}/visibility`},
  {page: 'packagesettings/delete', path: `${set}/delete`},
  {page: 'trust/list', path: `${set}/trust`},
  {page: 'trust/list', name: 'account', path: '/settings/trust'},
  {page: 'trust/form', path: `${set}/trust/new`},
  {page: 'trust/rule', path: first(`${set}/trust`, 'main a[href*="/trust/"]:not([href*="/new"])')},
  {page: 'retention/policy', path: `${set}/retention`},
  {page: 'retention/plans', path: `${set}/retention/plans`},
  {page: 'retention/plan', path: first(`${set}/retention/plans`, 'main a[href*="/retention/plans/"]')},
  {page: 'webhooks/list', path: `${set}/hooks`},
  {page: 'webhooks/list', name: 'organization', path: '/organizations/acme/settings/hooks'},
  {page: 'webhooks/form', path: `${set}/hooks/new`},
  {page: 'webhooks/deliveries', path: first(`${set}/hooks`, 'main a[href$="/deliveries"]')},
  {page: 'webhooks/delivery', path: delivery},
  {page: 'organizations/new', path: '/organizations/new'},
  {page: 'organizations/people', path: '/orgs/acme/people'},
  {page: 'organizations/teams', path: '/orgs/acme/teams'},
  {page: 'organizations/team', path: '/orgs/acme/teams/crew'},
  {page: 'organizations/team-settings', path: '/orgs/acme/teams/crew/settings'},
  {page: 'organizations/profile', path: '/organizations/acme/settings/profile'},
  {page: 'organizations/packages', path: '/organizations/acme/settings/packages'},
  {page: 'organizations/deleted', path: '/organizations/acme/settings/deleted_packages'},
  {page: 'organizations/audit', path: '/organizations/acme/settings/audit-log'},
  {page: 'repositories/new', path: '/new'},
  {page: 'repositories/repository', path: '/acme/shop'},
  {page: 'repositories/general', path: '/acme/shop/settings'},
  {page: 'repositories/access', path: '/acme/shop/settings/access'},
  {page: 'repositories/tokens', path: '/acme/shop/settings/workflow-tokens'},
  {page: 'settings/profile', path: '/settings/profile'},
  {page: 'settings/sessions', path: '/settings/sessions'},
  {page: 'settings/tokens', path: '/settings/tokens'},
  {page: 'settings/new-token', path: '/settings/tokens/new'},
  {page: 'settings/new-fine-grained', path: '/settings/personal-access-tokens/new'},
  {page: 'settings/identities', path: '/settings/identities'},
  {page: 'settings/organizations', path: '/settings/organizations'},
  {page: 'settings/packages', path: '/settings/packages'},
  {page: 'settings/deleted', path: '/settings/deleted_packages'},
  {page: 'settings/audit', path: '/settings/audit-log'},
  {page: 'security/security', path: '/settings/security'},
  {page: 'signin/sudo', path: '/sessions/sudo'},
  {page: 'signin/leave', path: toProvider},
]

const zed = [
  {page: 'lists/home', name: 'first-steps', path: '/'},
  {page: 'security/app', path: beginApp},
  {page: 'security/codes', path: confirmApp},
  {page: 'security/security', name: 'on', path: '/settings/security'},
]

const root = [
  {page: 'site/overview', path: '/site'},
  {page: 'site/accounts', path: '/site/accounts'},
  {page: 'site/new-user', path: '/site/accounts/new'},
  {page: 'site/account', path: '/site/accounts/ann'},
  {page: 'site/registries', path: '/site/registries'},
  {page: 'site/storage', path: '/site/storage'},
  {page: 'site/collection', path: '/site/collection'},
  {page: 'site/explain', path: '/site/collection/explain'},
  {page: 'site/jobs', path: '/site/jobs'},
  {page: 'site/job', path: first('/site/jobs', 'main a[href^="/site/jobs/"]')},
  {page: 'site/audit-log', path: '/site/audit-log'},
]

// visits returns a way to each page: who goes there, and where. Paths that are
// functions do what leads there, and return an address or stay where they are.
export function visits(way) {
  const as = (who, list) => list.map(visit => ({...visit, who}))
  return [...as('ann', ann), ...as(`zed-${way.name}`, zed), ...as('root', root), ...as(null, everybody)]
}

async function newest(person, tag) {
  return first(`${app}?tag=${tag}`, `#install a[href*="${app}/"]`)(person)
}

async function delivery(person) {
  await person.open(await first(`${set}/hooks`, 'main a[href$="/deliveries"]')(person))
  return person.find('main a[href*="/deliveries/"]').first().getAttribute('href')
}

async function beginApp(person) {
  await person.open('/settings/security')
  await person.find('#app-begin button').click()
}

async function confirmApp(person) {
  const key = await person.find('#app-key code').textContent()
  await person.find('#code').fill(code(key, -1))
  await person.find('#app-confirm button').click()
  await person.sees(person.find('#recovery-codes'))
}

// The page on the way to the provider goes on by itself: here, nowhere.
async function toProvider(person) {
  await person.context.route(`${person.world.issuer}/**`, route => route.fulfill({status: 204}))
  await person.open('/settings/identities')
  await person.find('main form[action="/settings/identities"] button').click()
}

async function throughPassword(person, way) {
  await person.open('/login')
  await person.find('input[name=login]').fill(`zed-${way.name}`)
  await person.find('input[name=password]').fill(password)
  await person.find('#login-form button').click()
  await person.at('/login/second-factor')
}
