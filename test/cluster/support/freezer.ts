import type { Clock, Datagrams, Endpoint, Network, Stream, Streams } from '@carillon/core'

type Receive = Parameters<Datagrams['receive']>[0]

/**
 * A process that can be stopped and resumed, as by SIGSTOP. While it is stopped its timers do not run, though time goes on, and what
 * arrives waits in its sockets. Resumed, it runs the timers first that fell due, and then reads what arrived, as Node does.
 */
export class Freezer {
  readonly clock: Clock
  readonly network: Network
  readonly #timers: (() => void)[] = []
  readonly #arrived: (() => void)[] = []
  #frozen = false

  constructor(clock: Clock, network: Network) {
    this.clock = {
      now: () => clock.now(),
      date: () => clock.date(),
      after: (ms, run) => {
        let cancelled = false
        const cancel = clock.after(ms, () => {
          if (!this.#frozen) return run()
          this.#timers.push(() => {
            if (!cancelled) run()
          })
        })
        return () => {
          cancelled = true
          cancel()
        }
      },
    }
    this.network = {
      datagrams: async (at, options) => this.#datagrams(await network.datagrams(at, options)),
      listen: async (at, options) => this.#streams(await network.listen(at, options)),
      connect: (to, options) => network.connect(to, options),
      frames: (link, type, filter) => network.frames(link, type, filter),
      icmp6: (link, types) => network.icmp6(link, types),
      links: () => network.links(),
    }
  }

  freeze(): void {
    this.#frozen = true
  }

  thaw(): void {
    this.#frozen = false
    for (const run of this.#timers.splice(0)) run()
    for (const run of this.#arrived.splice(0)) run()
  }

  #later(run: () => void): void {
    if (!this.#frozen) run()
    else if (this.#arrived.length < 1000) this.#arrived.push(run)
  }

  #datagrams(socket: Datagrams): Datagrams {
    return {
      local: socket.local,
      send: (to: Endpoint, bytes: Uint8Array) => socket.send(to, bytes),
      receive: (handle: Receive) =>
        socket.receive((from, bytes, details) => {
          if (!this.#frozen) return handle(from, bytes, details)
          const copy = bytes.slice()
          this.#later(() => handle(from, copy, details))
        }),
      [Symbol.asyncDispose]: () => socket[Symbol.asyncDispose](),
    }
  }

  #streams(listener: Streams): Streams {
    return {
      local: listener.local,
      accept: (handle: (stream: Stream) => void) =>
        listener.accept(stream => this.#later(() => handle(stream))),
      [Symbol.asyncDispose]: () => listener[Symbol.asyncDispose](),
    }
  }
}
