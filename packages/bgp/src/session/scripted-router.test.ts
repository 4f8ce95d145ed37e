import type { Stream } from '@carillon/core'
import {
  FakeClock,
  type MemoryHost,
  MemoryNetwork,
  RecordingLogger,
  RecordingMetrics,
  seededRandom,
} from '@carillon/core/testing'
import { describe, expect, it } from 'vitest'
import { BgpSpeaker, type BgpSpeakerOptions } from '../speaker/bgp-speaker.ts'
import type { BgpPeer } from '../speaker/peer.ts'
import { decodeMessage, encodeMessage, endOfRibFamily, Framer } from '../wire/index.ts'
import type {
  Dialect,
  Message,
  NotificationMessage,
  OpenMessage,
  Prefix,
  UpdateMessage,
} from '../wire/message.ts'

// What the stories of this folder are told with.

const dialect: Dialect = { fourOctetAs: true, extendedMessage: false }

/** The OPEN of a router in AS 65002 that can do everything. */
export const routerOpen: OpenMessage = {
  type: 'open',
  version: 4,
  as: 65002,
  holdTime: 90,
  routerId: '10.0.0.254',
  capabilities: [
    { name: 'multiprotocol', afi: 1, safi: 1 },
    { name: 'multiprotocol', afi: 2, safi: 1 },
    { name: 'routeRefresh' },
    { name: 'enhancedRouteRefresh' },
    { name: 'fourOctetAs', as: 65002 },
  ],
}

const prefixText = ({ address, length }: Prefix): string =>
  `${address.length === 4 ? address.join('.') : Buffer.from(address).toString('hex')}/${length}`

/** One message in a few words: `open`, `+192.168.1.1/32`, `-192.168.1.1/32`, `end-of-rib ipv4`, `6/2`. */
export function inWords(message: Message): readonly string[] {
  switch (message.type) {
    case 'update': {
      const family = endOfRibFamily(message)
      if (family) return [`end-of-rib ${family}`]
      const { withdrawn, announced, attributes } = message
      return [
        ...[...withdrawn, ...(attributes.mpUnreach?.prefixes ?? [])].map(one => `-${prefixText(one)}`),
        ...[...announced, ...(attributes.mpReach?.prefixes ?? [])].map(one => `+${prefixText(one)}`),
      ]
    }
    case 'notification':
      return [`${message.code}/${message.subcode}`]
    case 'routeRefresh':
      return [`refresh ${message.subtype}`]
    default:
      return [message.type]
  }
}

/** One connection, at the router's end. Does nothing by itself. */
export class RouterEnd {
  readonly stream: Stream
  readonly messages: Message[] = []
  /** The other side has ended it. */
  ended = false
  readonly #framer = new Framer(true)

  constructor(stream: Stream, reads = true) {
    this.stream = stream
    this.ended = stream.destroyed
    stream.on('error', () => {})
    stream.on('end', () => {
      this.ended = true
      stream.end()
    })
    stream.on('close', () => {
      this.ended = true
    })
    if (reads) this.read()
  }

  /** Begins to read. */
  read(): void {
    this.stream.on('data', (piece: Buffer) => {
      this.#framer.push(new Uint8Array(piece))
      for (let bytes = this.#framer.next(); bytes; bytes = this.#framer.next())
        this.messages.push(decodeMessage(bytes, { ...dialect, extendedMessage: true }).message)
    })
  }

  send(...messages: readonly Message[]): void {
    for (const message of messages) this.raw(encodeMessage(message, dialect))
  }

  raw(bytes: Uint8Array): void {
    if (!this.stream.destroyed) this.stream.write(bytes)
  }

  /** All that was heard, in words. */
  heard(): readonly string[] {
    return this.messages.flatMap(inWords)
  }

  updates(): readonly UpdateMessage[] {
    return this.messages.filter(one => one.type === 'update')
  }

  notifications(): readonly NotificationMessage[] {
    return this.messages.filter(one => one.type === 'notification')
  }

  open(): OpenMessage | undefined {
    return this.messages.find(one => one.type === 'open')
  }
}

/** One speaker of ours at 10.0.0.1, and hosts around it. */
export class SessionLab {
  readonly clock: FakeClock = new FakeClock()
  readonly network: MemoryNetwork = new MemoryNetwork({ clock: this.clock, random: seededRandom(1) })
  readonly log: RecordingLogger = new RecordingLogger()
  readonly metrics: RecordingMetrics = new RecordingMetrics()
  readonly host: MemoryHost
  readonly speaker: BgpSpeaker
  /** `up tor`, `down tor CODE`, in order. */
  readonly events: string[] = []

