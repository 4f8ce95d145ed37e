import { argv, stdout } from 'node:process'
import { Bfd } from '@carillon/bgp/bfd'

// One end of BFD sessions, until it is told to end: `bfd-end.js INTERVAL MULTIPLIER [busy] -- PEER...`. Prints `up PEER TIME` and `down
// PEER TIME`, in milliseconds by the computer's clock. `busy`: its main thread computes all the time.
const [interval, multiplier, ...words] = argv.slice(2)
const peers = words.slice(words.indexOf('--') + 1)
const profile = {
  transmitIntervalMs: Number(interval),
  receiveIntervalMs: Number(interval),
  detectMultiplier: Number(multiplier),
}

const bfd = new Bfd({ network: { module: import.meta.resolve('@carillon/sockets') } })
const say = (what: string, peer: string): void => {
  stdout.write(`${what} ${peer} ${performance.timeOrigin + performance.now()}\n`)
}
for (const peer of peers) {
  const session = bfd.session({ peer, profile })
  session.on('session:up', () => say('up', peer))
  session.on('session:down', () => say('down', peer))
}

/** Computes for a quarter of a second, lets what has come be read, and so on. */
function compute(): void {
  const end = performance.now() + 250
  while (performance.now() < end);
  setTimeout(compute, 1)
}
if (words.includes('busy')) setTimeout(compute, 3000)
