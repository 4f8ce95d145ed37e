import { type Endpoint, formatAddress } from '@carillon/core'
import { linux, littleEndian } from './linux.ts'
import { inetName, parseScoped, readInetName, type ScopedAddress, type Zones } from './sockaddr.ts'

/** Entries kept each way; beyond that all are forgotten, so that strangers cannot make us grow. */
const KEPT = 4096

/** `10.0.0.1:7946`, `[fe80::1%eth0]:7946`. */
export function endpointText({ address, port }: Endpoint): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}

/** Turns endpoints into socket addresses and back, remembering those seen: who sends once mostly sends again. */
export class Endpoints {
  readonly #family: 4 | 6
  readonly #zones: Zones
  readonly #scope: number
  readonly #names = new Map<string, Map<number, Uint8Array>>()
  readonly #known = new Map<number | string, Endpoint>()

  /** `family` is the socket's; `scope` the interface for link-local addresses without a zone. */
  constructor(family: 4 | 6, zones: Zones, scope: number) {
    this.#family = family
    this.#zones = zones
    this.#scope = scope
  }

  /** The socket address of an endpoint. Throws `BAD_ADDRESS`. */
  nameOf(to: Endpoint): Uint8Array {
    let ports = this.#names.get(to.address)
    const kept = ports?.get(to.port)
    if (kept) return kept
    const name = inetName(this.#family, this.scoped(to.address), to.port)
    if (!ports) {
      if (this.#names.size >= KEPT) this.#names.clear()
      ports = new Map()
      this.#names.set(to.address, ports)
    } else if (ports.size >= KEPT) ports.clear()
    ports.set(to.port, name)
    return name
  }

  /** An address with its zone, or with that of the socket's device. Throws `BAD_ADDRESS`. */
  scoped(address: string): ScopedAddress {
    const parsed = parseScoped(address, this.#zones)
    return parsed.scope === 0 && this.#scope !== 0 ? { bytes: parsed.bytes, scope: this.#scope } : parsed
  }

  /** The endpoint in a socket address that the kernel wrote: the same object for the same address. */
  endpointOf(name: Uint8Array): Endpoint {
    const key = keyOf(name)
    const kept = this.#known.get(key)
    if (kept) return kept
    const endpoint = readInetName(name, this.#zones)
    if (this.#known.size >= KEPT) this.#known.clear()
    this.#known.set(key, endpoint)
    return endpoint
  }
}

/** IPv4 address and port make one safe integer; IPv6 needs text. */
function keyOf(name: Uint8Array): number | string {
  const at = (i: number): number => name[i] as number
  const port = at(2) * 256 + at(3)
  if ((littleEndian ? at(0) : at(1)) === linux.AF_INET) {
    return (((at(4) * 256 + at(5)) * 256 + at(6)) * 256 + at(7)) * 65536 + port
  }
  let text = `${port}`
  for (let i = 8; i < 28; i += 4) {
    text += `:${((at(i) << 24) | (at(i + 1) << 16) | (at(i + 2) << 8) | at(i + 3)) >>> 0}`
  }
  return text
}

/** The family an endpoint's address belongs to; `::` accepts IPv4 as well. */
export function socketFamily(address: string): 4 | 6 {
  return address.includes(':') ? 6 : 4
}

/** Canonical text of an address that Node or the kernel gave, IPv4-mapped ones as IPv4; a zone stays. */
export function plainAddress(address: string, zones: Zones): string {
  const { bytes } = parseScoped(address, zones)
  const percent = address.indexOf('%')
  return percent < 0 ? formatAddress(bytes) : `${formatAddress(bytes)}${address.slice(percent)}`
}
