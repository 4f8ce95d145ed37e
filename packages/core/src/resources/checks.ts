import { tryParseDuration } from './duration.ts'

/** A rule about one value, beyond its type and bounds. */
export interface Check {
  /** The same rule for the API server. Absent where its schema lets the value pass and only a decoder would refuse it. */
  readonly cel?: string
  /** What is wrong when the rule does not hold. */
  readonly message: string
  /** Absent for rules that compare with the object as it was. */
  readonly holds?: (value: unknown) => boolean
}

const isDuration = (value: unknown): value is string =>
  typeof value === 'string' && tryParseDuration(value) !== undefined

/** Whole milliseconds of a duration, cut as CEL cuts them. */
const milliseconds = (value: string): number => Math.trunc(tryParseDuration(value) ?? 0)

/** Every rule, by the name under which schemas ask for it. */
export const checks = {
  duration: {
    message: 'is not a duration: write numbers with units, such as "90s", "1m30s" or "500ms"',
    holds: isDuration,
  },
  uint32: {
    message: 'must be from 0 to 4294967295',
    holds: value => typeof value !== 'number' || (value >= 0 && value <= 0xffffffff),
  },
  immutable: {
    cel: 'self == oldSelf',
    message: 'cannot be changed once it is set',
  },
  connectTimeRange: {
    cel: 'duration(self).getSeconds() >= 1 && duration(self).getSeconds() <= 65535',
    message: 'must be from 1s to 65535s',
    holds: value => {
      if (!isDuration(value)) return true
      const seconds = Math.trunc(milliseconds(value) / 1000)
      return seconds >= 1 && seconds <= 65535
    },
  },
  wholeSeconds: {
    cel: 'duration(self).getMilliseconds() % 1000 == 0',
    message: 'must be a whole number of seconds',
    holds: value => !isDuration(value) || milliseconds(value) % 1000 === 0,
  },
  unaggregated: {
    cel:
      '!has(self.serviceSelectors) || size(self.serviceSelectors) == 0 || ' +
      '((!has(self.aggregationLength) || self.aggregationLength == 32) && ' +
      '(!has(self.aggregationLengthV6) || self.aggregationLengthV6 == 128))',
    message:
      'has serviceSelectors, which need aggregationLength 32 and aggregationLengthV6 128: ' +
      'a wider prefix would carry Services that are not selected',
    holds: value => {
      const spec = value as {
        readonly serviceSelectors?: unknown
        readonly aggregationLength?: unknown
        readonly aggregationLengthV6?: unknown
      }
      if (!Array.isArray(spec.serviceSelectors) || spec.serviceSelectors.length === 0) return true
      return (spec.aggregationLength ?? 32) === 32 && (spec.aggregationLengthV6 ?? 128) === 128
    },
  },
} as const satisfies Readonly<Record<string, Check>>

export type CheckName = keyof typeof checks
