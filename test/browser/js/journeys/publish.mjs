// A package is made public, and somebody who is not signed in finds out how to
// pull it, and does.
import {run} from '../world.mjs'

export default async function (world) {
  await world.user('pia')
  await world.push('pia', 'index-1', 'pia/app:1.0.0')
  const pia = await world.signedIn('pia'), anybody = await world.person('anybody')
  if (await anybody.open('/users/pia/packages/container/package/app') < 400) throw new Error('everybody sees a private package')

  await pia.open('/users/pia/packages/container/package/app')
  await pia.link('package.settings-tab').first().click()
  await pia.link('package-settings.change-visibility').click()
  await pia.role('radio', pia.t('visibility.public')).check()
  await pia.find('input[name=confirm]').fill('app')
  await pia.shot('visibility')
  await pia.button('package-settings.visibility-do').click()
  await pia.done('package-visibility')

  if (await anybody.open('/users/pia/packages/container/package/app') !== 200) throw new Error('a public package is for everybody')
  await anybody.shot('public-package')
  await light(world, '/users/pia/packages/container/package/app')
  const lines = await anybody.find('#install pre').allTextContents()
  const pulls = lines.filter(line => line.startsWith('docker pull '))
  if (pulls.length === 0) throw new Error(`no line pulls: ${lines}`)
  for (const line of pulls) await run('crane', ['pull', line.split(' ').pop(), '/dev/null'], {env: world.client('anybody')})
  await anybody.find('#install nav a').nth(1).click()
  await anybody.sees(anybody.find('#install').getByText('linux/arm64').first())
  await anybody.misses(anybody.find('#install').getByText('unknown'))
  await anybody.shot('public-package-platforms')
}

// light checks what a first visit transfers, styles and scripts included.
async function light(world, path) {
  const fresh = await world.person('fresh')
  const devtools = await fresh.context.newCDPSession(fresh.page)
  await devtools.send('Network.enable')
  let bytes = 0
  devtools.on('Network.loadingFinished', ({encodedDataLength}) => { bytes += encodedDataLength })
  await fresh.open(path)
  await fresh.page.waitForLoadState('networkidle')
  if (bytes < 10_000 || bytes > 200 * 1024) throw new Error(`${path} transfers ${bytes} bytes on a first visit`)
  world.note(`the first visit of the package page transfers ${bytes} bytes`)
}
