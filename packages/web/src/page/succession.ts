import type { SuccessionAnswer } from '../api.ts'

/** How long it waits for more to ask for, in milliseconds. */
const gatherMs = 120

/** Addresses that are asked for at once. */
const atOnce = 100

interface Known {
  readonly plan: number
  readonly names: readonly string[]
}

/** Who is next in line, asked for only where it is in sight. What another plan said is shown until this one's answer is there. */
export class Succession {
  readonly #known = new Map<string, Known>()
  readonly #tell: () => void
  #wanted: readonly string[] = []
  #plan = -1
  #timer: ReturnType<typeof setTimeout> | undefined
  #asking = false

  /** @param tell called when more is known */
  constructor(tell: () => void) {
    this.#tell = tell
  }

  /** The order of succession, the owner first; undefined where it is not known yet. */
  of(address: string): readonly string[] | undefined {
    return this.#known.get(address)?.names
  }

  /** These are in sight, under this plan. */
  want(addresses: readonly string[], plan: number): void {
    this.#plan = plan
    this.#wanted = addresses
    if (this.#missing().length > 0) this.#timer ??= setTimeout(() => void this.#ask(), gatherMs)
  }

  #missing(): readonly string[] {
    return this.#wanted.filter(address => this.#known.get(address)?.plan !== this.#plan)
  }

  async #ask(): Promise<void> {
    this.#timer = undefined
    const plan = this.#plan
    const missing = this.#missing().slice(0, atOnce)
    if (this.#asking || missing.length === 0) return
    this.#asking = true
    try {
      const response = await fetch(`api/v1/succession?of=${encodeURIComponent(missing.join(','))}`)
      if (!response.ok) return
      const { succession } = (await response.json()) as SuccessionAnswer
      for (const address of missing) this.#known.set(address, { plan, names: succession[address] ?? [] })
      this.#tell()
    } catch {
      // The connection is lost, which the page says already; it asks again with the next thing that it is told.
    } finally {
      this.#asking = false
    }
  }
}
