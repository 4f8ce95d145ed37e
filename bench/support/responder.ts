import { argv, stdout } from 'node:process'
import { arp, ndp } from '@carillon/arp'
import { noMetrics, silentLogger, systemClock } from '@carillon/core'
import { systemNetwork } from '@carillon/sockets'

// A process that answers for the addresses it is given, until it is told to end: `responder.js 10.0.0.1 fd00::1`.
const addresses = argv.slice(2)
const context = {
  node: 'bench',
  clock: systemClock,
  network: systemNetwork(),
  log: silentLogger,
  metrics: noMetrics,
  random: Math.random,
}
for (const make of [arp, ndp]) {
  const announcer = make()(context)
  const [family] = announcer.families
  const mine = addresses.filter(address => address.includes(':') === (family === 6))
  announcer.announce(mine.map(address => ({ address, services: [], options: { interfaces: 'all' } })))
  await announcer.start()
  const silent = announcer.status().find(status => status.state !== 'announced')
  if (silent) throw silent.error ?? new Error(`${silent.address} is not announced`)
}
stdout.write('ready\n')
