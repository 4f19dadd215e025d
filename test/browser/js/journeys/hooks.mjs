// A hook is made and told of a push; its delivery is looked at and sent again.
import {createServer} from 'node:http'

export default async function (world) {
  const got = []
  const receiver = createServer((request, response) => {
    got.push(request.headers['x-github-event'])
    request.resume()
    response.end('thank you')
  }).listen(0, '127.0.0.1')
  receiver.unref()
  await new Promise(resolve => receiver.once('listening', resolve))
  await world.user('hal')
  await world.push('hal', 'image-1', 'hal/app:1.0.0')
  const hal = await world.signedIn('hal')
  await hal.open('/users/hal/packages/container/app/settings/hooks')
  await hal.find('main').getByRole('link', {name: hal.t('hooks.add')}).first().click()
  await hal.field('hooks.url').fill(`http://127.0.0.1:${receiver.address().port}/told`)
  await hal.shot('hook-form')
  await hal.button('hooks.add').click()
  await world.push('hal', 'image-2', 'hal/app:2.0.0')

  await hal.open('/users/hal/packages/container/app/settings/hooks')
  await hal.find('main a[href*="/hooks/"]:not([href$="/new"])').first().click()
  await hal.link('hooks.deliveries').click()
  await hal.until(async () => {
    await hal.page.reload()
    return await hal.find('tr', {hasText: 'package.published'}).getByText(hal.t('hooks.delivered')).count() > 0
  })
  await hal.shot('deliveries')
  await hal.find('tr', {hasText: 'package.published'}).getByRole('link').first().click()
  await hal.shot('delivery')
  const before = got.length
  await hal.button('hooks.redeliver').click()
  await hal.done('hook-redelivered')
  await hal.until(() => got.length > before)
  receiver.close()
}
