// The first steps are shown until a push arrives, when they become the package.
import {run} from '../world.mjs'

export default async function (world) {
  await world.user('fay')
  const fay = await world.signedIn('fay')
  await fay.open('/')
  await fay.sees(fay.heading('lists.steps'))
  await fay.shot('first-steps')
  const [login, , push] = await fay.find('.list-steps pre').allTextContents()
  const env = world.client('fay')
  const token = await world.admin('token', 'create', 'fay', '--scopes', 'write:packages')
  await run('crane', ['auth', 'login', ...login.split(' ').slice(2), '--password-stdin'], {env, stdin: token})
  await run('crane', ['push', `${world.images}/image-1`, push.split(' ').pop()], {env})
  // Without script the page looks again by itself, and shows the list.
  if (world.script) await fay.page.waitForURL(/\/packages\/container\//)
  else await fay.page.reload()
  await fay.shot('first-push-arrived')
}
