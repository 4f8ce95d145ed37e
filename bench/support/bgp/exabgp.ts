import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import { addresses, type End, single } from './end.ts'
import type { Sender, SenderKind } from './sender.ts'

/** As many prefixes in one command. */
const BULK = 200

class Exabgp implements Sender {
  readonly #end: End
  #pid: number | undefined
  #pipe: FileHandle | undefined
  #writing: Promise<unknown> = Promise.resolve()

  constructor(end: End) {
    this.#end = end
  }

  async start(): Promise<void> {
    const { segment, node, peer, as, peerAs, folder } = this.#end
    const file = join(folder, 'exabgp.conf')
    const path = join(folder, 'commands')
    execFileSync('mkfifo', [path])
    writeFileSync(
      file,
      `process commands { run /bin/cat ${path}; encoder text; }
neighbor ${peer} {
  router-id ${node.address};
  local-address ${node.address};
  local-as ${as};
  peer-as ${peerAs};
  family { ipv4 unicast; }
  api { processes [ commands ]; }
}
`,
    )
    const settings = [
      'exabgp.daemon.user=root',
      'exabgp.daemon.drop=false',
      'exabgp.api.ack=false',
      'exabgp.api.cli=false',
      'exabgp.log.level=CRIT',
    ]
    this.#pid = segment.spawn(node.name, ['env', '-C', folder, ...settings, 'exabgp', file]).pid
    this.#pipe = await open(path, 'w')
  }

  #say(lines: readonly string[]): Promise<number> {
    const from = performance.now()
    this.#writing = this.#writing.then(() => this.#pipe?.writeFile(lines.map(line => `${line}\n`).join('')))
    return Promise.resolve(from)
  }

  announce(count: number): Promise<number> {
    const all = addresses(count).map(address => `${address}/32`)
    const lines = Array.from({ length: Math.ceil(count / BULK) }, (_, i) => {
      const some = all.slice(i * BULK, (i + 1) * BULK)
      return `announce attribute next-hop self nlri ${some.join(' ')}`
    })
    return this.#say(lines)
  }

  change(announce: boolean): Promise<number> {
    return this.#say([`${announce ? 'announce' : 'withdraw'} route ${single}/32 next-hop self`])
  }

  processes(): readonly number[] {
    return this.#pid === undefined ? [] : [this.#pid]
  }

  async close(): Promise<void> {
    await this.#writing
    await this.#pipe?.close()
  }
}

export const exabgpSender: SenderKind = {
  name: 'ExaBGP',
  command: 'exabgp',
  make: end => new Exabgp(end),
}
