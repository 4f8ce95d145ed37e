import { drive, type Machine } from '@carillon/core'
import { FakeClock, seededRandom } from '@carillon/core/testing'
import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import { type Association, noEcho, type Parameters, parametersOf } from './association.ts'
import { defaultBfdSettings } from './options.ts'
import { type BfdEvent, type BfdOutput, bfdProtocol, newAssociation } from './protocol.ts'
import { nextState } from './transitions.ts'
import { type BfdState, bfdStates, type ControlPacket } from './wire/index.ts'

let clock: FakeClock

const parameters = (changes: Partial<Parameters> = {}): Parameters => ({
  ...parametersOf(defaultBfdSettings, noEcho),
  ...changes,
})

/** One end: what it sent and what it told, each with its time. */
class End {
  readonly sent: { readonly at: number; readonly packet: ControlPacket }[] = []
  readonly told: string[] = []
  readonly echoes: number[] = []
  readonly machine: Machine<Association, BfdEvent>
  /** What is sent goes here; nowhere while it is undefined. */
  to: End | undefined

  constructor(
    changes: Partial<Parameters> = {},
    { discriminator = 1, random = () => 1 }: { discriminator?: number; random?: () => number } = {},
  ) {
    this.machine = drive<Association, BfdEvent, BfdOutput>({
      initial: newAssociation(parameters(changes), discriminator),
      step: bfdProtocol(random),
      clock,
      output: output => this.#take(output),
    })
  }

  get state(): BfdState {
    return this.machine.state.state
  }

  get last(): ControlPacket {
    return this.sent.at(-1)?.packet as ControlPacket
  }

  /** When it sent something, from now on. */
  times(): number[] {
    return this.sent.map(({ at }) => at)
  }

  start(): this {
    this.machine.handle({ type: 'start' })
    return this
  }

  configure(changes: Partial<Parameters>): void {
    this.machine.handle({ type: 'configure', parameters: { ...this.machine.state.parameters, ...changes } })
  }

  #take(output: BfdOutput): void {
    if (output.type === 'changed') this.told.push(`${output.from} ${this.state} ${output.cause}`)
    else if (output.type === 'closed') this.told.push('closed')
    else if (output.type === 'echo') this.echoes.push(clock.now())
    else {
      const { packet } = output
      this.sent.push({ at: clock.now(), packet })
      clock.after(0, () => this.to?.machine.handle({ type: 'packet', packet }))
    }
  }
}

/** What a peer might say. */
const packet = (changes: Partial<ControlPacket> = {}): ControlPacket => ({
  state: 'down',
  diagnostic: 0,
  poll: false,
  final: false,
  controlPlaneIndependent: false,
  demand: false,
  detectMultiplier: 3,
  myDiscriminator: 77,
  yourDiscriminator: 0,
  desiredMinTxUs: 1_000_000,
  requiredMinRxUs: 300_000,
  requiredMinEchoRxUs: 0,
  ...changes,
})

const hear = (end: End, changes: Partial<ControlPacket>): void =>
  end.machine.handle({ type: 'packet', packet: packet(changes) })

/** An end that is up with a scripted peer which sends and receives every 300 ms, and has no question out. */
function upWithScript(changes: Partial<Parameters> = {}, said: Partial<ControlPacket> = {}): End {
  const end = new End(changes).start()
  const up: Partial<ControlPacket> = { state: 'up', yourDiscriminator: 1, desiredMinTxUs: 300_000, ...said }
  hear(end, {})
  hear(end, { ...up, state: 'init' })
  hear(end, { ...up, final: true })
  end.sent.length = 0
  end.told.length = 0
  return end
}

/** Two ends that are up with each other. */
function pair(a: Partial<Parameters> = {}, b: Partial<Parameters> = {}): [End, End] {
  const one = new End(a, { discriminator: 1 })
  const other = new End(b, { discriminator: 2 })
  one.to = other
  other.to = one
  one.start()
  other.start()
  clock.advance(1000)
  return [one, other]
}

beforeEach(() => {
  clock = new FakeClock()
})

