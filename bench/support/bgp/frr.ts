import { execFileSync } from 'node:child_process'
import { chownSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { vty } from '@carillon/cli/lab'
import { addresses, answered, type End, single, until } from './end.ts'
import type { Receiver, ReceiverKind } from './receiver.ts'
import type { Sender, SenderKind } from './sender.ts'

const programs = '/usr/lib/frr'

/** As many commands over one connection: arguments of a function have a limit. */
const BULK = 20_000

/** zebra and bgpd. */
class Frr implements Sender, Receiver {
  readonly #end: End
  #pids: readonly number[] = []

  constructor(end: End) {
    this.#end = end
  }

  async start(): Promise<void> {
    const { node, peer, as, peerAs, folder } = this.#end
    // The daemons drop root, and create their sockets here.
    chownSync(folder, Number(execFileSync('id', ['-u', 'frr'], { encoding: 'utf8' })), -1)
    writeFileSync(join(folder, 'zebra.conf'), '')
    writeFileSync(
      join(folder, 'bgpd.conf'),
      `router bgp ${as}
 bgp router-id ${node.address}
 no bgp ebgp-requires-policy
 no bgp network import-check
 neighbor ${peer} remote-as ${peerAs}
 neighbor ${peer} timers connect 1
`,
    )
    await this.#launch('zebra')
    await this.#launch('bgpd', '-n')
  }

  async #launch(name: string, ...more: readonly string[]): Promise<void> {
    const { segment, node, folder } = this.#end
    const files = ['-f', join(folder, `${name}.conf`), '-i', join(folder, `${name}.pid`)]
    const sockets = ['--vty_socket', folder, '-z', join(folder, 'zserv.api'), '-P', '0']
    const child = segment.spawn(node.name, [join(programs, name), ...files, ...sockets, ...more])
    if (child.pid !== undefined) this.#pids = [...this.#pids, child.pid]
    await until(`${name} answers`, 10, () => answered(vty(join(folder, `${name}.vty`), 'show version')))
  }

  async #bgpd(...commands: readonly string[]): Promise<string> {
    return vty(join(this.#end.folder, 'bgpd.vty'), ...commands)
  }

  async #configure(...statements: readonly string[]): Promise<number> {
    const from = performance.now()
    const place = ['configure terminal', `router bgp ${this.#end.as}`, 'address-family ipv4 unicast']
    for (let at = 0; at < statements.length; at += BULK)
      await this.#bgpd(...place, ...statements.slice(at, at + BULK))
    return from
  }

  announce(count: number): Promise<number> {
    return this.#configure(...addresses(count).map(address => `network ${address}/32`))
  }

  change(announce: boolean): Promise<number> {
    return this.#configure(`${announce ? '' : 'no '}network ${single}/32`)
  }

  processes(): readonly number[] {
    return this.#pids
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  async #summary(): Promise<{ readonly state?: string; readonly pfxRcd?: number }> {
    const text = await this.#bgpd('show bgp ipv4 unicast summary json')
    const { peers = {} } = JSON.parse(text) as { readonly peers?: Record<string, object> }
    return peers[this.#end.peer] ?? {}
  }

  async established(): Promise<boolean> {
    return (await this.#summary()).state === 'Established'
  }

  async held(): Promise<number> {
    return (await this.#summary()).pfxRcd ?? 0
  }
}

export const frrSender: SenderKind = {
  name: 'FRR',
  command: `${programs}/bgpd`,
  make: end => new Frr(end),
}

export const frrReceiver: ReceiverKind = {
  name: 'FRR',
  command: `${programs}/bgpd`,
  make: end => new Frr(end),
}
