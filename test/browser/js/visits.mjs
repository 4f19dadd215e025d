// Where to look at each page, in a world that holds something of everything.
import {createServer} from 'node:http'

// furnish makes the organization acme, which ann owns, and what it has; root
// administers the site.
export async function furnish(world) {
  const {admin} = world
  await Promise.all([world.user('ann'), world.user('ben'), world.user('root', '--site-admin')])
  await admin('org', 'create', 'acme', '--owner', 'ann')
  await admin('org', 'member', 'add', 'acme', 'ben')
  await admin('repo', 'create', 'acme/shop', '--visibility', 'private')
  await admin('team', 'create', 'acme/crew')
  await admin('team', 'add', 'acme/crew', 'ben')
  await admin('repo', 'grant', 'acme/shop', '--team', 'crew', '--role', 'write')
  const receiver = createServer((request, response) => { request.resume(); response.end('thank you') }).listen(0, '127.0.0.1')
  receiver.unref()
  await new Promise(resolve => receiver.once('listening', resolve))
  for (const n of [1, 2, 3]) await world.push('ann', `image-${n}`, `acme/app:1.${n}.0`)
  await world.push('ann', 'index-1', 'acme/app:latest')
  await world.push('ann', 'signature', 'acme/app:signature')
  await world.push('ann', 'sbom', 'acme/app:sbom')
  await world.push('ann', 'image-1', 'acme/a-package-with-a-name-that-is-as-long-as-names-of-packages-are/in-real-life:1')
  await world.push('ann', 'image-2', 'acme/gone:1')
  await world.push('ann', 'image-1', 'ann/own:1')
  await admin('package', 'link', 'acme/app', 'acme/shop')
  await admin('package', 'grant', 'acme/app', '--team', 'crew', '--role', 'read')
  await admin('package', 'tag', 'acme/app', 'stable', '1.1.0')
  await admin('package', 'tag', 'acme/app', 'stable', '1.2.0')
  await admin('package', 'delete-version', 'acme/app', '1.3.0', '--yes')
  await admin('package', 'delete', 'acme/gone', '--yes')
  await admin('hook', 'create', 'acme/app', `http://127.0.0.1:${receiver.address().port}/`)
  await admin('hook', 'create', 'acme', `http://127.0.0.1:${receiver.address().port}/`)
  await admin('token', 'create', 'ann', '--scopes', 'read:packages')
  return {app: '/acme/shop/pkgs/container/app'}
}

// first returns the address of the first link that a selector finds at a path.
const first = (path, selector) => async person => {
  await person.open(path)
  const links = await person.page.locator(selector).evaluateAll(list => list.map(a => a.getAttribute('href')))
  if (links.length === 0) throw new Error(`no ${selector} at ${path}`)
  return links[0]
}

// visits returns a way to each page: who goes there, and where.
export function visits({app}) {
  const everybody = [
    {page: 'signin/login', path: '/login'},
    {page: 'signin/join', path: '/join'},
    {page: 'frame/error', path: '/nothing/here'},
  ]
  const ann = [
    {page: 'versions/list', path: `${app}/versions`},
    {page: 'versions/list', name: 'deleted', path: `${app}/versions?filter=deleted`},
    {page: 'versions/delete', path: first(`${app}/versions`, 'main a[href$="/delete"]')},
    {page: 'versions/tags', path: `${app}/tags`},
    {page: 'versions/tag', path: `${app}/tags/stable`},
    {page: 'organizations/new', path: '/organizations/new'},
    {page: 'organizations/people', path: '/orgs/acme/people'},
    {page: 'organizations/teams', path: '/orgs/acme/teams'},
    {page: 'organizations/team', path: '/orgs/acme/teams/crew'},
    {page: 'organizations/team-settings', path: '/orgs/acme/teams/crew/settings'},
    {page: 'organizations/profile', path: '/organizations/acme/settings/profile'},
    {page: 'organizations/packages', path: '/organizations/acme/settings/packages'},
    {page: 'organizations/deleted', path: '/organizations/acme/settings/deleted_packages'},
    {page: 'organizations/audit', path: '/organizations/acme/settings/audit-log'},
  ]
  const root = []
  return [...everybody, ...ann.map(v => ({...v, who: 'ann'})), ...root.map(v => ({...v, who: 'root'}))]
}
