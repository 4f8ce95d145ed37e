// Sends some 25,000 packets a second to a member of a gossip cluster. Its arguments are an address, how many, and what is in them: `pings`,
// or `rumours` of nobody.
import { setTimeout as pause } from 'node:timers/promises'
import { encodeMessage, encodePacket } from '@carillon/gossip/wire'
import { systemNetwork } from '@carillon/sockets'

const [address = '', count = '', kind = ''] = process.argv.slice(2)
const none = new Uint8Array()

const pings = (i: number): readonly Uint8Array[] => [
  encodeMessage({ type: 'ping', seqNo: i, node: '', sourceAddr: none, sourcePort: 0, sourceNode: '' }),
]
const rumours = (i: number): readonly Uint8Array[] =>
  Array.from({ length: 40 }, (_, k) =>
    encodeMessage({ type: 'dead', incarnation: 1, node: `nobody-${i}-${k}`, from: 'somebody' }),
  )

const packets = Array.from({ length: 256 }, (_, i) => encodePacket((kind === 'pings' ? pings : rumours)(i)))
await using socket = await systemNetwork().datagrams({ address: '0.0.0.0', port: 0 })
for (let sent = 0; sent < Number(count); ) {
  for (const packet of packets) socket.send({ address, port: 7946 }, packet)
  sent += packets.length
  await pause(10)
}
