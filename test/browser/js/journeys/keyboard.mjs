// Signing in and making a package public, without a mouse.
import {password} from '../world.mjs'

export default async function (world) {
  await world.user('kim')
  await world.push('kim', 'image-1', 'kim/app:1.0.0')
  const kim = await world.person('kim')
  const {keyboard} = kim.page
  await kim.open('/login?return_to=/users/kim/packages/container/package/app')
  await kim.tabTo('#login')
  await keyboard.type('kim')
  await kim.tabTo('#password')
  await keyboard.type(password)
  await keyboard.press('Enter')
  await kim.at('/users/kim/packages/container/package/app')

  // The first thing on a page leads past the head of it.
  await kim.tabTo('.skip-link')
  await keyboard.press('Enter')
  await kim.tabTo('.UnderlineNav a[href$="/settings"]')
  await keyboard.press('Enter')
  await kim.at('/users/kim/packages/container/app/settings')
  await kim.tabTo('a[href$="/settings/visibility"]')
  await keyboard.press('Enter')
  await kim.at('/users/kim/packages/container/app/settings/visibility')
  await kim.tabTo('input[name=visibility]')
  await keyboard.press('Space')
  for (let i = 0; i < 3 && !await kim.find('input[value=public]').isChecked(); i++) await keyboard.press('ArrowUp')
  await kim.tabTo('input[name=confirm]')
  await keyboard.type('app')
  await kim.tabTo('main form button')
  await keyboard.press('Enter')
  await kim.done('package-visibility')
  const anybody = await world.person('anybody')
  if (await anybody.open('/users/kim/packages/container/package/app') !== 200) throw new Error('it is not public')
}
