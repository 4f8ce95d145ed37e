import type { Link, Links } from '@carillon/core'

/**
 * Tells who waits on an interface that is down when the interface is gone for good. Listens to link events only while
 * somebody waits.
 */
export class Departures {
  readonly #open: () => Promise<Links>
  readonly #waiting = new Map<() => void, number>()
  #links: Promise<Links> | undefined

  constructor(open: () => Promise<Links>) {
    this.#open = open
  }

  /** Calls `gone` once when the interface is removed; not any more once it is up again. */
  watch(link: number, gone: () => void): void {
    this.#waiting.set(gone, link)
    if (this.#links) {
      // A watch that is running may have seen this interface go before we asked.
      this.#links.then(links => this.#look(links.current())).catch(() => this.#giveUp())
      return
    }
    const opening = this.#open()
    this.#links = opening
    opening
      .then(links => {
        links.changed(current => this.#look(current))
        this.#look(links.current())
      })
      .catch(() => this.#giveUp())
  }

  forget(gone: () => void): void {
    this.#waiting.delete(gone)
    this.#rest()
  }

  #look(links: readonly Link[]): void {
    for (const [gone, index] of [...this.#waiting]) {
      const link = links.find(one => one.index === index)
      if (link && !link.up) continue
      this.#waiting.delete(gone)
      if (!link) gone()
    }
    this.#rest()
  }

  /** Without link events nobody can wait: better to open a socket anew than to hold a dead one. */
  #giveUp(): void {
    this.#links = undefined
    for (const gone of [...this.#waiting.keys()]) {
      this.#waiting.delete(gone)
      gone()
    }
  }

  #rest(): void {
    const links = this.#links
    if (this.#waiting.size > 0 || !links) return
    this.#links = undefined
    links.then(open => open[Symbol.asyncDispose]()).catch(() => {})
  }
}
