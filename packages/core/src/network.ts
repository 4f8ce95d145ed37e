import type { Duplex } from 'node:stream'

/** An IP address (literal, canonical) and a port. */
export interface Endpoint {
  readonly address: string
  readonly port: number
}

/** Ways of opening an IP socket that Node itself lacks. A network that cannot do one of them throws `NETWORK_UNSUPPORTED`. */
export interface SocketOptions {
  /** Bind to this interface or VRF device (SO_BINDTODEVICE). */
  readonly device?: string
  /** TTL or hop limit of what we send. */
  readonly ttl?: number
  /** Drop what arrives with a lower TTL or hop limit (RFC 5082). */
  readonly minimumTtl?: number
}

/** TCP-MD5 (RFC 2385): segments from and to `address` are signed with `key`. */
export interface Md5Key {
  readonly address: string
  readonly prefixLength?: number
  readonly key: string
}

/** Best effort: gossip, BFD. `receive` handlers see a view that is only valid during the call. */
export interface Datagrams extends AsyncDisposable {
  readonly local: Endpoint
  /** Never throws for what the network does; what could not be sent counts as lost. */
  send(to: Endpoint, bytes: Uint8Array): void
  receive(handle: (from: Endpoint, bytes: Uint8Array, info: { readonly ttl?: number }) => void): void
}

/** A listening TCP socket. */
export interface Streams extends AsyncDisposable {
  readonly local: Endpoint
  accept(handle: (stream: Stream) => void): void
  /** Replaces the keys that connections must be signed with. */
  setMd5Keys?(keys: readonly Md5Key[]): void
}

/** A connected TCP stream: a `node:net` Socket, or a pair in memory. */
export interface Stream extends Duplex {
  readonly local: Endpoint
  readonly remote: Endpoint
  /** Gives a stream that was accepted a TTL and a least TTL of its own, instead of those of its listener. */
  limitTtl?(options: Pick<SocketOptions, 'ttl' | 'minimumTtl'>): void
}

/** One instruction of a classic BPF program (`struct sock_filter`). */
export interface BpfInstruction {
  readonly code: number
  readonly jt: number
  readonly jf: number
  readonly k: number
}

/** Raw frames of one EtherType on one interface, without those we sent ourselves. */
export interface Frames extends AsyncDisposable {
  /** Sends a whole Ethernet frame. Never throws for what the network does; a frame that could not be sent is counted. */
  send(frame: Uint8Array): void
  /** Each call gets one frame; the view is only valid during the call. */
  receive(handle: (frame: Uint8Array) => void): void
  /** Frames for which the program returns 0 never reach `receive`. Replaces an earlier program atomically. */
  setFilter(program: readonly BpfInstruction[]): void
  /** Called once when the socket is of no more use (interface gone); the owner then opens another. */
  closed(handle: (error: Error) => void): void
  readonly stats: {
    readonly received: number
    readonly sent: number
    readonly sendErrors: number
    readonly dropped: number
  }
}

/** ICMPv6 messages on one interface. What arrives with another hop limit than 255 is dropped; what we send carries 255. */
export interface Icmp6 extends AsyncDisposable {
  send(to: string, message: Uint8Array): void
  receive(handle: (from: string, message: Uint8Array) => void): void
  /** Joins a multicast group on the interface (counted once, whoever asked before); MLD tells the switch. */
  join(group: string): void
  leave(group: string): void
}

/** A network interface as the kernel shows it. */
export interface Link {
  readonly index: number
  readonly name: string
  /** 6 bytes on Ethernet; empty where there is no such address. */
  readonly mac: Uint8Array
  readonly mtu: number
  /** Administratively up (IFF_UP). */
  readonly up: boolean
  /** Has carrier (IFF_LOWER_UP). */
  readonly carrier: boolean
  readonly broadcast: boolean
  readonly loopback: boolean
  /** IFF_NOARP */
  readonly noArp: boolean
  /** Index of the bridge, bond or VRF that this interface belongs to. */
  readonly master?: number
  readonly addresses: readonly LinkAddress[]
}

/** An address of an interface. */
export interface LinkAddress {
  readonly address: string
  readonly prefixLength: number
  readonly scope: 'global' | 'link' | 'host' | 'site'
  /** Still being checked for duplicates, or found to be one (IFA_F_TENTATIVE, IFA_F_DADFAILED). */
  readonly usable: boolean
}

/** The host's interfaces, kept up to date by the kernel's own notices. */
export interface Links extends AsyncDisposable {
  /** As of now; a new array whenever anything changed, the same one otherwise. */
  current(): readonly Link[]
  changed(handle: (links: readonly Link[]) => void): void
}

/** Everything that leaves the process. `@carillon/sockets` is the real one, `MemoryNetwork` the one for tests. */
export interface Network {
  /** `reuse`: the port may be shared with other sockets of the same user, which all ask for it (SO_REUSEPORT). */
  datagrams(at: Endpoint, options?: SocketOptions & { readonly reuse?: boolean }): Promise<Datagrams>
  listen(at: Endpoint, options?: SocketOptions & { readonly md5?: readonly Md5Key[] }): Promise<Streams>
  connect(
    to: Endpoint,
    options?: SocketOptions & {
      readonly from?: Partial<Endpoint>
      readonly md5?: Md5Key
      readonly timeoutMs?: number
    },
  ): Promise<Stream>
  /** `filter`: in force before the first frame is delivered. */
  frames(link: number, etherType: number, filter?: readonly BpfInstruction[]): Promise<Frames>
  /** `types`: the ICMPv6 types to receive. */
  icmp6(link: number, types: readonly number[]): Promise<Icmp6>
  links(): Promise<Links>
}