describe('the table of states', () => {
  // RFC 5880 section 6.8.6, as its prose has it: state of ours, state that the peer says, next state of ours.
  const prose: readonly [BfdState, BfdState, BfdState][] = [
    ['down', 'down', 'init'],
    ['down', 'init', 'up'],
    ['down', 'up', 'down'],
    ['down', 'admin-down', 'down'],
    ['init', 'down', 'init'],
    ['init', 'init', 'up'],
    ['init', 'up', 'up'],
    ['init', 'admin-down', 'down'],
    ['up', 'down', 'down'],
    ['up', 'init', 'up'],
    ['up', 'up', 'up'],
    ['up', 'admin-down', 'down'],
  ]
  for (const [ours, theirs, next] of prose)
    it(`leads from ${ours} to ${next} when the peer is ${theirs}`, () =>
      expect(nextState[ours][theirs]).toBe(next))

  it('keeps a session that was taken down by its administrator as it is', () => {
    for (const theirs of bfdStates) expect(nextState['admin-down'][theirs]).toBe('admin-down')
  })
})

describe('two systems', () => {
  it('come up with each other within a round of packets', () => {
    const [a, b] = pair()
    const told = ['down init peer', 'init up peer']
    expect([a.told, b.told]).toEqual([told, told])
    expect(a.sent.findIndex(({ packet: one }) => one.state === 'up')).toBe(2)
  })

  it('know each other’s discriminators then', () => {
    const [a, b] = pair()
    expect([a.last.myDiscriminator, a.last.yourDiscriminator]).toEqual([1, 2])
    expect([b.last.myDiscriminator, b.last.yourDiscriminator]).toEqual([2, 1])
  })

  it('agree on the slower of what one sends and the other receives, each way apart', () => {
    const [a, b] = pair(
      { desiredMinTxMs: 50, requiredMinRxMs: 100 },
      { desiredMinTxMs: 200, requiredMinRxMs: 80 },
    )
    expect([a.machine.state.transmitMs, b.machine.state.transmitMs]).toEqual([80, 200])
  })

  it('of which both are passive never speak', () => {
    const [a, b] = pair({ passive: true }, { passive: true })
    clock.advance(60_000)
    expect([a.sent, b.sent]).toEqual([[], []])
  })

  it('of which one is passive come up when the other speaks', () => {
    const [a, b] = pair({ passive: true })
    expect([a.state, b.state]).toEqual(['up', 'up'])
  })

  it('stay up for as long as packets pass, whatever the jitter', () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 5 }), (seed, detectMultiplier) => {
        clock = new FakeClock()
        const random = seededRandom(seed)
        const a = new End({ detectMultiplier }, { discriminator: 1, random })
        const b = new End({ desiredMinTxMs: 10, requiredMinRxMs: 10 }, { discriminator: 2, random })
        a.to = b
        b.to = a
        a.start()
        b.start()
        clock.advance(30_000)
        expect([a.state, b.state]).toEqual(['up', 'up'])
        expect([...a.told, ...b.told].filter(one => one.startsWith('up'))).toEqual([])
      }),
      { numRuns: 20 },
    )
  })

  it('come up again after the path was cut', () => {
    const [a, b] = pair()
    a.to = undefined
    b.to = undefined
    clock.advance(5000)
    expect([a.state, b.state]).toEqual(['down', 'down'])
    a.to = b
    b.to = a
    clock.advance(2000)
    expect([a.state, b.state]).toEqual(['up', 'up'])
  })

  it('find out that only one way is cut', () => {
    const [a, b] = pair()
    a.told.length = b.told.length = 0
    b.to = undefined
    clock.advance(2000)
    expect(a.told).toEqual(['up down silence'])
    expect(b.told[0]).toBe('up down peer')
  })
})

