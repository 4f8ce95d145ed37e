import { expect, it } from 'vitest'
import { apiFaults, nodeFaults, type Round, type SourceName, sharedFaults } from './fault.ts'
import { schedule } from './schedule.ts'

const nodes = ['node-a', 'node-b', 'node-c', 'node-d', 'node-e']

const sources = ['files', 'kubernetes'] as const

function first(count: number, seed: number, source: SourceName = 'files'): readonly Round[] {
  const rounds = schedule(seed, source, nodes, 'node-a')
  return Array.from({ length: count }, () => rounds.next().value)
}

it('The same seed gives the same faults, and another seed others', () => {
  expect(first(200, 7)).toEqual(first(200, 7))
  expect(first(200, 7)).not.toEqual(first(200, 8))
})

it.each(sources)('Every kind of fault of %s comes once before any comes again', source => {
  const kinds = [...nodeFaults, ...sharedFaults[source]]
  for (let seed = 0; seed < 50; seed++)
    expect(
      first(kinds.length, seed, source)
        .map(([fault]) => fault?.kind)
        .toSorted(),
    ).toEqual(kinds.toSorted())
})

it('Two faults at once are on different nodes, and the witness is never ended', () => {
  let pairs = 0
  for (let seed = 0; seed < 50; seed++)
    for (const round of first(60, seed)) {
      const struck = round.flatMap(fault => ('node' in fault ? [fault.node] : []))
      expect(new Set(struck).size).toBe(struck.length)
      if (struck.length > 1) pairs++
      for (const fault of round)
        if (fault.kind === 'kill' || fault.kind === 'stop')
          expect(fault).not.toMatchObject({ node: 'node-a' })
    }
  expect(pairs).toBeGreaterThan(100)
})

it('Nodes are struck while the API server is away, too', () => {
  const struck = first(300, 1, 'kubernetes').filter(
    ([fault, other]) => other && apiFaults.some(kind => kind === fault?.kind),
  )
  expect(new Set(struck.map(([fault]) => fault?.kind))).toEqual(new Set(apiFaults))
})
