const units: readonly (readonly [seconds: number, name: string])[] = [
  [86_400, 'd'],
  [3600, 'h'],
  [60, 'min'],
]

/** A time in words: `4 s`, `12 min`, `3 h`, `8 d`. */
export function lasting(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000))
  for (const [size, name] of units) if (seconds >= 2 * size) return `${Math.floor(seconds / size)} ${name}`
  return `${seconds} s`
}

/** A short time in words: `260 ms`, `1.4 s`. */
export function brief(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`
}

const numbers = new Intl.NumberFormat('en')

/** A number for people: `10,000`. */
export const number = (value: number): string => numbers.format(value)

/** A share for people: `7 %`. What is little, but something, is not called nothing. */
export function percent(share: number): string {
  if (share > 0 && share < 0.01) return '< 1 %'
  if (share < 1 && share > 0.99) return '> 99 %'
  return `${Math.round(share * 100)} %`
}

/** One or many: `1 address`, `3 addresses`. */
export const counted = (count: number, one: string, many = `${one}s`): string =>
  `${number(count)} ${count === 1 ? one : many}`

const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' })
const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' })

/** The time of day, with the day where that is another one: `14:03:21`, `3 Feb 14:03:21`. */
export function moment(at: string, now: number): string {
  const date = new Date(at)
  const today = new Date(now).toDateString() === date.toDateString()
  return today ? clock.format(date) : `${day.format(date)} ${clock.format(date)}`
}

/** Bytes for people: `84 MB`. */
export const megabytes = (bytes: number): string => `${number(Math.round(bytes / 1_000_000))} MB`

/** A few of many: `a, b, c and 7 more`. */
export function few(names: readonly string[], most = 4): string {
  if (names.length <= most + 1) return names.join(', ')
  return `${names.slice(0, most).join(', ')} and ${number(names.length - most)} more`
}