describe('silence', () => {
  it('ends a session after the detection time, to the millisecond', () => {
    const end = upWithScript()
    clock.advance(500)
    hear(end, { state: 'up', yourDiscriminator: 1, desiredMinTxUs: 300_000 })
    clock.advance(899)
    expect(end.state).toBe('up')
    clock.advance(1)
    expect(end.told).toEqual(['up down silence'])
    expect(end.last).toMatchObject({ state: 'down', diagnostic: 1, yourDiscriminator: 77 })
  })

  it('is not held against a peer when we were late ourselves, for a moment', () => {
    const step = bfdProtocol(() => 1)
    const { state: up } = upWithScript().machine
    const due = up.silentAt as number
    const ring = { type: 'timer', timer: 'detect' } as const
    expect(step(up, ring, due + 1)[0].state).toBe('down')
    // Late, as after a standstill: the peer has 20 ms more.
    const [spared, ...effects] = step(up, ring, due + 400)
    expect([spared.state, effects]).toEqual(['up', [{ do: 'arm', timer: 'detect', ms: 20 }]])
    expect(step(spared, ring, due + 420)[0].state).toBe('down')
    expect(step(spared, ring, due + 900)[0].state).toBe('down')
    const said = packet({ state: 'up', yourDiscriminator: 1, desiredMinTxUs: 300_000 })
    const [heard] = step(spared, { type: 'packet', packet: said }, due + 410)
    expect([heard.state, heard.silentAt]).toEqual(['up', due + 410 + 900])
  })

  it('is judged by the peer’s multiplier, and the slower of what it sends and we receive', () => {
    const end = upWithScript({ requiredMinRxMs: 100 }, { detectMultiplier: 5, desiredMinTxUs: 20_000 })
    clock.advance(499)
    expect(end.state).toBe('up')
    clock.advance(1)
    expect(end.state).toBe('down')
  })

  it('makes the peer a stranger, whom the next packet does not name', () => {
    const end = upWithScript()
    clock.advance(900)
    end.sent.length = 0
    clock.advance(1000)
    expect(end.sent.map(({ packet: one }) => one.yourDiscriminator)).toEqual([0])
  })

  it('ends a session that has only begun', () => {
    const end = new End().start()
    hear(end, {})
    expect(end.state).toBe('init')
    clock.advance(3000)
    expect(end.told).toEqual(['down init peer', 'init down silence'])
  })

  it('makes a passive system say once that it is down, and then nothing', () => {
    const end = upWithScript({ passive: true })
    clock.advance(900)
    expect(end.last).toMatchObject({ state: 'down', diagnostic: 1 })
    end.sent.length = 0
    clock.advance(60_000)
    expect(end.sent).toEqual([])
  })
})

describe('packets', () => {
  it('go out once a second at most until the session is up, however fast it is meant to be', () => {
    const end = new End({ desiredMinTxMs: 10 }).start()
    clock.advance(2997)
    expect(end.times()).toEqual([0, 999, 1998, 2997])
    expect(end.last.desiredMinTxUs).toBe(1_000_000)
  })

  it('go out slower than that if they are meant to', () => {
    const end = new End({ desiredMinTxMs: 5000 }).start()
    clock.advance(5000)
    expect(end.times()).toEqual([0, 4999])
  })

  it('are drawn from the range that the RFC gives', () => {
    const end = new End({ desiredMinTxMs: 100 }, { random: seededRandom(1) }).start()
    hear(end, {})
    hear(end, { state: 'up', yourDiscriminator: 1, requiredMinRxUs: 100_000, desiredMinTxUs: 60_000_000 })
    end.sent.length = 0
    clock.advance(10_000)
    const gaps = end.times().map((at, i, all) => at - (all[i - 1] ?? Number.NaN))
    expect(Math.min(...gaps.slice(1))).toBeGreaterThanOrEqual(75)
    expect(Math.max(...gaps.slice(1))).toBeLessThanOrEqual(99)
    expect(new Set(gaps).size).toBeGreaterThan(90)
  })

  it('go out at once when the state changes', () => {
    const end = new End().start()
    clock.advance(100)
    hear(end, {})
    expect(end.times()).toEqual([0, 100])
    expect(end.last).toMatchObject({ state: 'init', yourDiscriminator: 77 })
  })

  it('follow the peer’s wish for fewer', () => {
    const end = upWithScript()
    hear(end, { state: 'up', yourDiscriminator: 1, desiredMinTxUs: 60_000_000, requiredMinRxUs: 2_000_000 })
    clock.advance(4000)
    expect(end.times()).toEqual([1999, 3998])
  })

  it('follow the peer’s wish for more without waiting for the next one to fall due', () => {
    const end = upWithScript(
      { desiredMinTxMs: 100 },
      { requiredMinRxUs: 2_000_000, desiredMinTxUs: 60_000_000 },
    )
    clock.advance(500)
    expect(end.times()).toEqual([])
    hear(end, { state: 'up', yourDiscriminator: 1, requiredMinRxUs: 100_000, desiredMinTxUs: 60_000_000 })
    clock.advance(99)
    expect(end.times()).toEqual([500, 599])
  })

  it('are not sent periodically to a peer that wants none', () => {
    const end = upWithScript()
    hear(end, { state: 'up', yourDiscriminator: 1, desiredMinTxUs: 60_000_000, requiredMinRxUs: 0 })
    clock.advance(10_000)
    expect(end.sent).toEqual([])
  })

  it('of a peer that has started anew take the session down, and it comes up with the new one', () => {
    const end = upWithScript()
    hear(end, { myDiscriminator: 88 })
    expect(end.told).toEqual(['up down peer'])
    expect(end.last).toMatchObject({ state: 'down', diagnostic: 3, yourDiscriminator: 88 })
    hear(end, { myDiscriminator: 88 })
    hear(end, { state: 'up', myDiscriminator: 88, yourDiscriminator: 1 })
    expect(end.state).toBe('up')
  })
})

