// The server under test, its operator's commands, and the programs on the side
// of its users.
import {spawn} from 'node:child_process'
import {mkdirSync, mkdtempSync, rmSync} from 'node:fs'
import {join} from 'node:path'
import {createRequire} from 'node:module'
import {Texts} from './texts.mjs'
import {Person} from './person.mjs'

const variable = name => {
  const value = process.env[`PACKHOUSE_TEST_${name}`]
  if (value === undefined) throw new Error(`PACKHOUSE_TEST_${name} is not set: the Go test sets it`)
  return value
}

export const modules = createRequire(join(variable('MODULES'), 'index.js'))

// Every user's; nobody else reaches the server.
export const password = 'correct horse battery'

// run runs a program to its end and returns what it wrote to standard output.
export function run(program, args, {stdin = '', env = process.env, cwd} = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {env, cwd})
    let out = '', all = ''
    child.stdout.on('data', data => { out += data; all += data })
    child.stderr.on('data', data => { all += data })
    child.on('error', reject)
    child.on('close', code => code === 0 ? resolve(out.trim()) : reject(new Error(`${program} ${args.join(' ')}: exit code ${code}\n${all}`)))
    child.stdin.on('error', () => {}) // it need not read it
    child.stdin.end(stdin)
  })
}

export class World {
  url = variable('URL')
  issuer = variable('ISSUER_URL')
  language = variable('LANGUAGE')
  script = variable('SCRIPT') !== 'off'
  images = variable('IMAGES')
  screenshots = variable('SCREENSHOTS')
  pages = JSON.parse(variable('PAGES'))
  texts = new Texts(this.language, variable('ROOT'))
  people = []
  notes = [] // for the log of the test
  #homes = mkdtempSync(join(variable('HOMES'), 'home-'))
  #browser

  get host() { return new URL(this.url).host }

  async open() {
    const {chromium} = modules('playwright-core')
    this.#browser = await chromium.launch({executablePath: variable('CHROMIUM'), args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage']})
    mkdirSync(this.screenshots, {recursive: true})
  }

  async close() {
    await this.#browser.close()
    rmSync(this.#homes, {recursive: true})
  }

  note(text) { this.notes.push(text) }

  // t is the text of a key in the language of this world.
  t(key, ...args) { return this.texts.get(key, ...args) }

  // admin runs a command of the operator.
  admin(...args) {
    const stdin = args.includes('--password-stdin') ? password + '\n' : ''
    return run(variable('PROGRAM'), ['admin', ...args], {stdin})
  }

  user(login, ...args) { return this.admin('user', 'create', login, '--password-stdin', ...args) }

  // person opens a browser of somebody's own, in which nobody is signed in.
  async person(name, options = {}) {
    const context = await this.#browser.newContext({
      locale: this.language, baseURL: this.url, javaScriptEnabled: this.script, viewport: {width: 1280, height: 900}, ...options,
    })
    context.setDefaultTimeout(10_000)
    const person = new Person(this, context, await context.newPage(), name)
    this.people.push(person)
    return person
  }

  // signedIn is person for somebody who has just signed in by password.
  async signedIn(login, options) {
    const person = await this.person(login, options)
    await person.signIn(login, password)
    return person
  }

  // leave closes all browsers of people, and returns what they noticed.
  async leave() {
    const people = this.people.splice(0)
    for (const person of people) await person.context.close()
    return people.flatMap(person => person.problems.map(problem => `${person.name}: ${problem}`))
  }

  // client is the environment of programs of one user: a home of their own.
  client(login) {
    const home = join(this.#homes, login)
    mkdirSync(home, {recursive: true})
    return {PATH: process.env.PATH, HOME: home, DOCKER_CONFIG: home, TMPDIR: home}
  }

  // push logs crane in as the user, with the token or the password, and pushes one of the images that the Go test made.
  async push(login, image, to, secret = password) {
    const env = this.client(login)
    await run('crane', ['auth', 'login', this.host, '-u', login, '--password-stdin'], {env, stdin: secret})
    const index = image.startsWith('index') ? ['--index'] : []
    return run('crane', ['push', ...index, join(this.images, image), `${this.host}/${to}`], {env})
  }
}
