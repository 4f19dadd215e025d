// The texts of the pages in one language, from the catalogs that the program
// has, so that tests find things by what they are called there.
import {readdirSync, readFileSync, existsSync} from 'node:fs'
import {join} from 'node:path'

export class Texts {
  #all = {}

  constructor(language, root) {
    this.language = language
    const web = join(root, 'internal/web')
    for (const room of readdirSync(web)) {
      for (const dir of ['locales', 'texts']) {
        const file = join(web, room, dir, `${language}.json`)
        if (existsSync(file)) Object.assign(this.#all, JSON.parse(readFileSync(file, 'utf8')))
      }
    }
  }

  // get returns the text of a key. What is marked as code or bold is plain here.
  get(key, ...args) {
    const text = this.#find(key)
    return this.#fill(typeof text === 'string' ? text : text.other, args)
  }

  // count returns the form that the language has for n things.
  count(key, n, ...args) {
    const text = this.#find(key)
    const one = new Intl.PluralRules(this.language).select(n) === 'one'
    return this.#fill(typeof text === 'string' ? text : (one && text.one) || text.other, [n, ...args])
  }

  #find(key) {
    if (!(key in this.#all)) throw new Error(`no text ${key} in ${this.language}`)
    return this.#all[key]
  }

  #fill(text, args) {
    return text.replace(/`|\*\*/g, '').replace(/\{(\d)\}/g, (whole, i) => i in args ? String(args[i]) : whole)
  }
}