describe('demand mode of the peer', () => {
  it('stops the periodic packets once both are up', () => {
    const end = upWithScript()
    hear(end, { state: 'up', yourDiscriminator: 1, desiredMinTxUs: 60_000_000, demand: true })
    clock.advance(10_000)
    expect(end.sent).toEqual([])
  })

  it('does not stop them before', () => {
    const end = new End().start()
    hear(end, { demand: true })
    end.sent.length = 0
    clock.advance(999)
    expect(end.sent.length).toBe(1)
  })

  it('lets a question through until it is answered', () => {
    const end = upWithScript()
    const up = { state: 'up', yourDiscriminator: 1, desiredMinTxUs: 60_000_000, demand: true } as const
    hear(end, up)
    end.configure({ desiredMinTxMs: 200 })
    clock.advance(1000)
    expect(end.sent.map(({ packet: one }) => one.poll)).toEqual([true, true, true])
    end.sent.length = 0
    hear(end, { ...up, final: true })
    clock.advance(10_000)
    expect(end.sent).toEqual([])
  })
})

describe('a poll sequence', () => {
  it('tells the peer of the fast interval when the session comes up', () => {
    const [a, b] = pair({ desiredMinTxMs: 50 })
    expect(a.sent.some(({ packet: one }) => one.state === 'up' && one.poll)).toBe(true)
    expect(a.machine.state.poll).toBe('none')
    expect(b.machine.state.remote?.desiredMinTxMs).toBe(50)
  })

  it('is not needed where the interval is a slow one anyway', () => {
    const [a] = pair({ desiredMinTxMs: 2000 }, { desiredMinTxMs: 2000 })
    expect(a.sent.some(({ packet: one }) => one.poll)).toBe(false)
  })

  it('is asked in the packets that are sent anyway', () => {
    const end = upWithScript({}, { requiredMinRxUs: 10_000 })
    end.configure({ desiredMinTxMs: 200 })
    clock.advance(199)
    expect(end.sent.map(({ at, packet: one }) => [at, one.poll])).toEqual([[199, true]])
  })

  it('is answered at once, by a packet that asks nothing', () => {
    const end = upWithScript()
    end.configure({ desiredMinTxMs: 200 })
    clock.advance(10)
    hear(end, { state: 'up', yourDiscriminator: 1, desiredMinTxUs: 300_000, poll: true })
    expect(end.sent.map(({ at, packet: one }) => [at, one.poll, one.final])).toEqual([[10, false, true]])
  })

  it('does not move the periodic packets when it is answered', () => {
    const end = upWithScript()
    clock.advance(10)
    hear(end, { state: 'up', yourDiscriminator: 1, desiredMinTxUs: 300_000, poll: true })
    clock.advance(289)
    expect(end.times()).toEqual([10, 299])
  })

  it('keeps the fast interval until the peer knows of the slow one', () => {
    const [a, b] = pair({ desiredMinTxMs: 100 }, { requiredMinRxMs: 100 })
    b.to = undefined
    a.configure({ desiredMinTxMs: 400 })
    a.sent.length = 0
    clock.advance(500)
    expect(a.times().length).toBeGreaterThanOrEqual(5)
    b.to = a
    clock.advance(300)
    expect(a.machine.state).toMatchObject({ poll: 'none', transmitMs: 400 })
  })

  it('takes up a faster interval at once', () => {
    const end = upWithScript({ desiredMinTxMs: 900 }, { requiredMinRxUs: 10_000, desiredMinTxUs: 60_000_000 })
    clock.advance(100)
    end.configure({ desiredMinTxMs: 100 })
    clock.advance(199)
    expect(end.times()).toEqual([100, 199, 298])
  })

  it('keeps the longer detection time until the peer knows of the shorter one', () => {
    const end = upWithScript({ requiredMinRxMs: 300 }, { desiredMinTxUs: 50_000 })
    const up = { state: 'up', yourDiscriminator: 1, desiredMinTxUs: 50_000 } as const
    end.configure({ requiredMinRxMs: 100 })
    clock.advance(299)
    expect(end.last).toMatchObject({ poll: true, requiredMinRxUs: 100_000 })
    hear(end, up)
    clock.advance(899)
    expect(end.state).toBe('up')
    hear(end, { ...up, final: true })
    clock.advance(299)
    expect(end.state).toBe('up')
    clock.advance(1)
    expect(end.state).toBe('down')
  })

  it('uses the longer detection time at once', () => {
    const end = upWithScript({ requiredMinRxMs: 100 }, { desiredMinTxUs: 50_000 })
    end.configure({ requiredMinRxMs: 500 })
    hear(end, { state: 'up', yourDiscriminator: 1, desiredMinTxUs: 50_000 })
    clock.advance(1499)
    expect(end.state).toBe('up')
    clock.advance(1)
    expect(end.state).toBe('down')
  })

  it('that is under way is finished before the next one begins, with a packet in between', () => {
    const up = { state: 'up', yourDiscriminator: 1, desiredMinTxUs: 60_000_000, requiredMinRxUs: 1 } as const
    const end = upWithScript({}, up)
    end.configure({ desiredMinTxMs: 250 })
    clock.advance(249)
    end.configure({ desiredMinTxMs: 200 })
    clock.advance(249)
    hear(end, { ...up, final: true })
    clock.advance(650)
    const said = end.sent.map(({ packet: one }) => [one.poll, one.desiredMinTxUs / 1000])
    expect(said).toEqual([
      [true, 250],
      [true, 250],
      [false, 250],
      [true, 200],
      [true, 200],
    ])
  })

  it('ignores an answer to a question that was not asked', () => {
    const end = upWithScript()
    end.configure({ desiredMinTxMs: 900 })
    hear(end, { state: 'up', yourDiscriminator: 1, desiredMinTxUs: 300_000, final: true })
    expect(end.machine.state).toMatchObject({ poll: 'due', transmitMs: 300 })
  })

  it('ends with the session', () => {
    const end = upWithScript()
    end.configure({ desiredMinTxMs: 900 })
    hear(end, { state: 'down', yourDiscriminator: 1 })
    expect(end.last).toMatchObject({ state: 'down', poll: false, desiredMinTxUs: 1_000_000 })
  })
})

