// Rules are previewed, the plan is applied, and undone.
import {run} from '../world.mjs'

export default async function (world) {
  await world.user('rex')
  for (const n of [1, 2, 3]) await world.push('rex', `image-${n}`, `rex/app:pr-${n}`)
  const tags = async () => (await run('crane', ['ls', `${world.host}/rex/app`], {env: world.client('rex')})).split('\n').filter(Boolean).sort().join(' ')
  const expect = async want => { if (await tags() !== want) throw new Error(`the tags are ${await tags()}, not ${want}`) }
  const rex = await world.signedIn('rex')
  await rex.open('/users/rex/packages/container/app/settings/retention')
  await rex.shot('retention')
  await rex.find('summary', {hasText: rex.t('retention.json')}).click()
  await rex.field('retention.json-label').fill('{"delete": [{"tags": ["pr-*"]}], "keep": [{"tags": ["pr-*"], "last": 1}]}')
  const byText = rex.within(rex.find('form', {has: rex.page.locator('textarea[name=json]')}))
  await byText.button('retention.preview').click()
  await rex.sees(rex.heading('retention.what-goes'))
  await rex.shot('retention-plan')
  await expect('pr-1 pr-2 pr-3')

  await rex.find('#retention-confirm').fill('rex/app')
  await rex.role('button', world.texts.count('retention.apply-button', 2)).click()
  await rex.sees(rex.heading('retention.what-went'))
  await expect('pr-3')
  await rex.button('retention.undo').click()
  await rex.misses(rex.button('retention.undo'))
  await expect('pr-1 pr-2 pr-3')
}
