import { CarillonError } from '@carillon/core'

/** How an `arp` or `ndp` announcer behaves. */
export interface Layer2Options {
  /**
   * The only interfaces to speak on, by name.
   * @default 'all'
   */
  readonly interfaces?: 'all' | readonly string[]
  /**
   * Interfaces never to speak on: regular expressions, each searched for anywhere in the name.
   * @default those of container runtimes and overlays, see `defaultExcludedInterfaces`
   */
  readonly excludeInterfaces?: readonly string[]
  /**
   * How often an address is announced unasked after a takeover, the first time at once.
   * @default 5
   */
  readonly rounds?: number
  /**
   * Milliseconds from one of these announcements to the next.
   * @default 1100
   */
  readonly roundIntervalMs?: number
  /**
   * Milliseconds from one announcement to the next for as long as the address is held; 0 for none.
   * @default 0
   */
  readonly refreshMs?: number
  /**
   * Milliseconds for which another station may claim an address of ours before it counts as a conflict. While an address
   * moves, the old owner hears the new one for a moment: that is none.
   * @default 1000
   */
  readonly conflictGraceMs?: number
  /**
   * Whether to announce an address again when another station claims it (RFC 5227 section 2.4), at most every 10 s.
   * @default true
   */
  readonly defend?: boolean
}

/** Options with every default filled in and every value checked. */
export interface Layer2Settings {
  readonly interfaces: 'all' | ReadonlySet<string>
  readonly excluded: readonly RegExp[]
  readonly rounds: number
  readonly roundIntervalMs: number
  readonly refreshMs: number
  readonly conflictGraceMs: number
  readonly defend: boolean
}

/** Interfaces of container runtimes, overlays and the host itself, on which no client waits for an answer. */
export const defaultExcludedInterfaces: readonly string[] = Object.freeze([
  '^docker.*',
  '^cbr.*',
  '^dummy.*',
  '^virbr.*',
  '^lxcbr.*',
  '^veth.*',
  '^lo$',
  '^cali.*',
  '^tunl.*',
  '^flannel.*',
  '^kube-ipvs.*',
  '^cni.*',
  '^nodelocaldns.*',
  '^lxc.*',
])

/** What an announcer does unless it is told otherwise. */
export const defaultOptions: Required<Layer2Options> = Object.freeze({
  interfaces: 'all',
  excludeInterfaces: defaultExcludedInterfaces,
  rounds: 5,
  roundIntervalMs: 1100,
  refreshMs: 0,
  conflictGraceMs: 1000,
  defend: true,
})

const bad = (field: string, value: unknown, wanted: string): CarillonError =>
  new CarillonError('BAD_OPTIONS', `${field} is ${JSON.stringify(value)}: give ${wanted}`, { field })

function pattern(source: unknown, at: number): RegExp {
  const field = `excludeInterfaces[${at}]`
  if (typeof source !== 'string') throw bad(field, source, 'a regular expression as text')
  try {
    return new RegExp(source)
  } catch (cause) {
    throw new CarillonError(
      'BAD_OPTIONS',
      `${field} is "${source}", which is not a regular expression: correct or remove it`,
      { field, value: source },
      { cause },
    )
  }
}

/** Fills in defaults and checks every value. Throws `BAD_OPTIONS` that names the field. */
export function settle(options: Layer2Options = {}): Layer2Settings {
  const { interfaces, excludeInterfaces, defend, ...numbers } = { ...defaultOptions, ...options }
  const { rounds, roundIntervalMs, refreshMs, conflictGraceMs } = numbers
  for (const [field, value] of Object.entries({ rounds, roundIntervalMs, refreshMs, conflictGraceMs })) {
    if (!Number.isFinite(value) || value < 0) throw bad(field, value, 'a number from 0 up')
  }
  if (!Number.isInteger(rounds) || rounds < 1) throw bad('rounds', rounds, 'a whole number from 1 up')
  // Shorter ones would only load the segment: no receiver learns more from a round every millisecond.
  if (rounds > 1 && roundIntervalMs < 10) throw bad('roundIntervalMs', roundIntervalMs, 'at least 10')
  if (refreshMs > 0 && refreshMs < 1000) throw bad('refreshMs', refreshMs, '0, or at least 1000')
  if (typeof defend !== 'boolean') throw bad('defend', defend, 'true or false')
  const names = readInterfaces(interfaces)
  if (!names) throw bad('interfaces', interfaces, "'all' or a list of names")
  if (!Array.isArray(excludeInterfaces))
    throw bad('excludeInterfaces', excludeInterfaces, 'a list of regular expressions')
  const excluded = excludeInterfaces.map(pattern)
  return Object.freeze({
    interfaces: names,
    excluded,
    rounds,
    roundIntervalMs,
    refreshMs,
    conflictGraceMs,
    defend,
  })
}

/** A choice of interfaces as options and advertisements give it (none given: all); undefined when it is neither of them. */
export function readInterfaces(value: unknown): 'all' | ReadonlySet<string> | undefined {
  if (value === undefined || value === 'all') return 'all'
  if (!Array.isArray(value) || !value.every(name => typeof name === 'string')) return undefined
  return new Set(value as string[])
}
