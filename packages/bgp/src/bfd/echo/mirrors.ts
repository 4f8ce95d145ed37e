import { type Datagrams, familyOf, type Network } from '@carillon/core'
import type { SessionKey } from '../options.ts'
import { ECHO_PORT, FULL_TTL } from '../ports.ts'
import { everyAddress } from '../source.ts'

const textOf = ({ device = '', peer }: SessionKey): string => `${familyOf(peer)} ${device}`

/**
 * Sockets that send back what a peer addresses to us: as FRR's echo packets over IPv6 are, which it expects to return with a hop limit of
 * 254. Where another program has the port there is no mirror, and no harm: other peers' echo packets take another way.
 */
export class Mirrors implements AsyncDisposable {
  readonly #network: Network
  readonly #dropped: () => void
  readonly #open = new Map<string, Promise<Datagrams | undefined>>()
  #keys: readonly SessionKey[] = []

  constructor(network: Network, dropped: () => void) {
    this.#network = network
    this.#dropped = dropped
  }

  /** Sends back what comes from the peers of these sessions, and nothing else. */
  serve(keys: readonly SessionKey[]): void {
    this.#keys = keys
    const wanted = new Map(keys.map(key => [textOf(key), key]))
    for (const [text, key] of wanted) if (!this.#open.has(text)) this.#open.set(text, this.#listen(key))
    for (const [text, opening] of this.#open) {
      if (wanted.has(text)) continue
      this.#open.delete(text)
      void close(opening)
    }
  }

  async #listen({ device, peer }: SessionKey): Promise<Datagrams | undefined> {
    try {
      const socket = await this.#network.datagrams(
        { address: everyAddress(peer), port: ECHO_PORT },
        {
          ttl: FULL_TTL - 1,
          minimumTtl: FULL_TTL,
          reuse: true,
          ...(device !== undefined && { device }),
        },
      )
      socket.receive((from, bytes, { ttl }) => {
        const address = from.address.split('%')[0]
        const known = this.#keys.some(key => key.peer === address && key.device === device)
        if (ttl === FULL_TTL && known) socket.send(from, bytes)
        else this.#dropped()
      })
      return socket
    } catch {
      return undefined
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const all = [...this.#open.values()]
    this.#open.clear()
    await Promise.all(all.map(close))
  }
}

async function close(opening: Promise<Datagrams | undefined>): Promise<void> {
  const socket = await opening
  await socket?.[Symbol.asyncDispose]()
}
