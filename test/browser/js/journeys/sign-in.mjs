// By password, first a wrong one; then out again, and in through the provider.
import {password} from '../world.mjs'

export default async function (world) {
  await world.user('paula')
  const paula = await world.person('paula')
  await paula.open('/settings/tokens')
  await paula.at('/login')
  await paula.shot('sign-in')
  await paula.field('signin.login').fill('paula')
  await paula.field('signin.password').fill('a wrong one')
  await paula.button('signin.submit').click()
  await paula.sees(paula.role('alert'))
  await paula.field('signin.password').fill(password)
  await paula.button('signin.submit').click()
  await paula.at('/settings/tokens')

  await paula.open('/')
  await paula.find('header summary').click()
  await paula.button('frame.sign-out').click()
  await paula.sees(paula.link('frame.sign-in'))

  const mona = await world.person('mona')
  await mona.open('/login')
  await mona.link('signin.provider', 'Example ID').click()
  await mona.role('link', 'monalisa').click()
  await mona.sees(mona.find('header summary', {hasText: 'monalisa'}))
}
