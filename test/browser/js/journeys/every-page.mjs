// Every page that there is, in every theme, on a desk and in a hand.
import {furnish, visits} from '../visits.mjs'
import {still, tooWide, unreached, violations} from '../looks.mjs'

const desk = {width: 1280, height: 900}, hand = {width: 390, height: 844}

// Each language meets another theme, and one all of them.
const ways = [
  {name: 'desk', language: 'en', theme: 'light', viewport: desk, keys: true, themes: ['dark', 'light-high-contrast', 'dark-high-contrast']},
  {name: 'phone', language: 'de', theme: 'dark', viewport: hand, themes: []},
  {name: 'desk-contrast', language: 'zh-CN', theme: 'light-high-contrast', viewport: desk, themes: []},
  {name: 'phone-contrast', language: 'fr', theme: 'dark-high-contrast', viewport: hand, themes: []},
]

async function look(person, way, visit, seen) {
  const path = typeof visit.path === 'string' ? visit.path : await visit.path(person, way)
  if (path) await person.open(path)
  const {page} = person
  const id = await page.evaluate(() => document.documentElement.dataset.page)
  if (id !== visit.page) return [`${new URL(page.url()).pathname} shows ${id}, not ${visit.page}`]
  seen.add(id)
  await person.shot(`${way.name}-${id.replace('/', '-')}${visit.name ? '-' + visit.name : ''}`)
  await still(page)
  return [...await tooWide(page), ...way.keys ? await unreached(page) : [], ...await violations(page, way.themes)]
}

async function go(world, way, seen, faults) {
  const people = new Map()
  for (const visit of visits(way)) {
    if (!people.has(visit.who)) {
      const options = {locale: way.language, viewport: way.viewport}
      const person = visit.who ? await world.signedIn(visit.who, options) : await world.person('nobody', options)
      await person.context.addCookies([{name: 'packhouse-theme', value: way.theme, url: world.url}])
      people.set(visit.who, person)
    }
    const found = await look(people.get(visit.who), way, visit, seen).catch(error => [error.stack])
    for (const fault of found) {
      const key = `${visit.page}${visit.name ? ' ' + visit.name : ''}: ${fault}`
      faults.set(key, [...faults.get(key) ?? [], way.name])
    }
  }
}

export default async function (world) {
  await furnish(world, ways)
  const seen = new Set(), faults = new Map() // each with the ways that meet it
  const queue = [...ways]
  const lane = async () => { for (let way; (way = queue.shift());) await go(world, way, seen, faults) }
  await Promise.all([lane(), lane()])
  for (const page of world.pages) if (!seen.has(page)) faults.set(`nothing visits ${page}: add it to js/visits.mjs`, ['all'])
  const lines = [...faults].map(([fault, ways]) => `${fault} (${ways.join(', ')})`)
  if (lines.length > 0) throw new Error(`${lines.length} faults\n${lines.sort().join('\n')}`)
}
