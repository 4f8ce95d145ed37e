import { FakeClock, seededRandom } from '@carillon/core/testing'
import { expect, it } from 'vitest'
import { profiles } from './profile.ts'
import { Swim, type SwimEvent } from './swim.ts'
import { type NodeEntry, nodeStates } from './wire/index.ts'

const vsn = Uint8Array.of(1, 5, 2, 0, 0, 0)
const none = new Uint8Array()
const m1 = Uint8Array.of(1)
const own = { addr: Uint8Array.of(10, 77, 0, 1), port: 7946 }
const a = { addr: Uint8Array.of(10, 77, 0, 2), port: 7946 }
const moved = { ...a, port: 7947 }

type State = keyof typeof nodeStates

interface Line {
  readonly says: string
  readonly tell: (swim: Swim) => void
  /** What the table says afterwards, `-` where the member is not listed. */
  readonly shows: string
  readonly event?: SwimEvent['type']
}

const alive =
  (node: string, incarnation: number, at = node === 'n1' ? own : a, meta = none) =>
  (swim: Swim): void =>
    swim.alive({ type: 'alive', incarnation, node, ...at, meta, vsn })
const suspect =
  (node: string, incarnation: number) =>
  (swim: Swim): void =>
    swim.suspect({ type: 'suspect', incarnation, node, from: 'Y' })
const dead =
  (node: string, incarnation: number, from = 'Y') =>
  (swim: Swim): void => {
    swim.dead({ type: 'dead', incarnation, node, from })
  }
const table =
  (name: string, state: State, incarnation: number) =>
  (swim: Swim): void => {
    const at = name === 'n1' ? own : a
    const entry: NodeEntry = { name, ...at, meta: none, vsn, incarnation, state: nodeStates[state] }
    swim.merge({ type: 'pushPull', join: false, nodes: [entry], userState: none })
  }

// Seen to be the same in three versions of memberlist. X is at A; A' is another port of the same host; Y is a stranger.
const lines: readonly Line[] = [
  { says: 'suspect(X,1), X unknown', tell: suspect('X', 1), shows: '-' },
  { says: 'dead(X,1), X unknown', tell: dead('X', 1), shows: '-' },
  { says: 'table: X dead 3, X unknown', tell: table('X', 'dead', 3), shows: '-' },
  { says: 'table: X left 3, X unknown', tell: table('X', 'left', 3), shows: '-' },
  { says: 'table: X suspect 3, X unknown', tell: table('X', 'suspect', 3), shows: '-' },
  { says: 'alive(X,0,A)', tell: alive('X', 0), shows: 'dead 0' },
  { says: 'alive(X,1,A)', tell: alive('X', 1), shows: 'alive 1', event: 'join' },
  { says: 'suspect(X,0)', tell: suspect('X', 0), shows: 'alive 1' },
  { says: 'suspect(X,5)', tell: suspect('X', 5), shows: 'suspect 5', event: 'suspect' },
  { says: 'alive(X,5,A)', tell: alive('X', 5), shows: 'suspect 5' },
  { says: 'alive(X,6,A)', tell: alive('X', 6), shows: 'alive 6' },
  { says: 'dead(X,5)', tell: dead('X', 5), shows: 'alive 6' },
  { says: 'table: X dead 6', tell: table('X', 'dead', 6), shows: 'suspect 6', event: 'suspect' },
  { says: 'alive(X,7,A)', tell: alive('X', 7), shows: 'alive 7' },
  { says: 'dead(X,7)', tell: dead('X', 7), shows: 'dead 7', event: 'dead' },
  { says: 'dead(X,8,X)', tell: dead('X', 8, 'X'), shows: 'dead 7' },
  { says: 'suspect(X,9)', tell: suspect('X', 9), shows: 'dead 7' },
  { says: 'alive(X,7,A)', tell: alive('X', 7), shows: 'dead 7' },
  { says: "alive(X,20,A')", tell: alive('X', 20, moved), shows: 'dead 7', event: 'conflict' },
  { says: 'alive(X,8,A)', tell: alive('X', 8), shows: 'alive 8', event: 'join' },
  { says: "alive(X,30,A')", tell: alive('X', 30, moved), shows: 'alive 8', event: 'conflict' },
  { says: 'dead(X,8,X)', tell: dead('X', 8, 'X'), shows: 'left 8', event: 'leave' },
  { says: 'alive(X,8,A)', tell: alive('X', 8), shows: 'left 8' },
  { says: "alive(X,1,A')", tell: alive('X', 1, moved), shows: "alive 1 A'", event: 'join' },
  { says: "alive(X,2,A',m1)", tell: alive('X', 2, moved, m1), shows: "alive 2 A'", event: 'update' },
  { says: 'table: X left 2', tell: table('X', 'left', 2), shows: "left 2 A'", event: 'leave' },
]

