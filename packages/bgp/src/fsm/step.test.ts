import { CarillonError, type Effect } from '@carillon/core'
import { describe, expect, it } from 'vitest'
import { notification } from '../wire/index.ts'
import type { Message, OpenMessage } from '../wire/message.ts'
import type { FsmEvent, FsmTimer, Greeting } from './event.ts'
import type { Negotiated } from './negotiated.ts'
import type { FsmOutput } from './output.ts'
import type { FsmSettings } from './settings.ts'
import { type FsmState, initialState, listening } from './state.ts'
import { stepOf } from './step.ts'

const settings: FsmSettings = {
  localAs: 65001,
  remoteAs: 65002,
  families: ['ipv4'],
  extendedNextHop: false,
  holdTimeMs: 90_000,
  connectTimeoutMs: 10_000,
  retry: { firstMs: 250, longestMs: 5000 },
  errorRetry: { firstMs: 1000, longestMs: 30_000 },
  passive: false,
  delayOpenMs: 0,
}

const open: OpenMessage = {
  type: 'open',
  version: 4,
  as: 65002,
  holdTime: 30,
  routerId: '10.0.0.2',
  capabilities: [{ name: 'fourOctetAs', as: 65002 }],
}

const negotiated: Negotiated = {
  peerAs: 65002,
  peerRouterId: '10.0.0.2',
  internal: false,
  families: ['ipv4'],
  fourOctetAs: true,
  extendedMessage: false,
  routeRefresh: false,
  enhancedRefresh: false,
  extendedNextHop: false,
  holdTimeMs: 30_000,
  keepaliveTimeMs: 10_000,
}

const greeting: Greeting = { routerId: '10.0.0.1', restarting: false }
const reason = new CarillonError('TEST', 'because')
const update: Message = { type: 'update', withdrawn: [], attributes: {}, announced: [] }
const refresh: Message = { type: 'routeRefresh', afi: 1, safi: 1, subtype: 'request' }
const bye = notification('cease', 'administrativeShutdown')

const agreed = { failures: 2, negotiated, heardAt: 0, lenient: false }
const states = {
  Idle: { ...initialState, failures: 2, stopped: false },
  Connect: { name: 'Connect', failures: 2 },
  Active: { name: 'Active', failures: 2 },
  'Active, OPEN held back': { name: 'Active', failures: 2, greeting },
  OpenSent: { name: 'OpenSent', failures: 2, greeting },
  OpenConfirm: { name: 'OpenConfirm', ...agreed },
  Established: { name: 'Established', ...agreed, since: 0 },
} as const satisfies Record<string, FsmState>

const timer = (name: FsmTimer): { type: 'timer'; timer: FsmTimer } => ({ type: 'timer', timer: name })
const message = (one: Message): FsmEvent => ({ type: 'message', message: one })

const events = {
  start: { type: 'start' },
  stop: { type: 'stop', reason, notification: bye },
  'stop without a word': { type: 'stop', reason },
  abort: { type: 'abort', reason, notification: notification('cease', 'bfdDown') },
  'ConnectRetry timer': timer('connectRetry'),
  'DelayOpen timer': timer('delayOpen'),
  'Hold timer': timer('hold'),
  'Keepalive timer': timer('keepalive'),
  'IdleHold timer': timer('idleHold'),
  'SendHold timer': timer('sendHold'),
  'connected by us': { type: 'connected', by: 'us', greeting },
  'connected by the peer': { type: 'connected', by: 'peer', greeting },
  'connection failed': { type: 'connectFailed', reason },
  closed: { type: 'closed', reason },
  OPEN: message(open),
  'OPEN of a wrong AS': message({ ...open, as: 65009, capabilities: [] }),
  KEEPALIVE: message({ type: 'keepalive' }),
  UPDATE: message(update),
  'ROUTE-REFRESH': message(refresh),
  NOTIFICATION: message(bye),
  malformed: { type: 'malformed', reason, notification: notification('header', 'badLength') },
  collision: { type: 'collision' },
  blocked: { type: 'blocked' },
  unblocked: { type: 'unblocked' },
} as const satisfies Record<string, FsmEvent | { type: 'timer'; timer: FsmTimer }>

