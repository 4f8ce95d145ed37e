/** Nanoseconds in each unit that Go knows. */
const units: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  '\u00b5s': 1_000n,
  '\u03bcs': 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
}

const whole = /^([+-]?)((?:\d+\.?\d*|\.\d+)(?:ns|us|\u00b5s|\u03bcs|ms|s|m|h))+$/
const part = /(\d*)\.?(\d*)(ns|us|\u00b5s|\u03bcs|ms|s|m|h)/g
const limit = 2n ** 63n

/** The nanoseconds of a Go duration; undefined when the text is none or leaves the 64 bits that Go has. */
function nanoseconds(text: string): bigint | undefined {
  if (/^[+-]?0$/.test(text)) return 0n
  if (text.length > 1024 || !whole.test(text)) return undefined
  let total = 0n
  for (const [, integer = '', fraction = '', unit = ''] of text.matchAll(part)) {
    const scale = units[unit] as bigint
    // Go rounds a fraction down to whole nanoseconds, unit by unit.
    total +=
      BigInt(integer || '0') * scale + (BigInt(fraction || '0') * scale) / 10n ** BigInt(fraction.length)
  }
  const negative = text.startsWith('-')
  if (total > limit || (total === limit && !negative)) return undefined
  return negative ? -total : total
}

/**
 * Reads a duration as Go and Kubernetes write it: "1m30s", "500ms", "1.5h", "-2s", "0". Gives milliseconds (a fraction
 * where the text is finer), undefined for anything else.
 */
export function tryParseDuration(text: string): number | undefined {
  const ns = nanoseconds(text)
  return ns === undefined ? undefined : Number(ns / 1_000_000n) + Number(ns % 1_000_000n) / 1e6
}

/** Writes milliseconds as Go does: "1m30s", "500ms", "1.5s", "0s". Finer than a nanosecond is dropped. */
export function formatDuration(ms: number): string {
  const ns = BigInt(Math.round(ms * 1e6))
  if (ns === 0n) return '0s'
  const sign = ns < 0n ? '-' : ''
  const left = ns < 0n ? -ns : ns
  const decimal = (value: bigint, scale: bigint): string => {
    const fraction = (value % scale)
      .toString()
      .padStart(scale.toString().length - 1, '0')
      .replace(/0+$/, '')
    return fraction === '' || scale === 1n ? `${value / scale}` : `${value / scale}.${fraction}`
  }
  if (left < 1_000n) return `${sign}${left}ns`
  if (left < 1_000_000n) return `${sign}${decimal(left, 1_000n)}\u00b5s`
  if (left < 1_000_000_000n) return `${sign}${decimal(left, 1_000_000n)}ms`
  const hours = left / 3_600_000_000_000n
  const minutes = (left / 60_000_000_000n) % 60n
  const seconds = decimal(left % 60_000_000_000n, 1_000_000_000n)
  if (hours > 0n) return `${sign}${hours}h${minutes}m${seconds}s`
  return minutes > 0n ? `${sign}${minutes}m${seconds}s` : `${sign}${seconds}s`
}
