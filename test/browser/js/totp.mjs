// What an authenticator app does.
import {createHmac} from 'node:crypto'

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

// code is what the app shows, some steps of 30 seconds from now. A code works
// once, so each use takes a later one.
export function code(key, steps) {
  let bits = ''
  for (const letter of key.replace(/[ =]/g, '').toUpperCase()) bits += alphabet.indexOf(letter).toString(2).padStart(5, '0')
  const secret = Buffer.from(bits.match(/.{8}/g).map(byte => parseInt(byte, 2)))
  const counter = Buffer.alloc(8)
  counter.writeBigInt64BE(BigInt(Math.floor(Date.now() / 30_000) + steps))
  const sum = createHmac('sha1', secret).update(counter).digest()
  return String((sum.readUInt32BE(sum[19] & 15) & 0x7fffffff) % 1_000_000).padStart(6, '0')
}
