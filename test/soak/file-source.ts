import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { eventually } from '../lab/support/speaker-lab.ts'
import { over, type SharedFault, type Undo } from './fault.ts'
import type { SoakLab } from './soak-lab.ts'
import type { SoakSource } from './soak-source.ts'
import { broken, edited, half, manifestsOf, type Wanted } from './wanted.ts'

const file = 'manifests/cluster.yaml'

/** Seconds until a node has noticed what there is to say about its manifests. */
const noticeSeconds = 15

/** Manifests on the disk of each node, for `carillon run`. */
export class FileSource implements SoakSource {
  readonly processes = []
  readonly #lab: SoakLab

  constructor(lab: SoakLab) {
    this.#lab = lab
  }

  words(node: string): readonly string[] {
    const { process, address } = this.#lab.node(node)
    const others = [...this.#lab.nodes.values()].filter(other => other.address !== address)
    const peers = others.flatMap(other => ['--gossip-join', other.address])
    return ['run', '--node', node, '--manifests', join(process.disk.path, 'manifests'), ...peers]
  }

  async want(wanted: Wanted): Promise<void> {
    await this.#write(this.#text(wanted))
  }

  async strike(fault: SharedFault, choice: number): Promise<Undo> {
    const text = this.#text(this.#lab.wanted)
    if (fault === 'diskFull') return this.#diskFull(choice)
    for (const { process } of this.#lab.nodes.values()) process.excuse(/invalid configuration/)
    if (fault === 'brokenEdit') await this.#write(broken(text, choice))
    else
      for (const { process } of this.#lab.nodes.values())
        await writeFile(join(process.disk.path, file), half(text, choice))
    return over(() => this.#write(text))
  }

  /** An edit that finds no room, and is written once more when there is some. */
  async #diskFull(choice: number): Promise<Undo> {
    const lab = this.#lab
    const nodes = [...lab.nodes.values()]
    const before = lab.wanted
    const after = edited(before, [...lab.nodes.keys()], choice)
    const since = new Map(
      await Promise.all(
        nodes.map(async node => [node.name, (await node.status('nothing'))?.now ?? ''] as const),
      ),
    )
    for (const { process } of nodes) {
      process.excuse(/ENOSPC/)
      process.fillDisk()
      process.disk.writeInto(file, this.#text(after), (1 + choice) / 8)
    }
    for (const node of nodes)
      await eventually(
        `${node.name} says that its disk is full`,
        async () =>
          (await node.status('nothing'))?.events.some(
            ({ type, at, message }) =>
              type === 'sourceFailed' &&
              at >= (since.get(node.name) ?? '') &&
              message.includes('its disk is full'),
          ) || undefined,
        noticeSeconds,
      )
    return over(
      async () => {
        for (const { process } of nodes) process.disk.free()
        await lab.want(after)
        for (const { name, process } of nodes)
          await eventually(
            `${name} writes its log again`,
            () => process.said(/ENOSPC/) || undefined,
            noticeSeconds,
          )
      },
      () => lab.want(before),
    )
  }

  #text(wanted: Wanted): string {
    return manifestsOf(wanted, [...this.#lab.nodes.keys()])
  }

  async #write(text: string): Promise<void> {
    for (const { process } of this.#lab.nodes.values()) await process.disk.write(file, text)
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
