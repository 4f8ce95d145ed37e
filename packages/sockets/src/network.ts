import type {
  BpfInstruction,
  Datagrams,
  Endpoint,
  Frames,
  Links,
  Md5Key,
  Network,
  SocketOptions,
  Streams,
} from '@carillon/core'
import { type ConnectOptions, connectStream } from './connect.ts'
import { openDatagrams } from './datagrams.ts'
import { Departures } from './departures.ts'
import { openFrames } from './frames.ts'
import { openIcmp6, type SystemIcmp6 } from './icmp6.ts'
import { openLinks } from './links.ts'
import { openListener } from './listen.ts'
import { native } from './native.ts'
import type { SystemStream } from './stream.ts'

/** core's `Network` on this host: connected streams are `node:net` Sockets, ICMPv6 sockets count. */
export interface SystemNetwork extends Network {
  connect(to: Endpoint, options?: ConnectOptions): Promise<SystemStream>
  icmp6(link: number, types: readonly number[]): Promise<SystemIcmp6>
}

/**
 * The host's own network, in the network namespace of the calling thread. Sockets are opened during the call itself; what
 * cannot be opened rejects with a CarillonError (see `codes`), `SOCKETS_UNAVAILABLE` on anything but Linux.
 */
export function systemNetwork(): SystemNetwork {
  const departures = new Departures(() => openLinks(native()))
  return {
    async datagrams(
      at: Endpoint,
      options: SocketOptions & { readonly reuse?: boolean } = {},
    ): Promise<Datagrams> {
      return openDatagrams(native(), at, options)
    },
    async listen(
      at: Endpoint,
      options: SocketOptions & { readonly md5?: readonly Md5Key[] } = {},
    ): Promise<Streams> {
      return openListener(native(), at, options)
    },
    async connect(to: Endpoint, options: ConnectOptions = {}): Promise<SystemStream> {
      return connectStream(native(), to, options)
    },
    async frames(link: number, etherType: number, filter?: readonly BpfInstruction[]): Promise<Frames> {
      return openFrames(native(), departures, link, etherType, filter)
    },
    async icmp6(link: number, types: readonly number[]): Promise<SystemIcmp6> {
      return openIcmp6(native(), link, types)
    },
    async links(): Promise<Links> {
      return openLinks(native())
    },
  }
}
