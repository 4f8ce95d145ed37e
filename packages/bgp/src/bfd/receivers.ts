import type { Datagrams, Network } from '@carillon/core'

/** Where packets come in: what tells one socket from another. */
export interface Inlet {
  readonly port: number
  /** The address that they are sent to, or that of all addresses of a family. */
  readonly address: string
  readonly device: string | undefined
  /** Of the device, which may go and come back as another one. */
  readonly deviceIndex: number | undefined
  /** What arrives with less is dropped in the kernel. */
  readonly minimumTtl: number | undefined
}

/** Gets a packet, with the address of its sender; the bytes are valid during the call only. */
export type Receive = (inlet: Inlet, from: string, bytes: Uint8Array, ttl: number | undefined) => void

interface Shared {
  readonly port: number
  readonly opening: Promise<Datagrams>
  users: number
}

const textOf = ({ port, address, device = '', deviceIndex = 0 }: Inlet): string =>
  `${port} ${address} ${device} ${deviceIndex}`

/** The sockets that packets are received on. Sessions share them; the last one that lets go closes it. */
export class Receivers {
  readonly #network: Network
  readonly #receive: Receive
  readonly #open = new Map<string, Shared>()
  /** One is opened after the other. */
  #turn: Promise<unknown> = Promise.resolve()

  constructor(network: Network, receive: Receive) {
    this.#network = network
    this.#receive = receive
  }

  /** Resolves once packets are received; the function that it gives lets go. Rejects with what the network says. */
  async acquire(inlet: Inlet): Promise<() => Promise<void>> {
    const text = textOf(inlet)
    const shared = this.#open.get(text) ?? this.#share(text, inlet)
    shared.users++
    const release = async (): Promise<void> => {
      if (--shared.users > 0) return
      this.#open.delete(text)
      const socket = await shared.opening.catch(() => undefined)
      await socket?.[Symbol.asyncDispose]()
    }
    try {
      await shared.opening
    } catch (error) {
      await release()
      throw error
    }
    return release
  }

  #share(text: string, inlet: Inlet): Shared {
    const alone = ![...this.#open.values()].some(({ port }) => port === inlet.port)
    const opening = this.#turn.then(() => this.#listen(inlet, alone))
    this.#turn = opening.catch(() => {})
    const shared = { port: inlet.port, opening, users: 0 }
    this.#open.set(text, shared)
    return shared
  }

  async #listen(inlet: Inlet, alone: boolean): Promise<Datagrams> {
    const { address, device, minimumTtl, port } = inlet
    const at = { address, port }
    const options = {
      ...(device !== undefined && { device }),
      ...(minimumTtl !== undefined && { minimumTtl }),
    }
    if (alone) {
      // Our own sockets share the port; that no other speaker has it shows only in one that does not.
      const probe = await this.#network.datagrams(at, options)
      await probe[Symbol.asyncDispose]()
    }
    const socket = await this.#network.datagrams(at, { ...options, reuse: true })
    socket.receive((from, bytes, { ttl }) => this.#receive(inlet, from.address, bytes, ttl))
    return socket
  }
}
