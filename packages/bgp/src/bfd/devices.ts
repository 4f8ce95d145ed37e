import type { Link, Links, Network } from '@carillon/core'

/** The host's interfaces, for whoever needs to know of them: watched from the first question on. */
export class Devices implements AsyncDisposable {
  readonly #network: Network
  readonly #watchers = new Set<() => void>()
  #links: Promise<Links> | undefined
  #current: readonly Link[] = []

  constructor(network: Network) {
    this.#network = network
  }

  /** Resolves with the interfaces of now. Rejects with what the network says, and may be asked again. */
  async look(): Promise<readonly Link[]> {
    this.#links ??= this.#watch()
    try {
      const links = await this.#links
      this.#current = links.current()
    } catch (error) {
      this.#links = undefined
      throw error
    }
    return this.#current
  }

  /** The interfaces as far as they are known by now. */
  get current(): readonly Link[] {
    return this.#current
  }

  /** Calls `run` when any interface has changed; the returned function ends that. */
  watch(run: () => void): () => void {
    this.#watchers.add(run)
    return () => this.#watchers.delete(run)
  }

  async #watch(): Promise<Links> {
    const links = await this.#network.links()
    links.changed(current => {
      this.#current = current
      for (const run of [...this.#watchers]) run()
    })
    return links
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#watchers.clear()
    const links = await this.#links?.catch(() => undefined)
    await links?.[Symbol.asyncDispose]()
  }
}
