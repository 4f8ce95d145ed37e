import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import type { execute } from '@carillon/cli/lab'
import { parseAddress, Writer } from '@carillon/core'
import { addresses, type End, single, until } from './end.ts'
import type { Sender, SenderKind } from './sender.ts'

const TABLE_DUMP_V2 = 13
const PEER_INDEX_TABLE = 1
const RIB_IPV4_UNICAST = 2
/** ORIGIN, an empty AS_PATH, NEXT_HOP. */
const attributes = (nextHop: string): Uint8Array =>
  new Writer()
    .bytes(Uint8Array.of(0x40, 1, 1, 0, 0x40, 2, 0, 0x40, 3, 4))
    .bytes(parseAddress(nextHop))
    .finish()

/** A table of routes in MRT format (RFC 6396 section 4.3), which is how GoBGP takes many at once. */
function mrt(routes: readonly string[], nextHop: string, as: number): Buffer {
  const record = (type: number, body: Uint8Array): Uint8Array =>
    new Writer().u32(0).u16(TABLE_DUMP_V2).u16(type).u32(body.length).bytes(body).finish()
  const own = parseAddress(nextHop)
  const table = new Writer().bytes(own).u16(0).u16(1).u8(2).bytes(own).bytes(own).u32(as).finish()
  const path = attributes(nextHop)
  const rows = routes.map((route, i) => {
    const entry = new Writer().u32(i).u8(32).bytes(parseAddress(route)).u16(1).u16(0).u32(0).u16(path.length)
    return record(RIB_IPV4_UNICAST, entry.bytes(path).finish())
  })
  return Buffer.concat([record(PEER_INDEX_TABLE, table), ...rows])
}

class Gobgp implements Sender {
  readonly #end: End
  #pid: number | undefined
  #pipe: FileHandle | undefined
  #writing: Promise<unknown> = Promise.resolve()

  constructor(end: End) {
    this.#end = end
  }

  async start(): Promise<void> {
    const { segment, node, peer, as, peerAs, folder } = this.#end
    const file = join(folder, 'gobgpd.toml')
    writeFileSync(
      file,
      `[global.config]
as = ${as}
router-id = "${node.address}"
[[neighbors]]
[neighbors.config]
neighbor-address = "${peer}"
peer-as = ${peerAs}
[neighbors.timers.config]
connect-retry = 1
`,
    )
    const words = ['-f', file, '-t', 'toml', '--pprof-disable', '--api-hosts', '127.0.0.1:50051']
    this.#pid = segment.spawn(node.name, ['gobgpd', ...words]).pid
    const ask = async () => (await this.#ask('global').then(({ code }) => code)) === 0 || undefined
    await until('GoBGP answers', 20, ask, 50)
  }

  #ask(...words: readonly string[]): ReturnType<typeof execute> {
    const { segment, node } = this.#end
    return segment.net.exec(node.name, 'gobgp', words)
  }

  /** Through a pipe that stays open: at the end of a file `gobgp mrt inject` leaves before all routes have arrived. */
  async announce(count: number): Promise<number> {
    const { segment, node, folder, as } = this.#end
    const bytes = mrt(addresses(count), node.address, as)
    const path = join(folder, 'mrt')
    execFileSync('mkfifo', [path])
    const from = performance.now()
    const words = ['mrt', 'inject', 'global', path, '--no-ipv6', '--nexthop', node.address]
    segment.spawn(node.name, ['gobgp', ...words])
    this.#pipe = await open(path, 'w')
    this.#writing = this.#pipe.writeFile(bytes)
    return from
  }

  async change(announce: boolean): Promise<number> {
    const from = performance.now()
    await this.#ask('global', 'rib', announce ? 'add' : 'del', `${single}/32`)
    return from
  }

  processes(): readonly number[] {
    return this.#pid === undefined ? [] : [this.#pid]
  }

  async close(): Promise<void> {
    await this.#writing
    await this.#pipe?.close()
  }
}

export const gobgpSender: SenderKind = {
  name: 'GoBGP',
  command: 'gobgpd',
  make: end => new Gobgp(end),
}
