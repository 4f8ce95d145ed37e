import { LabNet, type LabPort } from '@carillon/cli/lab'
import type { SpeakerTold } from '../../programs/speaker.ts'
import { OurSpeaker } from '../our-speaker.ts'
import type { Router } from './router.ts'
import type { RouterConfig } from './router-config.ts'
import { type RouterKind, Routers } from './routers.ts'

/** Hosts on one bridge, with room for a router each: host number i (from 1) has `10.80.0.i` and `fd80::i`. */
export class RouterLab implements AsyncDisposable {
  readonly net: LabNet
  readonly hosts: readonly string[]
  readonly ports = new Map<string, LabPort>()
  readonly #speakers: OurSpeaker[] = []
  #routers: Routers | undefined

  private constructor(name: string, hosts: readonly string[]) {
    this.net = new LabNet(name)
    this.hosts = hosts
  }

  static async build(name: string, hosts: readonly string[]): Promise<RouterLab> {
    const lab = new RouterLab(name, hosts)
    try {
      lab.#routers = await Routers.in(lab.net)
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

  /** A folder that everybody may read, and that goes with the lab. */
  get folder(): string {
    return this.#routers?.folder ?? ''
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
  start(kind: RouterKind, host: string, config: RouterConfig): Promise<Router> {
    if (!this.#routers) throw new Error('the lab is not built')
    return this.#routers.start(kind, host, config)
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
    this.#speakers.push(speaker)
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
    for (const speaker of this.#speakers) await speaker[Symbol.asyncDispose]()
    await this.#routers?.[Symbol.asyncDispose]()
    await this.net[Symbol.asyncDispose]()
  }
}
