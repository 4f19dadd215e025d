// A token is made, shown once, used by a client with the line beside it, and
// deleted, when the client is refused.
import {run} from '../world.mjs'

export default async function (world) {
  await world.user('tom')
  const tom = await world.signedIn('tom')
  await tom.open('/settings/tokens')
  await tom.link('tokens.new-classic').click()
  await tom.field('tokens.note').fill('the machine in the cellar')
  await tom.find('input[value="write:packages"]').check()
  await tom.shot('token-form')
  await tom.button('tokens.generate').click()
  const made = tom.find('#new-token')
  await tom.sees(made)
  await tom.shot('token-made')
  const [secret, login] = await made.locator('pre').allTextContents()
  await tom.open('/settings/tokens')
  if ((await tom.page.content()).includes(secret)) throw new Error('the token is shown a second time')

  const env = world.client('tom')
  const [, , ...words] = login.split(' ') // docker login HOST -u LOGIN: crane takes the same
  await run('crane', ['auth', 'login', ...words, '--password-stdin'], {env, stdin: secret})
  await run('crane', ['push', `${world.images}/image-1`, `${world.host}/tom/app:1`], {env})

  await tom.open('/settings/tokens')
  const row = tom.within(tom.find('li.token', {hasText: 'the machine in the cellar'}))
  await row.find('summary').click()
  await row.button('tokens.delete-sure').click()
  await tom.done('token-deleted')
  await run('crane', ['digest', `${world.host}/tom/app:1`], {env}).then(
    () => { throw new Error('a deleted token still pulls') }, () => {})
}