describe('a session that is closed', () => {
  it('says so three times, and is gone', () => {
    const end = upWithScript()
    clock.advance(100)
    end.machine.handle({ type: 'close' })
    clock.advance(5000)
    expect(end.sent.map(({ at, packet: one }) => [at, one.state, one.diagnostic])).toEqual([
      [100, 'admin-down', 7],
      [400, 'admin-down', 7],
      [700, 'admin-down', 7],
    ])
    expect(end.told).toEqual(['up admin-down closed', 'closed'])
  })

  it('says so faster when it was fast', () => {
    const end = upWithScript({ desiredMinTxMs: 50 }, { requiredMinRxUs: 50_000 })
    end.machine.handle({ type: 'close' })
    clock.advance(5000)
    expect(end.times()).toEqual([0, 50, 100])
  })

  it('has nothing to say to a peer that was never heard', () => {
    const end = new End().start()
    clock.advance(10)
    end.machine.handle({ type: 'close' })
    expect(end.times()).toEqual([0])
    expect(end.told).toEqual(['down admin-down closed', 'closed'])
  })

  it('does not react to anything any more', () => {
    const end = upWithScript()
    end.machine.handle({ type: 'close' })
    hear(end, { poll: true })
    hear(end, { state: 'init', yourDiscriminator: 1 })
    end.configure({ desiredMinTxMs: 10 })
    end.machine.handle({ type: 'close' })
    clock.advance(60_000)
    expect(end.sent.length).toBe(3)
    expect(end.told).toEqual(['up admin-down closed', 'closed'])
  })

  it('takes the peer down at once, and keeps it down', () => {
    const [a, b] = pair()
    b.told.length = 0
    a.machine.handle({ type: 'close' })
    clock.advance(0)
    expect(b.told).toEqual(['up down peer-admin-down'])
    expect(b.last).toMatchObject({ state: 'down', diagnostic: 3 })
    clock.advance(600)
    expect(b.state).toBe('down')
  })
})

