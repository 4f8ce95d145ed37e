import { expect, it } from 'vitest'
import { type Liveness, living, supersedes } from './member-record.ts'

const states: readonly Liveness[] = ['alive', 'suspect', 'dead', 'left']

/** Which of the four states of a member, known at incarnation 5, a claim changes. */
const changes = (says: keyof typeof supersedes, incarnation: number): readonly Liveness[] =>
  states.filter(liveness => supersedes[says]({ says, incarnation }, { incarnation: 5, liveness }))

it.each([
  ['alive', 4, []],
  ['alive', 5, []],
  ['alive', 6, states],
  ['suspect', 4, []],
  ['suspect', 5, ['alive']],
  ['suspect', 6, ['alive']],
  ['dead', 4, []],
  ['dead', 5, ['alive', 'suspect']],
  ['dead', 6, ['alive', 'suspect']],
] as const)('%s at incarnation %i, of a member known at 5, changes %j', (says, incarnation, changed) => {
  expect(changes(says, incarnation)).toEqual(changed)
})

it('suspects count among the living', () => {
  expect(states.filter(liveness => living({ liveness }))).toEqual(['alive', 'suspect'])
})
