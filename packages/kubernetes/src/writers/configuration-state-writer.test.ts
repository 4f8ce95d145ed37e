import type { Problem } from '@carillon/core'
import { describe, expect, it } from 'vitest'
import { configurationStatus } from './configuration-state-writer.ts'

const [monday, tuesday] = [new Date('2026-01-05T08:00:00.123Z'), new Date('2026-01-06T08:00:00Z')]
const controller = { type: 'controller' } as const

const error = (name: string): Problem => ({
  severity: 'error',
  kind: 'IPAddressPool',
  name,
  field: 'spec.addresses[0]',
  message: 'is no range',
})

describe('the state of the configuration', () => {
  it('is valid with nothing but warnings', () => {
    const warning: Problem = { ...error('p'), severity: 'warning' }
    expect(configurationStatus(controller, [warning], undefined, monday)).toEqual({
      result: 'Valid',
      conditions: [
        {
          type: 'poolReconcilerValid',
          status: 'True',
          reason: 'Reconciled',
          message: 'the configuration is valid and in force',
          lastTransitionTime: '2026-01-05T08:00:00Z',
        },
      ],
    })
  })

  it('says what is wrong, one line each, under the name that MetalLB has for the condition', () => {
    const speaker = { type: 'speaker', node: 'n1' } as const
    expect(configurationStatus(speaker, [error('p'), error('q')], undefined, monday)).toMatchObject({
      result: 'Invalid',
      errorSummary:
        'IPAddressPool p spec.addresses[0]: is no range\nIPAddressPool q spec.addresses[0]: is no range',
      conditions: [{ type: 'configReconcilerValid', status: 'False', reason: 'ConfigurationError' }],
    })
  })

  it('keeps the time of its last transition until there is another', () => {
    const first = configurationStatus(controller, [], undefined, monday)
    expect(configurationStatus(controller, [], first, tuesday)).toEqual(first)
    const broken = configurationStatus(controller, [error('p')], first, tuesday)
    expect(broken.conditions?.[0]?.lastTransitionTime).toBe('2026-01-06T08:00:00Z')
    // Another fault is no transition.
    const still = configurationStatus(controller, [error('q')], broken, monday)
    expect(still.conditions?.[0]?.lastTransitionTime).toBe('2026-01-06T08:00:00Z')
  })

  it('fits into an object however much is wrong', () => {
    const errors = Array.from({ length: 500 }, (_, i) => ({ ...error(`p${i}`), message: 'x'.repeat(1000) }))
    const { errorSummary = '' } = configurationStatus(controller, errors, undefined, monday)
    expect(errorSummary.length).toBeLessThan(32_768)
    expect(errorSummary.endsWith('and 450 more')).toBe(true)
  })
})