describe('the echo function', () => {
  const echo = { echoMs: 50, requiredMinEchoRxMs: 50 }
  const up = { state: 'up', yourDiscriminator: 1, desiredMinTxUs: 60_000_000 } as const

  it('begins when the session is up, at the slower of what we wish and the peer takes', () => {
    const end = upWithScript(echo, { requiredMinEchoRxUs: 100_000 })
    clock.advance(200)
    expect(end.echoes).toEqual([0, 99, 198])
  })

  it('does not begin when the peer returns no echo packets', () => {
    const end = upWithScript(echo)
    clock.advance(1000)
    expect(end.echoes).toEqual([])
  })

  it('ends the session when no packet has come back for a detection time, to the millisecond', () => {
    const end = upWithScript(echo, { ...up, requiredMinEchoRxUs: 50_000 })
    end.machine.handle({ type: 'echo' })
    clock.advance(149)
    expect(end.state).toBe('up')
    clock.advance(1)
    expect(end.told).toEqual(['up down echo'])
    expect(end.last).toMatchObject({ state: 'down', diagnostic: 2 })
    const before = end.echoes.length
    clock.advance(1000)
    expect(end.echoes.length).toBe(before)
  })

  it('proves nothing where no packet has ever come back', () => {
    const end = upWithScript(echo, { ...up, requiredMinEchoRxUs: 50_000 })
    clock.advance(10_000)
    expect([end.state, end.machine.state.echo]).toEqual(['up', 'unanswered'])
  })

  it('proves something from then on where one has', () => {
    const end = upWithScript(echo, { ...up, requiredMinEchoRxUs: 50_000 })
    end.machine.handle({ type: 'echo' })
    clock.advance(150)
    hear(end, { ...up, state: 'down', requiredMinEchoRxUs: 50_000 })
    hear(end, { ...up, requiredMinEchoRxUs: 50_000 })
    clock.advance(150)
    expect(end.told).toEqual(['up down echo', 'down init peer', 'init up peer', 'up down echo'])
    hear(end, { ...up, state: 'down', myDiscriminator: 88, requiredMinEchoRxUs: 50_000 })
    hear(end, { ...up, myDiscriminator: 88, requiredMinEchoRxUs: 50_000 })
    clock.advance(10_000)
    expect(end.state).toBe('up')
  })

  it('ends when the peer wants no more, or the profile', () => {
    const end = upWithScript(echo, { ...up, requiredMinEchoRxUs: 50_000 })
    hear(end, up)
    const before = end.echoes.length
    clock.advance(1000)
    expect(end.echoes.length).toBe(before)
    hear(end, { ...up, requiredMinEchoRxUs: 50_000 })
    clock.advance(50)
    expect(end.echoes.length).toBeGreaterThan(before)
    end.machine.handle({ type: 'echo' })
    end.configure({ echoMs: 0 })
    clock.advance(10_000)
    expect(end.state).toBe('up')
  })

  it('is offered to the peer in our packets', () => {
    const end = new End(echo).start()
    expect(end.last.requiredMinEchoRxUs).toBe(50_000)
  })
})

describe('whatever a peer says', () => {
  it('the session goes on, and packets go out no faster than they may', () => {
    const said = fc.record({
      state: fc.constantFrom(...bfdStates),
      poll: fc.boolean(),
      demand: fc.boolean(),
      detectMultiplier: fc.integer({ min: 1, max: 255 }),
      myDiscriminator: fc.constantFrom(77, 88),
      desiredMinTxUs: fc.nat(0xffff_ffff),
      requiredMinRxUs: fc.constantFrom(0, 1, 300_000, 0xffff_ffff),
      requiredMinEchoRxUs: fc.constantFrom(0, 1, 50_000),
    })
    const steps = fc.array(fc.tuple(fc.nat(2000), said), { maxLength: 20 })
    fc.assert(
      fc.property(steps, fc.boolean(), (all, passive) => {
        clock = new FakeClock()
        const end = new End({ passive, echoMs: 50 }).start()
        for (const [ms, one] of all) {
          clock.advance(ms)
          hear(end, { ...one, yourDiscriminator: 1 })
        }
        clock.advance(5000)
        // At most one for each packet heard, and the periodic ones: one a second while down, each 225 ms while up.
        const elapsed = clock.now()
        expect(end.sent.length).toBeLessThanOrEqual(all.length * 3 + elapsed / 225 + 2)
        // Silence ends everything.
        hear(end, { yourDiscriminator: 1 })
        clock.advance(3000)
        expect(end.state).toBe('down')
        expect(end.machine.state.remote).toBeUndefined()
      }),
    )
  })
})
