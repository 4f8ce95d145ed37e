// The speaker that the benchmark measures. Its argument is a peer in JSON; it obeys `announce COUNT`, `add` and `remove` on its standard
// input.
import { argv, stdin, stdout } from 'node:process'
import { createInterface } from 'node:readline'
import { type BgpPeer, BgpSpeaker } from '@carillon/bgp'
import { noMetrics, silentLogger, systemClock } from '@carillon/core'
import { systemNetwork } from '@carillon/sockets'
import { addresses, single } from './end.ts'

const peer = {
  name: 'peer',
  connectTimeMs: 1000,
  ...(JSON.parse(argv[2] ?? '{}') as Partial<BgpPeer>),
} as BgpPeer
const speaker = new BgpSpeaker({
  clock: systemClock,
  network: systemNetwork(),
  random: Math.random,
  log: silentLogger,
  metrics: noMetrics,
  node: 'bench',
})
speaker.setPeers([peer])
await speaker.start()

const route = (address: string) => ({ prefix: `${address}/32` })
createInterface(stdin).on('line', line => {
  const [word, count] = line.split(' ')
  if (word === 'announce') speaker.setRoutes('peer', addresses(Number(count)).map(route))
  else if (word === 'add') speaker.changeRoutes('peer', { announce: [route(single)] })
  else if (word === 'remove') speaker.changeRoutes('peer', { withdraw: [`${single}/32`] })
})
stdout.write('ready\n')