const now = 30_000

/** Next state, and what is sent, in the words of the table below. `.` stays, without an output. */
function reaction(state: FsmState, event: FsmEvent | { type: 'timer'; timer: FsmTimer }): string {
  const [next, ...effects] = stepOf(settings, () => 1)(state, event, now)
  const outputs = effects.flatMap(effect => (effect.do === 'emit' ? [effect.output] : []))
  const words = outputs.flatMap(word)
  if (next.name === state.name && words.length === 0) return '.'
  return [next.name, ...words].join(' ')
}

function word(output: FsmOutput): readonly string[] {
  switch (output.type) {
    case 'send': {
      const { message: one } = output
      return [one.type === 'notification' ? `${one.code}/${one.subcode}` : one.type]
    }
    case 'connect':
    case 'close':
    case 'established':
      return [output.type]
    case 'failed':
      return [output.established ? 'lost' : 'failed']
    default:
      return []
  }
}

// biome-ignore format: a table
const table: Record<keyof typeof events, Record<keyof typeof states, string>> = {
  start:                   { Idle: 'Connect connect', Connect: '.', Active: '.', 'Active, OPEN held back': '.', OpenSent: '.', OpenConfirm: '.', Established: '.' },
  stop:                    { Idle: 'Idle close failed', Connect: 'Idle close failed', Active: 'Idle close failed', 'Active, OPEN held back': 'Idle close failed', OpenSent: 'Idle 6/2 close failed', OpenConfirm: 'Idle 6/2 close failed', Established: 'Idle 6/2 close lost' },
  'stop without a word':   { Idle: 'Idle close failed', Connect: 'Idle close failed', Active: 'Idle close failed', 'Active, OPEN held back': 'Idle close failed', OpenSent: 'Idle close failed', OpenConfirm: 'Idle close failed', Established: 'Idle close lost' },
  abort:                   { Idle: '.', Connect: '.', Active: '.', 'Active, OPEN held back': '.', OpenSent: 'Active 6/10 close failed', OpenConfirm: 'Active 6/10 close failed', Established: 'Active 6/10 close lost' },
  'ConnectRetry timer':    { Idle: '.', Connect: 'Connect failed connect', Active: 'Connect connect', 'Active, OPEN held back': 'Connect connect', OpenSent: '.', OpenConfirm: '.', Established: '.' },
  'DelayOpen timer':       { Idle: '.', Connect: '.', Active: '.', 'Active, OPEN held back': 'OpenSent open', OpenSent: '.', OpenConfirm: '.', Established: '.' },
  'Hold timer':            { Idle: '.', Connect: '.', Active: '.', 'Active, OPEN held back': '.', OpenSent: 'Active 4/0 close failed', OpenConfirm: 'Active 4/0 close failed', Established: 'Active 4/0 close lost' },
  'Keepalive timer':       { Idle: '.', Connect: '.', Active: '.', 'Active, OPEN held back': '.', OpenSent: '.', OpenConfirm: 'OpenConfirm keepalive', Established: 'Established keepalive' },
  'IdleHold timer':        { Idle: 'Connect connect', Connect: '.', Active: '.', 'Active, OPEN held back': '.', OpenSent: '.', OpenConfirm: '.', Established: '.' },
  'SendHold timer':        { Idle: '.', Connect: '.', Active: '.', 'Active, OPEN held back': '.', OpenSent: '.', OpenConfirm: '.', Established: 'Active 8/0 close lost' },
  'connected by us':       { Idle: '.', Connect: 'OpenSent open', Active: 'OpenSent open', 'Active, OPEN held back': 'OpenSent open', OpenSent: '.', OpenConfirm: '.', Established: '.' },
  'connected by the peer': { Idle: '.', Connect: 'OpenSent open', Active: 'OpenSent open', 'Active, OPEN held back': 'OpenSent open', OpenSent: '.', OpenConfirm: '.', Established: '.' },
  'connection failed':     { Idle: '.', Connect: 'Active close failed', Active: '.', 'Active, OPEN held back': '.', OpenSent: '.', OpenConfirm: '.', Established: '.' },
  closed:                  { Idle: '.', Connect: 'Active close failed', Active: '.', 'Active, OPEN held back': 'Active close failed', OpenSent: 'Active close failed', OpenConfirm: 'Active close failed', Established: 'Active close lost' },
  OPEN:                    { Idle: '.', Connect: '.', Active: '.', 'Active, OPEN held back': 'OpenConfirm open keepalive', OpenSent: 'OpenConfirm keepalive', OpenConfirm: 'Idle 5/2 close failed', Established: 'Idle 5/3 close lost' },
  'OPEN of a wrong AS':    { Idle: '.', Connect: '.', Active: '.', 'Active, OPEN held back': 'Idle 2/2 close failed', OpenSent: 'Idle 2/2 close failed', OpenConfirm: 'Idle 5/2 close failed', Established: 'Idle 5/3 close lost' },
  KEEPALIVE:               { Idle: '.', Connect: '.', Active: '.', 'Active, OPEN held back': 'Idle 5/0 close failed', OpenSent: 'Idle 5/1 close failed', OpenConfirm: 'Established established', Established: '.' },
  UPDATE:                  { Idle: '.', Connect: '.', Active: '.', 'Active, OPEN held back': 'Idle 5/0 close failed', OpenSent: 'Idle 5/1 close failed', OpenConfirm: 'Idle 5/2 close failed', Established: '.' },
  'ROUTE-REFRESH':         { Idle: '.', Connect: '.', Active: '.', 'Active, OPEN held back': 'Idle 5/0 close failed', OpenSent: 'Idle 5/1 close failed', OpenConfirm: 'Idle 5/2 close failed', Established: '.' },
  NOTIFICATION:            { Idle: '.', Connect: '.', Active: '.', 'Active, OPEN held back': 'Active close failed', OpenSent: 'Active close failed', OpenConfirm: 'Active close failed', Established: 'Active close lost' },
  malformed:               { Idle: '.', Connect: '.', Active: '.', 'Active, OPEN held back': 'Idle 1/2 close failed', OpenSent: 'Idle 1/2 close failed', OpenConfirm: 'Idle 1/2 close failed', Established: 'Idle 1/2 close lost' },
  collision:               { Idle: '.', Connect: '.', Active: '.', 'Active, OPEN held back': 'Idle 6/7 close failed', OpenSent: 'Idle 6/7 close failed', OpenConfirm: 'Idle 6/7 close failed', Established: 'Idle 6/7 close lost' },
  blocked:                 { Idle: '.', Connect: '.', Active: '.', 'Active, OPEN held back': '.', OpenSent: '.', OpenConfirm: '.', Established: '.' },
  unblocked:               { Idle: '.', Connect: '.', Active: '.', 'Active, OPEN held back': '.', OpenSent: '.', OpenConfirm: '.', Established: '.' },
}

