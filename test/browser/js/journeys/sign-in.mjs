// By password: first a wrong one.
import {password} from '../world.mjs'

export default async function (world) {
  await world.user('paula')
  const paula = await world.person('paula')
  await paula.open('/login')
  await paula.shot('sign-in')
  await paula.find('input[name=login]').fill('paula')
  await paula.find('input[name=password]').fill('a wrong one')
  await paula.find('input[name=password]').press('Enter')
  await paula.at('/login')
  await paula.sees(paula.find('input[name=password]'))
  await paula.signIn('paula', password)
}
