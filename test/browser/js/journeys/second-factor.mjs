// An authenticator app and a passkey are added, and each signs in; so does a
// recovery code.
import {code} from '../totp.mjs'
import {password} from '../world.mjs'

async function passwordOnly(person) {
  await person.context.clearCookies()
  await person.open('/login')
  await person.field('signin.login').fill('zoe')
  await person.field('signin.password').fill(password)
  await person.button('signin.submit').click()
  await person.at('/login/second-factor')
}

export default async function (world) {
  await world.user('zoe')
  const zoe = await world.signedIn('zoe')
  await zoe.open('/settings/security')
  await zoe.button('security.app-begin').click()
  await zoe.shot('app')
  const key = await zoe.find('#app-key code').textContent()
  await zoe.field('security.app-code').fill(code(key, -1))
  await zoe.button('security.app-confirm-submit').click()
  const codes = await zoe.find('#recovery-codes li code').allTextContents()
  await zoe.shot('recovery-codes')

  await passwordOnly(zoe)
  await zoe.shot('second-factor')
  await zoe.field('signin.code').fill(code(key, 0))
  await zoe.button('signin.verify').click()
  await zoe.at('/')

  await passwordOnly(zoe)
  await zoe.link('signin.use-recovery').click()
  await zoe.field('signin.recovery-code').fill(codes[0])
  await zoe.button('signin.verify').click()
  await zoe.at('/')
  if (world.script) await passkey(zoe)
}

async function passkey(zoe) {
  const devices = await zoe.context.newCDPSession(zoe.page)
  await devices.send('WebAuthn.enable')
  await devices.send('WebAuthn.addVirtualAuthenticator', {options: {
    protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true,
  }})
  await zoe.open('/settings/security')
  await zoe.field('security.passkey-name').fill('the laptop')
  await zoe.button('security.passkey-add').click()
  await zoe.done('security-passkey-added')
  await zoe.shot('passkeys')

  await zoe.context.clearCookies()
  await zoe.open('/login')
  await zoe.button('signin.passkey').click()
  await zoe.at('/')
  await zoe.sees(zoe.find('header summary', {hasText: 'zoe'}))
}
