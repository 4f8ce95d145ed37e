/** The ports of nodes that Services can have; TCP and UDP apart. */
export class PortPool {
  readonly #first: number
  readonly #last: number
  readonly #used = new Set<string>()
  #next: number

  constructor(first = 30000, last = 32767) {
    this.#first = first
    this.#last = last
    this.#next = first
  }

  /** A port that is free for these protocols; nothing when there is none left. */
  next(protocols: readonly string[]): number | undefined {
    for (let tried = this.#first; tried <= this.#last; tried++) {
      const port = this.#next
      this.#next = port === this.#last ? this.#first : port + 1
      if (protocols.every(protocol => !this.#used.has(`${protocol}/${port}`))) {
        for (const protocol of protocols) this.#used.add(`${protocol}/${port}`)
        return port
      }
    }
    return undefined
  }

  /** Takes one port; says why not where it cannot. */
  take(protocol: string, port: number): string | undefined {
    if (port < this.#first || port > this.#last)
      return `provided port is not in the valid range. The range of valid ports is ${this.#first}-${this.#last}`
    if (this.#used.has(`${protocol}/${port}`)) return 'provided port is already allocated'
    this.#used.add(`${protocol}/${port}`)
    return undefined
  }

  /** Gives a port back. */
  free(protocol: string, port: number): void {
    this.#used.delete(`${protocol}/${port}`)
  }
}
