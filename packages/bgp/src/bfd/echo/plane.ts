import { type Clock, type Family, type Frames, familyOf, type Network } from '@carillon/core'
import type { Devices } from '../devices.ts'
import { controlPorts } from '../ports.ts'
import { decodeUdpFrame, etherTypes } from '../wire/index.ts'
import { bfdFilter } from './filter.ts'
import { EchoLine, type EchoUser } from './line.ts'
import { Mirrors } from './mirrors.ts'
import { type Place, placeOf } from './place.ts'
import { sameBytes } from './same-bytes.ts'

const RETRY_MS = 5000
const KEY_BYTES = 8

/** What the echo plane is given. */
export interface EchoWorld {
  readonly network: Network
  readonly clock: Clock
  readonly random: () => number
  readonly devices: Devices
  /** An echo packet was dropped. */
  dropped(): void
}

/** A packet socket, for the lines whose peers are on its interface. */
interface Port {
  readonly place: Place
  readonly lines: Set<EchoLine>
  frames: Frames | undefined
  problem: string | undefined
}

interface Placement {
  place: Place | undefined
  port: Port | undefined
  /** What the line's user knows; null before it was told anything. */
  told: string | undefined | null
}

/**
 * The echo function of single-hop sessions (RFC 5880 section 6.4, RFC 5881 section 4). Our echo packets are addressed to ourselves and
 * handed to the peer's MAC address, so that its forwarding sends them back. Those of a peer are sent back from here, whatever our kernel
 * forwards.
 */
export class EchoPlane implements AsyncDisposable {
  readonly #world: EchoWorld
  readonly #lines = new Map<EchoLine, Placement>()
  readonly #ports = new Map<string, Port>()
  readonly #mirrors: Mirrors
  readonly #unwatch: () => void
  #cancelRetry: (() => void) | undefined

  constructor(world: EchoWorld) {
    this.#world = world
    this.#mirrors = new Mirrors(world.network, world.dropped)
    this.#unwatch = world.devices.watch(() => this.#settle())
  }

  /** Begins to look for a way to the peer; the user is told when there is one, and why there is none. */
  join(user: EchoUser): EchoLine {
    const { clock, devices, random } = this.#world
    const key = Uint8Array.from({ length: KEY_BYTES }, () => Math.floor(random() * 256))
    const line = new EchoLine(user, clock, key)
    this.#lines.set(line, { place: undefined, port: undefined, told: null })
    devices.look().then(
      () => this.#settle(),
      error => this.#tell(line, String(error)),
    )
    return line
  }

  leave(line: EchoLine): void {
    this.#lines.get(line)?.port?.lines.delete(line)
    this.#lines.delete(line)
    this.#settle()
  }

  /** Sends the session's next echo packet. False when there is no way to do so now. */
  send(line: EchoLine): boolean {
    const at = this.#lines.get(line)
    const frame = at?.place && line.next(at.place)
    if (!frame || !at.port?.frames) return false
    at.port.frames.send(frame)
    return true
  }

  /** Brings sockets in line with the sessions and the interfaces. */
  #settle(): void {
    for (const [line, at] of this.#lines) {
      const place = placeOf(this.#world.devices.current, line.user.key)
      const port = place && this.#portAt(place)
      if (at.port !== port) at.port?.lines.delete(line)
      port?.lines.add(line)
      at.place = place
      at.port = port
      if (port === undefined)
        this.#tell(line, `no Ethernet interface is in the network of ${line.user.key.peer}`)
      else if (port.problem !== undefined) this.#tell(line, port.problem)
      else if (port.frames) this.#tell(line, undefined)
    }
    for (const [text, port] of this.#ports) if (port.lines.size === 0) this.#close(text, port)
    this.#mirrors.serve([...this.#lines.keys()].map(({ user }) => user.key))
  }

  #tell(line: EchoLine, problem: string | undefined): void {
    const at = this.#lines.get(line)
    if (at === undefined || at.told === problem) return
    at.told = problem
    line.user.able(problem)
  }

  #portAt(place: Place): Port {
    const family: Family = familyOf(place.local)
    const text = `${place.link.index} ${family}`
    const known = this.#ports.get(text)
    if (known) return known
    const port: Port = { place, lines: new Set(), frames: undefined, problem: undefined }
    this.#ports.set(text, port)
    void this.#open(text, port, family)
    return port
  }

  async #open(text: string, port: Port, family: Family): Promise<void> {
    const etherType = family === 4 ? etherTypes.ipv4 : etherTypes.ipv6
    try {
      const frames = await this.#world.network.frames(port.place.link.index, etherType, bfdFilter(family))
      if (this.#ports.get(text) !== port) return void (await frames[Symbol.asyncDispose]())
      frames.receive(frame => this.#receive(port, frames, frame))
      frames.closed(error => this.#fail(port, error))
      port.frames = frames
    } catch (error) {
      this.#fail(port, error)
    }
    this.#settle()
  }

  #fail(port: Port, error: unknown): void {
    port.frames = undefined
    port.problem = error instanceof Error ? error.message : String(error)
    this.#cancelRetry ??= this.#world.clock.after(RETRY_MS, () => {
      this.#cancelRetry = undefined
      for (const [text, one] of this.#ports) if (one.problem !== undefined) this.#close(text, one)
      this.#settle()
    })
    this.#settle()
  }

  #close(text: string, port: Port): void {
    this.#ports.delete(text)
    void port.frames?.[Symbol.asyncDispose]().then(undefined, () => {})
  }

  #receive(port: Port, frames: Frames, bytes: Uint8Array): void {
    const frame = decodeUdpFrame(bytes)
    // A promiscuous interface shows frames for others, too.
    if (!frame || !sameBytes(frame.destinationMac, port.place.link.mac)) return
    if (frame.destinationPort === controlPorts.singleHop) {
      for (const line of port.lines) line.learn(frame)
      return
    }
    for (const line of port.lines) {
      if (line.takes(frame)) return
      const back = line.reflection(frame, port.place)
      if (back) {
        frames.send(back)
        return
      }
    }
    // What comes from a peer for us is for a mirror.
    if (![...port.lines].some(line => line.isFromPeer(frame))) this.#world.dropped()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#unwatch()
    this.#cancelRetry?.()
    this.#lines.clear()
    for (const [text, port] of this.#ports) this.#close(text, port)
    await this.#mirrors[Symbol.asyncDispose]()
  }
}
