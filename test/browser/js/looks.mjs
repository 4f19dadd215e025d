// What every page is held to: nothing that keeps people out, nothing wider than
// the window, and everything within reach of the Tab key.
import {modules} from './world.mjs'
import {readFileSync} from 'node:fs'

const axe = readFileSync(modules.resolve('axe-core/axe.min.js'), 'utf8')

// still keeps what fades in or out from being looked at half way.
export async function still(page) {
  await page.evaluate(() => {
    const sheet = new CSSStyleSheet()
    sheet.replaceSync('* { transition: none !important; animation: none !important }')
    document.adoptedStyleSheets = [sheet]
  })
}

// violations returns what axe finds, as lines. Of further themes it looks at
// what depends on colours.
export async function violations(page, themes) {
  await page.evaluate(axe)
  const lines = await found(page, {})
  for (const theme of themes) {
    await page.evaluate(theme => { document.documentElement.dataset.theme = theme }, theme)
    const more = await found(page, {runOnly: ['color-contrast', 'link-in-text-block']})
    lines.push(...more.map(line => `${line} in ${theme}`))
  }
  return lines
}

async function found(page, options) {
  const {violations} = await page.evaluate(options => window.axe.run(document, {resultTypes: ['violations'], ...options}), options)
  return violations.flatMap(v => v.nodes.map(n => `${v.id}: ${v.help}: ${n.target.join(' ')}: ${n.failureSummary.replace(/\s+/g, ' ').slice(0, 250)}`))
}

// tooWide returns what sticks out of the window at the right.
export async function tooWide(page) {
  return page.evaluate(() => {
    if (document.scrollingElement.scrollWidth <= window.innerWidth) return []
    const scrolls = e => e && e !== document.documentElement && (/auto|scroll|hidden|clip/.test(getComputedStyle(e).overflowX) || scrolls(e.parentElement))
    return [...document.querySelectorAll('body *')]
      .filter(e => e.getBoundingClientRect().right > window.innerWidth + 0.5 && !scrolls(e.parentElement))
      .slice(-3).map(e => `wider than the window: ${Math.round(e.getBoundingClientRect().right)} of ${window.innerWidth}: ${e.outerHTML.slice(0, 200)}`)
      .concat('the page scrolls sideways')
  })
}

// unreached presses Tab through the page, and returns what it did not come to in
// the order of the page, and where nobody would see that it did.
export async function unreached(page) {
  const wanted = await page.evaluate(() => {
    const shown = e => e.checkVisibility({visibilityProperty: true}) && e.getClientRects().length > 0
    const radios = new Set()
    const all = [...document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex="0"]')].filter(e => {
      if (e.disabled || e.type === 'hidden' || e.tabIndex < 0 || !shown(e)) return false
      if (e.type !== 'radio') return true
      const group = `${e.form?.id} ${e.name}`
      const first = [...document.getElementsByName(e.name)].find(r => r.form === e.form && r.checked)
      if (radios.has(group) || first && first !== e) return false
      radios.add(group)
      return true
    })
    window.wanted = all
    window.look = e => { const s = getComputedStyle(e); return [s.outlineStyle, s.outlineWidth, s.boxShadow, s.borderColor, s.backgroundColor, s.textDecorationLine].join() }
    window.before = all.map(window.look)
    document.activeElement?.blur()
    window.getSelection().removeAllRanges()
    return all.length
  })
  const faults = []
  let next = 0
  for (let presses = 0; next < wanted && presses < wanted + 30; presses++) {
    await page.keyboard.press('Tab')
    const {at, seen, what} = await page.evaluate(() => {
      const e = document.activeElement
      const at = window.wanted.indexOf(e)
      return {at, seen: at < 0 || window.look(e) !== window.before[at], what: e.outerHTML.replace(/>[\s\S]*/, ">").slice(0, 150)}
    })
    if (at < 0) continue // a part that scrolls
    if (at > next) faults.push(`Tab went past ${at - next} things to ${what}`)
    if (!seen) faults.push(`the focus is not to be seen: ${what}`)
    next = Math.max(next, at + 1)
  }
  if (next < wanted) faults.push(`Tab came to ${next} of ${wanted} things`)
  return faults
}