// The target has changed its metadata once before, so that its own number is 2.
const aboutItself: readonly Line[] = [
  { says: 'suspect(n1,1)', tell: suspect('n1', 1), shows: 'alive 2' },
  { says: 'suspect(n1,10)', tell: suspect('n1', 10), shows: 'alive 11' },
  { says: 'suspect(n1,3)', tell: suspect('n1', 3), shows: 'alive 11' },
  { says: 'alive(n1,50, own data)', tell: alive('n1', 50), shows: 'alive 51' },
  { says: 'alive(n1,51, own data)', tell: alive('n1', 51), shows: 'alive 51' },
  { says: 'alive(n1,51, other metadata)', tell: alive('n1', 51, own, m1), shows: 'alive 52' },
  { says: 'alive(n1,40, other metadata)', tell: alive('n1', 40, own, m1), shows: 'alive 52' },
  {
    says: 'alive(n1,99, other port)',
    tell: alive('n1', 99, { ...own, port: 1 }),
    shows: 'alive 52',
    event: 'conflict',
  },
  { says: 'dead(n1,52)', tell: dead('n1', 52), shows: 'alive 53' },
  { says: 'table: n1 left 60', tell: table('n1', 'left', 60), shows: 'alive 61' },
  { says: 'table: n1 dead 70', tell: table('n1', 'dead', 70), shows: 'alive 71' },
]

function target(): { readonly swim: Swim; readonly events: SwimEvent['type'][] } {
  const events: SwimEvent['type'][] = []
  const swim = new Swim({
    name: 'n1',
    address: own,
    meta: none,
    vsn,
    settings: profiles.lan,
    clock: new FakeClock(),
    random: seededRandom(1),
    outlet: {
      packet: () => {},
      room: () => 1400,
      streamPing: async () => false,
    },
    delegate: {},
    emit: event => events.push(event.type),
  })
  swim.start()
  return { swim, events }
}

function shown(swim: Swim, name: string): string {
  const record = swim.members.get(name)
  if (!record) return '-'
  const where = name === 'X' && record.port !== a.port ? " A'" : ''
  return `${record.liveness} ${record.incarnation}${where}`
}

it.each([
  ['X', lines],
  ['n1', aboutItself],
] as const)('what is said about %s changes the table as in memberlist, line by line', (name, script) => {
  const { swim, events } = target()
  if (name === 'n1') swim.updateMeta(none)
  events.length = 0
  for (const { says, tell, shows, event } of script) {
    tell(swim)
    const told = events.splice(0)
    expect(`${says}: ${shown(swim, name)}`).toBe(`${says}: ${shows}`)
    expect([says, ...told]).toEqual(event === undefined ? [says] : [says, event])
  }
  swim.stop()
})

it('a node that objects to being dead more and more often rates its own health worst', () => {
  const { swim } = target()
  for (const { tell } of aboutItself) tell(swim)
  for (let claim = 100; claim < 110; claim++) dead('n1', claim)(swim)
  expect(swim.awareness.score).toBe(7)
  swim.stop()
})