describe('the BGP state machine', () => {
  for (const [name, state] of Object.entries(states)) {
    for (const [what, event] of Object.entries(events)) {
      const expected = table[what as keyof typeof events][name as keyof typeof states]
      it(`in ${name}, at ${what}: ${expected}`, () => {
        expect(reaction(state, event)).toBe(expected)
      })
    }
  }
})

/** Runs a machine of these settings through events, each at its moment; keeps what it asked for. */
class Run {
  state: FsmState
  readonly outputs: FsmOutput[] = []
  /** Running timers, and when they end. */
  readonly timers = new Map<string, number>()
  readonly #step: ReturnType<typeof stepOf>
  now = 0

  constructor(change: Partial<FsmSettings> = {}, initial: FsmState = initialState, random = (): number => 1) {
    this.#step = stepOf({ ...settings, ...change }, random)
    this.state = initial
  }

  at(moment: number, event: FsmEvent | { type: 'timer'; timer: FsmTimer }): this {
    this.now = moment
    const [next, ...effects]: readonly [FsmState, ...Effect<FsmOutput>[]] = [
      ...this.#step(this.state, event, moment),
    ]
    this.state = next
    for (const effect of effects) {
      if (effect.do === 'emit') this.outputs.push(effect.output)
      else if (effect.do === 'arm') this.timers.set(effect.timer, moment + effect.ms)
      else this.timers.delete(effect.timer)
    }
    return this
  }