  constructor(options: Partial<BgpSpeakerOptions> = {}) {
    this.host = this.network.host('node-a', '10.0.0.1', '2001:db8::1', 'fe80::1')
    this.host.setLink({
      name: 'eth0',
      addresses: [
        { address: '10.0.0.1', prefixLength: 24, scope: 'global', usable: true },
        { address: '2001:db8::1', prefixLength: 64, scope: 'global', usable: true },
        { address: 'fe80::1', prefixLength: 64, scope: 'link', usable: true },
      ],
    })
    this.speaker = new BgpSpeaker({
      clock: this.clock,
      network: this.host,
      random: seededRandom(2),
      log: this.log,
      metrics: this.metrics,
      node: 'node-a',
      ...options,
    })
    this.speaker.events.on('peer:up', peer => this.events.push(`up ${peer}`))
    this.speaker.events.on('peer:down', (peer, reason) => this.events.push(`down ${peer} ${reason.code}`))
  }

  /** A router that listens at this address; gives the connections made to it, in order. */
  async router(address: string, options: { readonly reads?: boolean } = {}): Promise<RouterEnd[]> {
    const ends: RouterEnd[] = []
    const listener = await this.network.host(address, address).listen({ address, port: 179 })
    listener.accept(stream => ends.push(new RouterEnd(stream, options.reads ?? true)))
    return ends
  }

  /** As `router`, but answers each OPEN and confirms it. */
  async friendly(address: string, change: Partial<OpenMessage> = {}): Promise<RouterEnd[]> {
    const ends: RouterEnd[] = []
    const listener = await this.network.host(address, address).listen({ address, port: 179 })
    listener.accept(stream => {
      const end = new RouterEnd(stream)
      ends.push(end)
      end.send({ ...routerOpen, routerId: address.includes(':') ? '10.0.0.253' : address, ...change })
      end.send({ type: 'keepalive' })
    })
    return ends
  }

  async start(...peers: readonly Partial<BgpPeer>[]): Promise<void> {
    this.speaker.setPeers(peers.map(change => peer(change)))
    await this.speaker.start()
    await this.settle()
  }

  settle(ms = 10): Promise<void> {
    return this.clock.advanceAsync(ms)
  }

  state(name = 'tor'): string {
    return this.speaker.session(name)?.state ?? 'none'
  }

  /** Code and words of what went wrong last. */
  error(name = 'tor'): readonly [code: string | undefined, message: string | undefined] {
    const error = this.speaker.session(name)?.lastError
    return [error?.code, error?.message]
  }

  async close(): Promise<void> {
    const closing = this.speaker.close()
    await this.settle(1000)
    await closing
  }
}

/** A peer of that name at 10.0.0.254 in AS 65002, of ours in AS 65001. */
export function peer(change: Partial<BgpPeer> = {}): BgpPeer {
  return { name: 'tor', myAsn: 65001, peerAsn: 65002, peerAddress: '10.0.0.254', ...change }
}

describe('a session with a scripted router', () => {
  it('opens, is confirmed, and ends when the speaker is closed', async () => {
    const lab = new SessionLab()
    const ends = await lab.friendly('10.0.0.254')
    await lab.start({})
    expect(lab.state()).toBe('Established')
    await lab.close()
    expect(ends.map(end => end.heard())).toEqual([['open', 'keepalive', 'end-of-rib ipv4', '6/2']])
    expect(ends[0]?.ended).toBe(true)
    expect(lab.events).toEqual(['up tor', 'down tor SESSION_STOPPED'])
  })
})
