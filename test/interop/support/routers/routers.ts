import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { LabNet } from '@carillon/cli/lab'
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

/** Routers in hosts of a network, and a folder for their files. */
export class Routers implements AsyncDisposable {
  readonly #net: LabNet
  /** A folder that everybody may read, and that goes with them. */
  readonly folder: string
  readonly #running: AsyncDisposable[] = []

  private constructor(net: LabNet, folder: string) {
    this.#net = net
    this.folder = folder
  }

  static async in(net: LabNet): Promise<Routers> {
    // Whatever TMPDIR says: routers that run as a user of their own have to reach it.
    const folder = await mkdtemp('/tmp/carillon-routers-')
    await chmod(folder, 0o755)
    return new Routers(net, folder)
  }

  /** Starts a router in a host, and resolves when it takes commands. */
  async start<Kind extends RouterKind>(
    kind: Kind,
    host: string,
    config: RouterConfig,
  ): Promise<InstanceType<(typeof kinds)[Kind]>> {
    const router = new kinds[kind](this.#net, host, join(this.folder, `${host}-${kind}`), config)
    this.#running.push(router)
    await router.start()
    return router as InstanceType<(typeof kinds)[Kind]>
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const router of this.#running) await router[Symbol.asyncDispose]()
    await rm(this.folder, { recursive: true, force: true })
  }
}
