import { expect, it } from 'vitest'
import { nodeFaults, type Round, sharedFaults } from './fault.ts'
import { schedule } from './schedule.ts'

const nodes = ['node-a', 'node-b', 'node-c', 'node-d', 'node-e']

function first(count: number, seed: number): readonly Round[] {
  const rounds = schedule(seed, nodes, 'node-a')
  return Array.from({ length: count }, () => rounds.next().value)
}

it('The same seed gives the same faults, and another seed others', () => {
  expect(first(200, 7)).toEqual(first(200, 7))
  expect(first(200, 7)).not.toEqual(first(200, 8))
})

it('Every kind of fault comes once before any comes again', () => {
  const kinds = [...nodeFaults, ...sharedFaults]
  for (let seed = 0; seed < 50; seed++)
    expect(
      first(kinds.length, seed)
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
