// run.mjs JOURNEY...: goes on these journeys one after the other, and writes a
// line of JSON for each to standard output.
import {World} from './world.mjs'

const patience = 12 * 60_000 // no journey takes long; one that hangs is ended

const world = new World()
await world.open()
for (const name of process.argv.slice(2)) {
  const begun = Date.now()
  const faults = []
  try {
    const {default: journey} = await import(`./journeys/${name}.mjs`)
    let timer
    const late = new Promise((_, reject) => { timer = setTimeout(() => reject(new Error('it does not end')), patience) })
    await Promise.race([journey(world), late]).finally(() => clearTimeout(timer))
  } catch (error) {
    faults.push(error.stack)
    for (const person of world.people) faults.push(await person.evidence(name).catch(String))
  }
  faults.push(...await world.leave())
  console.log(JSON.stringify({name, milliseconds: Date.now() - begun, faults, notes: world.notes.splice(0)}))
}
await world.close()
