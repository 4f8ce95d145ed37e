import type { LabNet } from '@carillon/cli/lab'
import type { SpeakerStatus } from '@carillon/core'
import { Asker } from '../lab/support/asker.ts'
import { eventually } from '../lab/support/speaker-lab.ts'
import type { SoakProcess } from './soak-process.ts'

/** One node of a soak run: its speaker, and what that says of itself. */
export class SoakNode {
  readonly name: string
  readonly address: string
  readonly mac: string
  readonly process: SoakProcess
  readonly #asker: Asker

  constructor(net: LabNet, process: SoakProcess, at: { readonly address: string; readonly mac: string }) {
    this.name = process.name
    this.process = process
    this.address = at.address
    this.mac = at.mac
    this.#asker = new Asker(net, process.name)
  }

  /** What it says of itself, or of one address only; undefined where it says nothing. */
  async status(of?: string): Promise<SpeakerStatus | undefined> {
    const { code, text } = await this.#asker.ask(`/api/v1/status${of === undefined ? '' : `?of=${of}`}`)
    return code === 200 ? (JSON.parse(text) as SpeakerStatus) : undefined
  }

  /** Resolves when its door for people is open. */
  async ready(seconds: number): Promise<void> {
    await eventually(`${this.name} runs`, () => this.status('nothing'), seconds)
  }

  /** Everything about it that helps to understand a failure. */
  async report(): Promise<string> {
    const { pid, frozen } = this.process
    const status =
      pid === undefined || frozen ? undefined : await this.status('nothing').catch(() => undefined)
    const { members = [], configuration, sessions = [], problems = [], interfaces = [] } = status ?? {}
    return this.process.report(
      `${this.mac}, configuration ${configuration}, members ${members.map(({ name, liveness }) => `${name} ${liveness}`).join(', ')}`,
      `sessions ${JSON.stringify(sessions)}`,
      `interfaces ${interfaces.map(({ name, up, carrier }) => `${name} ${up ? 'up' : 'down'} ${carrier ? '' : 'without carrier'}`).join(', ')}`,
      ...problems.slice(0, 3).map(one => `problem: ${JSON.stringify(one)}`),
    )
  }
}