  /** Lets the timer run out at its moment, or `lateMs` later. */
  expire(name: FsmTimer, lateMs = 0): this {
    const moment = this.timers.get(name)
    if (moment === undefined) throw new Error(`the timer ${name} does not run`)
    this.timers.delete(name)
    return this.at(moment + lateMs, timer(name))
  }

  establish(change: Partial<OpenMessage> = {}): this {
    return this.at(this.now, { type: 'start' })
      .at(this.now, { type: 'connected', by: 'us', greeting })
      .at(this.now, message({ ...open, ...change }))
      .at(this.now, message({ type: 'keepalive' }))
  }

  sent(): readonly string[] {
    return this.outputs.flatMap(one => (one.type === 'send' ? word(one) : []))
  }

  waits(): readonly number[] {
    return this.outputs.flatMap(one => (one.type === 'waiting' ? [one.ms] : []))
  }

  failures(): readonly string[] {
    return this.outputs.flatMap(one => (one.type === 'failed' ? [one.reason.message] : []))
  }
}

describe('its timers', () => {
  it('give a peer that connects and is silent four minutes, until its OPEN says better', () => {
    const run = new Run().at(0, { type: 'start' }).at(5, { type: 'connected', by: 'us', greeting })
    expect([...run.timers]).toEqual([['hold', 240_005]])
    run.at(10, message(open))
    expect([...run.timers]).toEqual([
      ['hold', 30_010],
      ['keepalive', 10_010],
    ])
  })

  it('do not run when the hold time is 0', () => {
    for (const run of [new Run({ holdTimeMs: 0 }).establish(), new Run().establish({ holdTime: 0 })]) {
      expect(run.state.name).toBe('Established')
      expect([...run.timers]).toEqual([])
      expect(run.at(10, { type: 'blocked' }).timers.size).toBe(0)
    }
  })

  it('let a peer live as long as it says something within the hold time', () => {
    const run = new Run().establish()
    run.at(29_999, message(update)).expire('hold')
    expect([run.state.name, run.timers.get('hold')]).toEqual(['Established', 59_999])
    run.at(59_998, message({ type: 'keepalive' })).expire('hold')
    expect([run.state.name, run.timers.get('hold')]).toEqual(['Established', 89_998])
    run.at(80_000, message(refresh)).expire('hold')
    expect([run.state.name, run.now]).toEqual(['Active', 89_998])
    expect(run.failures()).toEqual(['nothing was heard of the peer for 30 s, the hold time'])
  })

  it('first read what came while this process stood still', () => {
    const heard = new Run().establish().expire('hold', 20_000)
    expect(heard.state.name).toBe('Established')
    heard.at(50_100, message({ type: 'keepalive' })).expire('hold')
    expect([heard.state.name, heard.timers.get('hold')]).toEqual(['Established', 80_100])
    const silent = new Run().establish().expire('hold', 20_000).expire('hold')
    expect([silent.state.name, silent.now]).toEqual(['Active', 50_250])
  })

  it('send KEEPALIVEs at a third of the hold time, with jitter, or more often when told so', () => {
    expect(new Run().establish().timers.get('keepalive')).toBe(10_000)
    expect(new Run({}, initialState, () => 0).establish().timers.get('keepalive')).toBe(7500)
    expect(new Run({ keepaliveTimeMs: 2000 }).establish().timers.get('keepalive')).toBe(2000)
    expect(new Run({ keepaliveTimeMs: 30_000 }).establish().timers.get('keepalive')).toBe(10_000)
    const run = new Run().establish().expire('keepalive').expire('keepalive')
    expect(run.sent()).toEqual(['open', 'keepalive', 'keepalive', 'keepalive'])
    expect(run.timers.get('keepalive')).toBe(30_000)
  })

  it('end a session in which the peer takes nothing for eight minutes', () => {
    const run = new Run().establish().at(1000, { type: 'blocked' })
    expect(run.timers.get('sendHold')).toBe(481_000)
    run.at(2000, { type: 'blocked' })
    expect(run.timers.get('sendHold')).toBe(482_000)
    run.at(3000, { type: 'unblocked' })
    expect(run.timers.has('sendHold')).toBe(false)
    run
      .at(400_000, { type: 'blocked' })
      .at(879_000, message({ type: 'keepalive' }))
      .expire('sendHold')
    expect([run.state.name, run.sent().at(-1)]).toEqual(['Active', '8/0'])
  })
})

