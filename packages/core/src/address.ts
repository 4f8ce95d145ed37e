import { CarillonError } from './errors.ts'

/** An address family: IPv4 or IPv6. */
export type Family = 4 | 6

/** An IP address as bytes: 4 of them or 16. Compare as text (`formatAddress`) or byte by byte. */
export type AddressBytes = Uint8Array

const v4Text = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/

function parseV4(text: string): Uint8Array | undefined {
  const match = v4Text.exec(text)
  if (!match) return undefined
  const bytes = new Uint8Array(4)
  for (let i = 0; i < 4; i++) {
    const part = match[i + 1] as string
    // Leading zeros are refused, as Go's net package refuses them: some programs read them as octal.
    if (part.length > 1 && part.startsWith('0')) return undefined
    const value = Number(part)
    if (value > 255) return undefined
    bytes[i] = value
  }
  return bytes
}

function parseV6(text: string): Uint8Array | undefined {
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const words = (half: string): number[] | undefined => {
    if (half === '') return []
    const parts = half.split(':')
    const out: number[] = []
    for (const [i, part] of parts.entries()) {
      if (i === parts.length - 1 && part.includes('.')) {
        const v4 = parseV4(part)
        if (!v4) return undefined
        const [a, b, c, d] = v4 as unknown as [number, number, number, number]
        out.push((a << 8) | b, (c << 8) | d)
      } else if (/^[0-9a-fA-F]{1,4}$/.test(part)) out.push(Number.parseInt(part, 16))
      else return undefined
    }
    return out
  }
  const head = words(halves[0] as string)
  if (!head) return undefined
  let all = head
  if (halves.length === 2) {
    // An embedded IPv4 part may only come last, so never before "::".
    if ((halves[0] as string).includes('.')) return undefined
    const tail = words(halves[1] as string)
    if (!tail) return undefined
    const zeros = 8 - head.length - tail.length
    if (zeros < 1) return undefined
    all = [...head, ...new Array<number>(zeros).fill(0), ...tail]
  }
  if (all.length !== 8) return undefined
  const bytes = new Uint8Array(16)
  for (const [i, word] of all.entries()) {
    bytes[2 * i] = word >>> 8
    bytes[2 * i + 1] = word & 0xff
  }
  return bytes
}

/**
 * Reads an IPv4 or IPv6 literal (no zone, no prefix length). An IPv4-mapped IPv6 literal gives the IPv4 address, as Go's
 * `net.IP` does, so that one address has one text. Gives undefined for anything else.
 */
export function tryParseAddress(text: string): AddressBytes | undefined {
  const bytes = text.includes(':') ? parseV6(text) : parseV4(text)
  return bytes && unmap(bytes)
}

/** As `tryParseAddress`, but throws `BAD_ADDRESS`. */
export function parseAddress(text: string): AddressBytes {
  const bytes = tryParseAddress(text)
  if (!bytes) throw new CarillonError('BAD_ADDRESS', `"${text}" is not an IP address`, { text })
  return bytes
}

/** The IPv4 address inside an IPv4-mapped IPv6 address; any other address as it is. */
export function unmap(bytes: AddressBytes): AddressBytes {
  if (bytes.length !== 16) return bytes
  for (let i = 0; i < 10; i++) if (bytes[i] !== 0) return bytes
  return bytes[10] === 0xff && bytes[11] === 0xff ? bytes.subarray(12) : bytes
}

/** The family of an address, as bytes or as text. */
export function familyOf(address: AddressBytes | string): Family {
  if (typeof address === 'string') return address.includes(':') ? 6 : 4
  return address.length === 4 ? 4 : 6
}

/** Canonical text: dotted quad, or RFC 5952 (lower case, the first longest run of two or more zero words as "::"). */
export function formatAddress(bytes: AddressBytes): string {
  if (bytes.length === 4) return `${bytes[0]}.${bytes[1]}.${bytes[2]}.${bytes[3]}`
  const words: number[] = []
  for (let i = 0; i < 16; i += 2) words.push(((bytes[i] as number) << 8) | (bytes[i + 1] as number))
  let best = -1
  let bestLength = 1
  for (let i = 0; i < 8; ) {
    if (words[i] !== 0) {
      i++
      continue
    }
    let end = i
    while (end < 8 && words[end] === 0) end++
    if (end - i > bestLength) {
      best = i
      bestLength = end - i
    }
    i = end
  }
  const hex = (part: number[]): string => part.map(word => word.toString(16)).join(':')
  if (best < 0) return hex(words)
  return `${hex(words.slice(0, best))}::${hex(words.slice(best + bestLength))}`
}

/** The canonical text of an address in any spelling; undefined when it is not an address. */
export function canonicalAddress(text: string): string | undefined {
  const bytes = tryParseAddress(text)
  return bytes && formatAddress(bytes)
}

/** Byte order; an IPv4 address comes before any IPv6 address. */
export function compareAddresses(a: AddressBytes, b: AddressBytes): number {
  if (a.length !== b.length) return a.length - b.length
  for (let i = 0; i < a.length; i++) {
    const difference = (a[i] as number) - (b[i] as number)
    if (difference !== 0) return difference
  }
  return 0
}

/** The first address of the block that `address` lies in. */
export function maskAddress(address: AddressBytes, prefixLength: number): AddressBytes {
  const out = address.slice()
  for (let i = 0; i < out.length; i++) {
    const bits = Math.min(8, Math.max(0, prefixLength - 8 * i))
    out[i] = (out[i] as number) & (0xff << (8 - bits))
  }
  return out
}

/** A MAC address as bytes, from its colon-separated text; undefined when it is none. */
export function tryParseMac(text: string): Uint8Array | undefined {
  if (!/^[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}$/.test(text)) return undefined
  return Uint8Array.from(text.split(':'), part => Number.parseInt(part, 16))
}

/** `02:00:00:00:00:01` */
export function formatMac(bytes: Uint8Array): string {
  return Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join(':')
}

/** `10.0.0.1:80`, `[2001:db8::1]:80` */
export function formatEndpoint({
  address,
  port,
}: {
  readonly address: string
  readonly port: number
}): string {
  return familyOf(address) === 6 ? `[${address}]:${port}` : `${address}:${port}`
}
