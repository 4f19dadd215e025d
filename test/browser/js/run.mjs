// run.mjs JOURNEY...: goes on these journeys one after the other, and writes a
// line of JSON for each to standard output.
import {World} from './world.mjs'

const world = new World()
await world.open()
for (const name of process.argv.slice(2)) {
  const begun = Date.now()
  const faults = []
  try {
    const {default: journey} = await import(`./journeys/${name}.mjs`)
    await journey(world)
  } catch (error) {
    faults.push(error.stack)
    for (const person of world.people) faults.push(await person.evidence(name).catch(String))
  }
  faults.push(...await world.leave())
  console.log(JSON.stringify({name, milliseconds: Date.now() - begun, faults}))
}
await world.close()
