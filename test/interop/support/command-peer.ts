import { Peer } from './peer.ts'

type Line = { readonly answer?: unknown; readonly error?: string; readonly event?: string }

interface Waiting {
  readonly resolve: (answer: unknown) => void
  readonly reject: (error: Error) => void
}

/** A peer that prints JSON lines and obeys commands on its standard input: the Go program, and ours beside it. */
export class CommandPeer extends Peer {
  readonly #waiting: Waiting[] = []

  protected override read(text: string): void {
    if (!text.startsWith('{')) return
    const line = JSON.parse(text) as Line
    if (line.event !== undefined) this.note(line as { readonly event: string })
    else if (line.error !== undefined) this.#waiting.shift()?.reject(new Error(`${this.name}: ${line.error}`))
    else this.#waiting.shift()?.resolve(line.answer)
  }

  /** Sends a command (see memberlist-peer/commands.go) and gives its answer. */
  ask<T = unknown>(...words: readonly string[]): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve: resolve as (answer: unknown) => void, reject })
      this.write(words.join(' '))
    })
  }

  /** The metadata that it knows of each member. */
  async metadata(): Promise<Readonly<Record<string, string>>> {
    const members = await this.ask<readonly { readonly name: string; readonly meta: string }[]>('members')
    return Object.fromEntries(members.map(({ name, meta }) => [name, meta]))
  }
}