describe('its attempts', () => {
  it('begin at once, and come ever more slowly, up to the longest wait', () => {
    const run = new Run().at(0, { type: 'start' })
    expect(run.outputs.map(one => one.type)).toContain('connect')
    for (let i = 0; i < 8; i++) run.at(run.now, { type: 'connectFailed', reason }).expire('connectRetry')
    expect(run.waits()).toEqual([250, 500, 1000, 2000, 4000, 5000, 5000, 5000])
  })

  it('have jitter, which may shorten a wait by a quarter', () => {
    const run = new Run({}, initialState, () => 0).at(0, { type: 'start' })
    for (let i = 0; i < 6; i++) run.at(run.now, { type: 'connectFailed', reason }).expire('connectRetry')
    expect(run.waits()).toEqual([187.5, 375, 750, 1500, 3000, 3750])
  })

  it.each([
    ['rejects the connection', notification('cease', 'connectionRejected'), [250, 500, 1000, 2000]],
    ['has another connection', notification('cease', 'collisionResolution'), [250, 500, 1000, 2000]],
    ['does not hear us', notification('holdTimer', 'unspecific'), [250, 500, 1000, 2000]],
    ['takes no more routes', notification('cease', 'maximumPrefixes'), [1000, 2000, 4000, 8000]],
    ['wants another AS', notification('open', 'badPeerAs'), [1000, 2000, 4000, 8000]],
  ] as const)('slow down when the peer %s each time, and meanwhile it may come itself', (_, said, waits) => {
    const run = new Run().establish()
    for (let i = 0; i < 4; i++) {
      run.at(run.now, message(said))
      expect(run.state.name).toBe('Active')
      run
        .expire('connectRetry')
        .at(run.now, { type: 'connected', by: 'us', greeting })
        .at(run.now, message(open))
        .at(run.now, message({ type: 'keepalive' }))
    }
    expect(run.waits()).toEqual(waits)
    const again = new Run()
      .establish()
      .at(5, message(said))
      .at(6, { type: 'connected', by: 'peer', greeting })
    expect(again.state.name).toBe('OpenSent')
  })

  it('of a peer whose sessions end again and again are not taken while it is waited for', () => {
    const run = new Run().at(0, { type: 'start' })
    for (let i = 0; i < 6; i++) {
      run
        .at(run.now, { type: 'connected', by: 'peer', greeting })
        .at(run.now, message(open))
        .at(run.now, message({ type: 'keepalive' }))
        .at(run.now, { type: 'closed', reason })
      if (run.state.name === 'Idle')
        run.at(run.now, { type: 'connected', by: 'peer', greeting }).expire('idleHold')
    }
    const entered = run.outputs.flatMap(one => (one.type === 'entered' ? [one.state] : []))
    expect(entered.filter(state => state === 'Active')).toHaveLength(4)
    expect(entered.filter(state => state === 'Idle')).toHaveLength(2)
    expect(run.waits()).toEqual([250, 500, 1000, 2000, 4000, 5000])
  })

  it('slow down after errors of the peer, which is not listened to meanwhile', () => {
    const run = new Run().at(0, { type: 'start' })
    for (let i = 0; i < 6; i++) {
      run
        .at(run.now, { type: 'connected', by: 'us', greeting })
        .at(run.now, message(update))
        .at(run.now, { type: 'connected', by: 'peer', greeting })
      expect(run.state.name).toBe('Idle')
      run.expire('idleHold')
    }
    expect(run.waits()).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000])
  })

  it('begin anew with each start by hand', () => {
    const run = new Run()
    for (let i = 0; i < 3; i++) {
      run.establish().at(run.now, message(bye)).at(run.now, { type: 'stop', reason })
    }
    expect(run.waits()).toEqual([250, 250, 250])
  })

  it('are quick again after a session that lasted', () => {
    const run = new Run().at(0, { type: 'start' })
    for (let i = 0; i < 6; i++) run.at(run.now, { type: 'connectFailed', reason }).expire('connectRetry')
    run
      .at(run.now, { type: 'connected', by: 'us', greeting })
      .at(run.now, message(open))
      .at(run.now, message({ type: 'keepalive' }))
    run.at(run.now + 30_000, { type: 'closed', reason })
    expect(run.waits().at(-1)).toBe(250)
  })

  it('go on while nobody answers, each given up after its time', () => {
    const run = new Run().at(0, { type: 'start' }).expire('connectRetry').expire('connectRetry')
    expect(run.now).toBe(20_000)
    expect(run.outputs.filter(one => one.type === 'connect')).toHaveLength(3)
    expect(run.failures()[0]).toBe('the peer did not answer within 10 s')
  })

  it('are not made by a passive session, which waits for the OPEN of the peer before it says anything', () => {
    const run = new Run({ passive: true, delayOpenMs: 5000 }).at(0, { type: 'start' })
    expect([run.state.name, run.timers.size]).toEqual(['Active', 0])
    run.at(10, { type: 'connected', by: 'peer', greeting })
    expect([run.state.name, run.sent(), run.timers.get('delayOpen')]).toEqual(['Active', [], 5010])
    run.at(20, { type: 'closed', reason })
    expect([run.state.name, run.timers.size]).toEqual(['Active', 0])
    run.at(30, { type: 'connected', by: 'peer', greeting }).at(40, message(open))
    expect([run.state.name, run.sent()]).toEqual(['OpenConfirm', ['open', 'keepalive']])
    run.at(50, message(bye))
    expect([run.state.name, run.timers.size]).toEqual(['Active', 0])
    run.at(5000, { type: 'connected', by: 'peer', greeting }).expire('delayOpen')
    expect([run.state.name, run.sent()]).toEqual(['OpenSent', ['open', 'keepalive', 'open']])
  })

  it('of a second connection count with those of the first', () => {
    const run = new Run({}, { ...listening, failures: 3 })
      .at(0, { type: 'connected', by: 'peer', greeting })
      .at(0, { type: 'closed', reason })
    expect(run.waits()).toEqual([2000])
  })

  it('end with a stop, and begin anew with a start', () => {
    const run = new Run().establish().at(5, { type: 'stop', reason, notification: bye })
    expect([run.state, run.timers.size]).toEqual([initialState, 0])
    run.at(6, { type: 'stop', reason })
    expect(run.failures()).toEqual(['because'])
    expect(run.at(7, { type: 'start' }).state.name).toBe('Connect')
  })
})

