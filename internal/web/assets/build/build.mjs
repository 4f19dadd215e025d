// Builds what the pages take from GitHub's design system: one stylesheet with
// four themes, and the icons. Run by scripts/assets; the output is committed.
//
//   node build.mjs PACKAGES OUT
//
// PACKAGES is the directory of node_modules, OUT where the files go.
import {createRequire} from 'node:module'
import {readFileSync, writeFileSync} from 'node:fs'
import {join, resolve} from 'node:path'

const [, , packages, out] = process.argv
const require = createRequire(join(resolve(packages), 'index.js'))
const here = import.meta.dirname ?? new URL('.', import.meta.url).pathname

function compile() {
  const sass = require('sass')
  const quiet = {warn() {}, debug() {}}
  return sass.compile(join(here, 'primer.scss'), {loadPaths: [packages], style: 'compressed', logger: quiet, quietDeps: true}).css
}

// variables returns the custom properties of a file of primitives.
function variables(name) {
  const text = readFileSync(join(packages, '@primer/primitives/dist/css', name), 'utf8').replace(/\/\*[\s\S]*?\*\//g, '')
  const first = text.slice(text.indexOf('{') + 1, text.indexOf('}'))
  const all = new Map()
  for (const [, key, value] of first.matchAll(/(--[\w-]+):\s*([^;]+);/g)) all.set(key, value.trim())
  return all
}

// used returns the names that css refers to, and those that their values do.
function used(css, ...maps) {
  const names = new Set()
  const walk = text => {
    for (const [, name] of text.matchAll(/var\(\s*(--[\w-]+)/g)) {
      if (names.has(name)) continue
      names.add(name)
      for (const m of maps) if (m.has(name)) walk(m.get(name))
    }
  }
  walk(css)
  return names
}

const block = (map, names) => [...map].filter(([k]) => names.has(k)).map(([k, v]) => `${k}:${v}`).join(';')

function stylesheet() {
  const themes = {}
  for (const name of ['light', 'dark', 'light-high-contrast', 'dark-high-contrast']) {
    themes[name] = variables(`functional/themes/${name}.css`)
  }
  const sizes = [
    'base/size/size.css', 'base/typography/typography.css', 'functional/size/size.css', 'functional/size/border.css',
    'functional/size/radius.css', 'functional/spacing/space.css', 'functional/typography/typography.css',
    'functional/size/breakpoints.css', 'base/motion/motion.css', 'functional/motion/motion.css',
  ].map(variables)
  const css = compile()
  // What our own sheets use is not known here: the colours that people of the
  // design system are told to use are all kept.
  const ours = [...themes.light.keys()].filter(k => /^--(fgColor|bgColor|borderColor)-(default|muted|inset|emphasis|accent|success|attention|severe|danger|open|closed|done|neutral|disabled|onEmphasis|link|inverse)|^--(focus-outlineColor|data-(blue|green|gray)-color)/.test(k))
  const names = used(css + ours.map(k => `var(${k})`).join(), ...Object.values(themes), ...sizes)
  const theme = (name, scheme) => `color-scheme:${scheme};${block(themes[name], names)}`
  const size = sizes.map(m => block(m, names)).filter(Boolean).join(';')
  return [
    `:root{${size}}`,
    `:root{${theme('light', 'light')}}`,
    `@media (prefers-color-scheme:dark){:root[data-theme=auto]{${theme('dark', 'dark')}}}`,
    `@media (prefers-contrast:more){:root[data-theme=auto]{${theme('light-high-contrast', 'light')}}}`,
    `@media (prefers-contrast:more) and (prefers-color-scheme:dark){:root[data-theme=auto]{${theme('dark-high-contrast', 'dark')}}}`,
    `:root[data-theme=dark]{${theme('dark', 'dark')}}`,
    `:root[data-theme=light-high-contrast]{${theme('light-high-contrast', 'light')}}`,
    `:root[data-theme=dark-high-contrast]{${theme('dark-high-contrast', 'dark')}}`,
    css.replace(/^\uFEFF/, ''),
  ].join('\n')
}

// large are the icons of pages that have nothing to show yet.
const large = new Set([
  'alert', 'archive', 'container', 'key', 'law', 'log', 'organization', 'package', 'passkey-fill', 'people', 'repo', 'rocket',
  'search', 'server', 'shield-lock', 'tag', 'trash', 'webhook',
])

// icons returns the drawings by name and size. The marks of GitHub itself are
// trademarks and stay out.
function icons() {
  const octicons = require('@primer/octicons')
  const all = {}
  for (const name of Object.keys(octicons).sort()) {
    if (/^(mark|logo)-|copilot|github/.test(name)) continue
    const heights = octicons[name].heights
    if (heights[16]) all[`${name}-16`] = heights[16].path
    if (large.has(name) && heights[24]) all[`${name}-24`] = heights[24].path
  }
  return JSON.stringify(all, null, 0).replaceAll('","', '",\n"') + '\n'
}

// notices returns the licences of what is taken.
function notices() {
  return ['css', 'octicons', 'primitives'].map(name => {
    const at = join(packages, '@primer', name)
    const {version} = JSON.parse(readFileSync(join(at, 'package.json'), 'utf8'))
    return `@primer/${name} ${version}\n\n${readFileSync(join(at, 'LICENSE'), 'utf8').trim()}\n`
  }).join('\n---\n\n')
}

writeFileSync(join(out, 'LICENSES.txt'), notices())
writeFileSync(join(out, 'primer.css'), stylesheet() + '\n')
writeFileSync(join(out, 'icons.json'), icons())
