import { type BfdProfile, CarillonError, canonicalAddress, familyOf } from '@carillon/core'

/** How a session behaves: core's `BfdProfile` without its name. */
export type BfdSettings = Omit<BfdProfile, 'name'>

/** What a profile is where it says nothing: as FRR, which MetalLB hands its profiles to. */
export const defaultBfdSettings: BfdSettings = Object.freeze({
  receiveIntervalMs: 300,
  transmitIntervalMs: 300,
  detectMultiplier: 3,
  echoIntervalMs: 50,
  echoMode: false,
  passiveMode: false,
  minimumTtl: 254,
})

/** A session to be: with whom, and how. */
export interface BfdSessionOptions {
  /** IPv4 or IPv6 address; a link-local one needs `device`, or its zone (`fe80::1%eth0`). */
  readonly peer: string
  /**
   * Source address of what we send, and the address that the peer sends to.
   * @default what the kernel's routes say
   */
  readonly local?: string
  /** Interface or VRF that the session is bound to. */
  readonly device?: string
  /**
   * The peer is behind routers (RFC 5883): port 4784, and TTLs from `minimumTtl` on are accepted. Without it the peer is on the same
   * segment (RFC 5881): port 3784, and only TTL 255 is accepted.
   * @default false
   */
  readonly multihop?: boolean
  /** @default defaultBfdSettings */
  readonly profile?: Partial<BfdSettings>
}

/** With whom a session is: what makes it another one. */
export interface SessionKey {
  /** Canonical, without a zone. */
  readonly peer: string
  readonly local: string | undefined
  readonly device: string | undefined
  readonly multihop: boolean
}

const bad = (field: string, why: string, value: string | number | boolean | undefined): CarillonError =>
  new CarillonError('BAD_BFD_OPTIONS', `BFD session: ${field}: ${why}`, { field, value })

function split(field: string, text: string): { readonly address: string; readonly zone: string | undefined } {
  const percent = text.indexOf('%')
  const address = canonicalAddress(percent < 0 ? text : text.slice(0, percent))
  const zone = percent < 0 ? undefined : text.slice(percent + 1)
  if (address === undefined || zone === '') throw bad(field, `"${text}" is not an IP address`, text)
  return { address, zone }
}

/** fe80::/10 */
export const isLinkLocal = (address: string): boolean => /^fe[89ab]/.test(address)

/** Checks with whom a session is to be. Throws `BAD_BFD_OPTIONS`. */
export function sessionKey(options: BfdSessionOptions): SessionKey {
  const { multihop = false } = options
  const peer = split('peer', options.peer)
  const local = options.local === undefined ? undefined : split('local', options.local)
  const device = options.device ?? peer.zone ?? local?.zone
  if (device === '') throw bad('device', 'it has to name an interface', device)
  for (const zone of [peer.zone, local?.zone])
    if (zone !== undefined && zone !== device)
      throw bad('device', `"${device}" is not the interface ${zone} that the address names`, device)
  if (local !== undefined && familyOf(local.address) !== familyOf(peer.address))
    throw bad(
      'local',
      `${local.address} and the peer ${peer.address} are of different families`,
      local.address,
    )
  if (isLinkLocal(peer.address)) {
    if (device === undefined)
      throw bad('device', `the link-local peer ${peer.address} needs the interface that it is on`, undefined)
    if (multihop) throw bad('multihop', `the link-local peer ${peer.address} cannot be behind a router`, true)
  }
  return { peer: peer.address, local: local?.address, device, multihop }
}

/** A text that is the same for the same key, and for no other. */
export const keyText = ({ peer, local = '', device = '', multihop }: SessionKey): string =>
  `${multihop ? 'multihop' : 'single'} ${peer} ${local} ${device}`

/** Smallest and largest value of each number. */
const ranges = {
  receiveIntervalMs: [10, 60_000],
  transmitIntervalMs: [10, 60_000],
  detectMultiplier: [1, 255],
  echoIntervalMs: [10, 60_000],
  minimumTtl: [1, 255],
} as const

/** Fills in the defaults and checks the values. Throws `BAD_BFD_OPTIONS`. */
export function bfdSettings(profile: Partial<BfdSettings> = {}): BfdSettings {
  const number = (field: keyof typeof ranges): number => {
    const value = profile[field] ?? defaultBfdSettings[field]
    const [min, max] = ranges[field]
    if (Number.isInteger(value) && value >= min && value <= max) return value
    throw bad(`profile.${field}`, `${value} is not a whole number from ${min} to ${max}`, value)
  }
  return Object.freeze({
    receiveIntervalMs: number('receiveIntervalMs'),
    transmitIntervalMs: number('transmitIntervalMs'),
    detectMultiplier: number('detectMultiplier'),
    echoIntervalMs: number('echoIntervalMs'),
    echoMode: profile.echoMode ?? defaultBfdSettings.echoMode,
    passiveMode: profile.passiveMode ?? defaultBfdSettings.passiveMode,
    minimumTtl: number('minimumTtl'),
  })
}
