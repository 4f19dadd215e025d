// Somebody before a browser, who finds things by what they are called.
import {writeFileSync} from 'node:fs'
import {join} from 'node:path'

export class Person {
  problems = []

  constructor(world, context, page, name) {
    Object.assign(this, {world, context, page, name})
    context.on('console', message => {
      if (message.type() === 'error' && !this.#expected(message)) this.problems.push(`console: ${message.text()} at ${message.location().url}`)
    })
    context.on('weberror', error => this.problems.push(`script: ${error.error().stack}`))
    context.on('response', response => {
      if (response.status() >= 500) this.problems.push(`${response.status()} from ${response.url()}`)
    })
    context.on('request', request => {
      const url = new URL(request.url())
      const known = [world.url, world.issuer].some(own => url.origin === own) || url.protocol === 'data:'
      if (!known) this.problems.push(`a request to ${url.origin}`)
    })
  }

  // Pages that say no are meant to, what they load is not; and some browsers ask
  // for an icon that no page names.
  #expected(message) {
    const {url} = message.location()
    return message.text().startsWith('Failed to load resource') && (url === message.page()?.url() || url.endsWith('/favicon.ico'))
  }

  t(key, ...args) { return this.world.t(key, ...args) }

  // open goes to a path and returns the status.
  async open(path) {
    const answer = await this.page.goto(path)
    return answer.status()
  }

  // within returns the person who sees nothing but one part of the page.
  within(part) {
    const narrow = Object.create(this)
    narrow.part = typeof part === 'string' ? this.find(part) : part
    return narrow
  }

  find(selector, options) { return (this.part ?? this.page).locator(selector, options) }
  role(role, name, options) { return (this.part ?? this.page).getByRole(role, name === undefined ? options : {name, exact: true, ...options}) }
  button(key, ...args) { return this.role('button', this.t(key, ...args)) }
  link(key, ...args) { return this.role('link', this.t(key, ...args)) }
  heading(key, ...args) { return this.role('heading', this.t(key, ...args)) }
  field(key, ...args) { return (this.part ?? this.page).getByLabel(this.t(key, ...args)) }
  text(key, ...args) { return (this.part ?? this.page).getByText(this.t(key, ...args)) }

  // sees waits until something is to be seen, and fails if it does not come.
  async sees(what) { await what.first().waitFor() }

  // misses fails if something is there.
  async misses(what) {
    const n = await what.count()
    if (n > 0) throw new Error(`${n} of ${what}, and there should be none`)
  }

  // at waits until the address has that path.
  async at(path) {
    await this.page.waitForURL(url => typeof path === 'string' ? url.pathname === path : path.test(url.pathname + url.search))
  }

  // done waits for the note that something was done.
  async done(key) { await this.sees(this.page.getByRole('status').filter({hasText: this.t(`done.${key}`)})) }

  // tabTo presses Tab until the focus is on something that the selector finds.
  async tabTo(selector) {
    for (let presses = 0; presses < 150; presses++) {
      await this.page.keyboard.press('Tab')
      if (await this.page.evaluate(selector => document.activeElement.matches(selector), selector)) return
    }
    throw new Error(`Tab does not lead to ${selector}`)
  }

  // until asks again and again until the answer is yes; for what the server does
  // by and by.
  async until(done) {
    for (const end = Date.now() + 20_000; !await done();) {
      if (Date.now() > end) throw new Error(`waited in vain until ${done}`)
      await this.page.waitForTimeout(100)
    }
  }

  async signIn(login, password) {
    await this.open('/login')
    await this.find('main input[name=login]').fill(login)
    await this.find('main input[name=password]').fill(password)
    await this.find('main input[name=password]').press('Enter')
    await this.page.waitForURL(url => url.pathname !== '/login')
  }

  // confirm shows once more who one is, if that is asked.
  async confirm(password) {
    const field = this.find('main input[type=password]')
    if (await field.count() === 0) return
    await field.fill(password)
    await field.press('Enter')
    await this.page.waitForLoadState()
  }

  // shot keeps a picture of the whole page as an artifact.
  async shot(name) {
    await this.page.screenshot({path: join(this.world.screenshots, `${name}.png`), fullPage: true})
  }

  // evidence keeps what is needed to see why a step failed.
  async evidence(name) {
    const base = join(this.world.screenshots, `FAILED-${name}-${this.name}`)
    await this.page.screenshot({path: `${base}.png`, fullPage: true})
    writeFileSync(`${base}.html`, await this.page.content())
    const tree = await this.page.locator('body').ariaSnapshot()
    writeFileSync(`${base}.txt`, `${this.page.url()}\n\n${tree}\n`)
    return `${base}.png, .html, .txt: ${this.page.url()}\n${tree}`
  }
}
