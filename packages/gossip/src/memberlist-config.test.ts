import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseMemberlistConfig } from './memberlist-config.ts'
import { profiles } from './profile.ts'

const whole = {
  TCPTimeout: '5s',
  IndirectChecks: 2,
  RetransmitMult: 3,
  SuspicionMult: 5,
  SuspicionMaxTimeoutMult: 7,
  PushPullInterval: '1m30s',
  ProbeTimeout: '250ms',
  ProbeInterval: '2s',
  DisableTcpPings: true,
  AwarenessMaxMultiplier: 4,
  GossipNodes: 5,
  GossipInterval: '0.1s',
  GossipToTheDeadTime: '45s',
  GossipVerifyIncoming: false,
  GossipVerifyOutgoing: true,
  EnableCompression: false,
  HandoffQueueDepth: 2048,
  UDPBufferSize: 1200,
  QueueCheckInterval: '30s',
}
const parse = (config: object) => parseMemberlistConfig(JSON.stringify(config))

it('takes every field that MetalLB does', () => {
  expect(parse(whole)).toEqual({
    settings: {
      tcpTimeoutMs: 5000,
      indirectChecks: 2,
      retransmitMult: 3,
      suspicionMult: 5,
      suspicionMaxTimeoutMult: 7,
      pushPullIntervalMs: 90_000,
      probeTimeoutMs: 250,
      probeIntervalMs: 2000,
      disableTcpPings: true,
      awarenessMaxMultiplier: 4,
      gossipNodes: 5,
      gossipIntervalMs: 100,
      gossipToTheDeadMs: 45_000,
      handoffQueueDepth: 2048,
      udpBufferSize: 1200,
      enableCompression: false,
    },
    verifyIncoming: false,
    verifyOutgoing: true,
    warnings: [],
  })
})

it('keeps the lan value of a number or a switch that is missing, and says so', () => {
  const { IndirectChecks: _, EnableCompression: __, GossipVerifyOutgoing: ___, ...rest } = whole
  const { settings, verifyOutgoing, warnings } = parse(rest)
  expect(settings).toMatchObject({ indirectChecks: 3, enableCompression: true })
  expect(verifyOutgoing).toBe(true)
  expect(warnings).toEqual([
    'IndirectChecks is missing: 3, as in the lan profile',
    'GossipVerifyOutgoing is missing: true, as in the lan profile',
    'EnableCompression is missing: true, as in the lan profile',
  ])
})

it('leaves alone what memberlist does not know: a cluster on the fast profile still watches closely', () => {
  const settings = { ...profiles.fast, ...parse(whole).settings }
  expect(settings.watch).toEqual(profiles.fast.watch)
  expect(settings.rejoinIntervalMs).toBe(profiles.fast.rejoinIntervalMs)
})

it('finds names in any case, and mentions those that nobody knows', () => {
  const { TCPTimeout: _, ...rest } = whole
  const { settings, warnings } = parse({ ...rest, tcptimeout: '7s', Colour: 'green' })
  expect(settings.tcpTimeoutMs).toBe(7000)
  expect(warnings).toEqual(['Colour is not known and was not used'])
})

it('warns where a probe leaves no time for help', () => {
  expect(parse({ ...whole, ProbeTimeout: '2s' }).warnings).toEqual([
    'ProbeTimeout is not shorter than ProbeInterval: nobody can be asked to help',
  ])
})

describe('a mistake is an error that names the field', () => {
  it.each([
    ['ProbeInterval', undefined, /is missing/],
    ['ProbeInterval', 5, /has to be a duration/],
    ['ProbeInterval', '5', /has to be a duration/],
    ['ProbeInterval', '0s', /has to be more than 0/],
    ['GossipInterval', '-1s', /cannot be negative/],
    ['PushPullInterval', '10000h', /24 days/],
    ['GossipNodes', '3', /whole number/],
    ['GossipNodes', 1.5, /whole number/],
    ['UDPBufferSize', 70_000, /512 to 65507/],
    ['HandoffQueueDepth', -1, /0 or more/],
    ['EnableCompression', 'yes', /true or false/],
  ])('%s: %j', (field, value, message) => {
    const config = () => parse({ ...whole, [field]: value })
    expect(config).toThrow(message)
    expect(config).toThrow(expect.objectContaining({ code: 'BAD_MEMBERLIST_CONFIG', details: { field } }))
  })

  it.each(['', '[]', 'null', '{', '"x"'])('the file is %j', text => {
    expect(() => parseMemberlistConfig(text)).toThrow(
      expect.objectContaining({ code: 'BAD_MEMBERLIST_CONFIG' }),
    )
  })
})

it('reads any JSON or refuses it with a code', () => {
  const config = fc.dictionary(fc.constantFrom(...Object.keys(whole), 'x'), fc.jsonValue())
  fc.assert(
    fc.property(config, change => {
      try {
        parse({ ...whole, ...change })
      } catch (error) {
        expect(error).toMatchObject({ code: 'BAD_MEMBERLIST_CONFIG' })
      }
    }),
  )
})
