// A version is deleted behind its package's name, and brought back.
import {run} from '../world.mjs'

export default async function (world) {
  await world.user('vera')
  await world.push('vera', 'image-1', 'vera/app:1.0.0')
  const digest = await run('crane', ['digest', `${world.host}/vera/app:1.0.0`], {env: world.client('vera')})
  await world.push('vera', 'image-2', 'vera/app:2.0.0')
  const vera = await world.signedIn('vera')
  const row = () => vera.within(vera.find('li.version-row', {hasText: '1.0.0'}))
  await vera.open('/users/vera/packages/container/app/versions')
  // Back on the list, what is chosen there can still be deleted.
  await row().find('.version-choice').check()
  await vera.find('button[value=delete]').click()
  await vera.at(/versions\/delete/)
  await vera.page.goBack()
  await vera.sees(vera.find('button[value=delete]:enabled'))
  await row().find('a[href$="/delete"]').click()
  await vera.find('input[name=confirm]').fill('app')
  await vera.shot('version-delete')
  await vera.role('button', vera.world.texts.count('versions.delete-sure', 1)).click()
  await vera.done('version-deleted')
  await vera.shot('version-deleted')
  await row().find('button[formaction$="/restore"]').click()
  await vera.done('version-restored')
  await run('crane', ['digest', `${world.host}/vera/app:1.0.0`], {env: world.client('vera')})
}