describe('what it tells', () => {
  it('is the meaning of a NOTIFICATION, with the words of whoever sent it', () => {
    const words = new TextEncoder().encode('maintenance until 5')
    const said = notification('cease', 'administrativeShutdown', Uint8Array.of(words.length, ...words))
    expect(new Run().establish().at(5, message(said)).failures()).toEqual([
      'the peer ended the session: Cease: Administrative Shutdown, "maintenance until 5"',
    ])
  })

  it('names a message that does not belong, with the type as data', () => {
    const run = new Run().at(0, { type: 'start' }).at(0, { type: 'connected', by: 'us', greeting })
    run.at(1, message(update))
    expect(run.failures()).toEqual(['the peer sent update in state OpenSent, where it does not belong'])
    const last = run.outputs.findLast(one => one.type === 'send')
    expect(last).toMatchObject({ message: { code: 5, subcode: 1, data: Uint8Array.of(2) } })
  })

  it('ends each step with the state that was entered', () => {
    const run = new Run().establish()
    const entered = run.outputs.flatMap(one => (one.type === 'entered' ? [one.state] : []))
    expect(entered).toEqual(['Connect', 'OpenSent', 'OpenConfirm', 'Established'])
    expect(run.outputs.at(-1)).toEqual({ type: 'entered', state: 'Established' })
  })
})
