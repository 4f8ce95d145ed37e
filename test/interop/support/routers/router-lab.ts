import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { LabNet, type LabPort } from '@carillon/cli/lab'
import type { SpeakerTold } from '../../programs/speaker.ts'
import { OurSpeaker } from '../our-speaker.ts'
import { Bird } from './bird.ts'
import { Exabgp } from './exabgp.ts'
import { Frr } from './frr.ts'
import { Gobgp } from './gobgp.ts'
import type { RouterConfig } from './router-config.ts'

const kinds = { frr: Frr, bird: Bird, gobgp: Gobgp, exabgp: Exabgp } as const

/** FRR, BIRD, GoBGP, ExaBGP. */
export type RouterKind = keyof typeof kinds

export const routerKinds: readonly RouterKind[] = ['frr', 'bird', 'gobgp', 'exabgp']

/** What a test needs that uses all of them. */
export const routerPrograms: readonly string[] = ['/usr/lib/frr/bgpd', 'bird', 'gobgpd', 'exabgp', 'bridge']

/** Hosts on one bridge, with room for a router each: host number i (from 1) has `10.80.0.i` and `fd80::i`. */
export class RouterLab implements AsyncDisposable {
  readonly net: LabNet
  readonly hosts: readonly string[]
  readonly ports = new Map<string, LabPort>()
  /** A folder that everybody may read, and that goes with the lab. */
  folder = ''
  readonly #running: AsyncDisposable[] = []

  private constructor(name: string, hosts: readonly string[]) {
    this.net = new LabNet(name)
    this.hosts = hosts
  }

  static async build(name: string, hosts: readonly string[]): Promise<RouterLab> {
    const lab = new RouterLab(name, hosts)
    try {
      // Whatever TMPDIR says: routers that run as a user of their own have to reach it.
      lab.folder = await mkdtemp('/tmp/carillon-routers-')
      await chmod(lab.folder, 0o755)
      await lab.net.bridge('switch')
      for (const host of hosts) {
        await lab.net.host(host)
        const addresses = [`${lab.address(host)}/24`, `${lab.address(host, 6)}/64`]
        lab.ports.set(host, await lab.net.join('switch', host, addresses))
      }
      return lab
    } catch (error) {
      await lab[Symbol.asyncDispose]()
      throw error
    }
  }

  /** Address of a host. */
  address(host: string, family: 4 | 6 = 4): string {
    const number = this.hosts.indexOf(host) + 1
    return family === 4 ? `10.80.0.${number}` : `fd80::${number.toString(16)}`
  }

  /** Gives a host the addresses `10.80.0.<number>` and `fd80::<number>` beside its own; numbers from 100 on are free. */
  async alias(host: string, number: number): Promise<{ readonly four: string; readonly six: string }> {
    const both = { four: `10.80.0.${number}`, six: `fd80::${number}` }
    await this.net.ipIn(host, 'addr', 'add', `${both.four}/24`, 'dev', 'eth0')
    await this.net.ipIn(host, 'addr', 'add', `${both.six}/64`, 'dev', 'eth0', 'nodad')
    return both
  }

  /** Starts a router in a host, and resolves when it takes commands. */
  async start<Kind extends RouterKind>(
    kind: Kind,
    host: string,
    config: RouterConfig,
  ): Promise<InstanceType<(typeof kinds)[Kind]>> {
    const router = new kinds[kind](this.net, host, join(this.folder, `${host}-${kind}`), config)
    this.#running.push(router)
    await router.start()
    return router as InstanceType<(typeof kinds)[Kind]>
  }

  /** Adds hosts behind a host that forwards: number i (from 1) has `10.81.0.<10 + i>` and `fd81::<10 + i>`. */
  async behind(gateway: string, hosts: readonly string[]): Promise<void> {
    await this.net.bridge('beyond')
    await this.net.join('beyond', gateway, ['10.81.0.1/24', 'fd81::1/64'], 'eth1')
    await this.net.sysctl(gateway, { 'net.ipv4.ip_forward': 1, 'net.ipv6.conf.all.forwarding': 1 })
    for (const [i, host] of hosts.entries()) {
      await this.net.host(host)
      await this.net.join('beyond', host, [`10.81.0.${11 + i}/24`, `fd81::${11 + i}/64`])
      await this.net.ipIn(host, 'route', 'add', '10.80.0.0/24', 'via', '10.81.0.1')
      await this.net.ipIn(host, '-6', 'route', 'add', 'fd80::/64', 'via', 'fd81::1')
    }
    for (const host of this.hosts.filter(one => one !== gateway)) {
      await this.net.ipIn(host, 'route', 'add', '10.81.0.0/24', 'via', this.address(gateway))
      await this.net.ipIn(host, '-6', 'route', 'add', 'fd81::/64', 'via', this.address(gateway, 6))
    }
  }

  /** Starts our speaker in a host. */
  async speaker(host: string, told: Partial<SpeakerTold> = {}): Promise<OurSpeaker> {
    const speaker = await OurSpeaker.start(this.net, host, told)
    this.#running.push(speaker)
    return speaker
  }

  /** Cuts a host off, whose carrier stays. */
  async cut(host: string): Promise<void> {
    await this.#portState(host, 0)
  }

  async mend(host: string): Promise<void> {
    await this.#portState(host, 3)
  }

  async #portState(host: string, state: number): Promise<void> {
    const words = ['link', 'set', 'dev', this.ports.get(host)?.port ?? '', 'state', String(state)]
    const { code, stderr } = await this.net.exec('switch', 'bridge', words)
    if (code !== 0) throw new Error(`bridge ${words.join(' ')}: ${stderr}`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const router of this.#running) await router[Symbol.asyncDispose]()
    await this.net[Symbol.asyncDispose]()
    if (this.folder !== '') await rm(this.folder, { recursive: true, force: true })
  }
}
