import type { SessionDocument } from '@carillon/core'
import { describe, expect, it } from 'vitest'
import { checkPeer, checkSession, type Knocked } from './bgp.ts'
import { checkClock } from './clock.ts'
import type { Finding } from './finding.ts'
import { checkPort, checkReach, isOurs } from './gossip.ts'
import { checkKernel, type KernelFacts } from './kernel.ts'
import { checkPrivileges } from './privileges.ts'
import { inodesOf } from './probe/proc.ts'
import { checkResponders } from './responders.ts'
import { checkStrictArp } from './strict-arp.ts'

/** Results by subject. */
const results = (findings: readonly Finding[]): Record<string, string> =>
  Object.fromEntries(findings.map(({ subject, result }) => [subject, result]))

/** Whatever is wrong comes with something to do. */
const hasAdvice = (findings: readonly Finding[]): boolean =>
  findings.every(({ result, advice }) => result !== 'error' || (advice ?? '').length > 10)

describe('privileges', () => {
  it('root has them all', () => {
    expect(checkPrivileges(0x1ffffffffffn).map(({ result }) => result)).toEqual(['ok', 'ok', 'ok', 'ok'])
  })

  it('without CAP_NET_RAW nothing can be announced, what few need is only noted', () => {
    const findings = checkPrivileges(0n)
    expect(results(findings)).toEqual({
      CAP_NET_RAW: 'error',
      CAP_NET_BIND_SERVICE: 'skipped',
      CAP_SYS_NICE: 'warning',
      CAP_NET_ADMIN: 'skipped',
    })
    expect(hasAdvice(findings)).toBe(true)
    expect(results(checkPrivileges(1n << 13n))).toMatchObject({ CAP_NET_RAW: 'ok', CAP_SYS_NICE: 'warning' })
  })

  it('where they cannot be read nothing is claimed', () => {
    expect(checkPrivileges(undefined)).toMatchObject([{ result: 'skipped' }])
  })
})

describe('kernel', () => {
  const able: KernelFacts = {
    frames: undefined,
    md5: undefined,
    device: undefined,
    minimumTtl: undefined,
    ipv6: true,
    vrf: true,
  }

  it('one that can do everything is fine', () => {
    expect(new Set(checkKernel(able).map(({ result }) => result))).toEqual(new Set(['ok']))
  })

  it('each thing that it lacks is named with what is lost', () => {
    const findings = checkKernel({
      frames: 'EPERM',
      md5: 'ENOPROTOOPT',
      device: 'EPERM',
      minimumTtl: 'ENOPROTOOPT',
      ipv6: undefined,
      vrf: false,
    })
    expect(results(findings)).toEqual({
      'packet sockets': 'error',
      'TCP-MD5': 'warning',
      SO_BINDTODEVICE: 'warning',
      'minimum TTL': 'warning',
      IPv6: 'warning',
      VRF: 'skipped',
    })
    expect(findings[0]?.advice).toContain('CAP_NET_RAW')
    expect(results(checkKernel({ ...able, ipv6: false }))).toMatchObject({ IPv6: 'warning' })
  })
})

describe('gossip', () => {
  const bind = { address: '0.0.0.0', port: 7946 }
  const member = { address: '10.0.0.2', port: 7946 }

  it('the port is free, ours, or taken by whom', () => {
    expect(checkPort(bind, 'UDP', { state: 'free' })).toMatchObject({
      result: 'ok',
      subject: '0.0.0.0:7946 UDP',
    })
    const ours = checkPort(bind, 'TCP', { state: 'held', pid: 7, command: 'node /usr/bin/carillon run' })
    expect(ours).toMatchObject({ result: 'ok', message: 'held by node /usr/bin/carillon run (pid 7)' })
    const other = checkPort(bind, 'TCP', { state: 'held', pid: 8, command: '/speaker --port=7472' })
    expect(other).toMatchObject({
      result: 'error',
      message: expect.stringContaining('/speaker --port=7472 (pid 8)'),
    })
    expect(checkPort(bind, 'UDP', { state: 'unknown' }).result).toBe('warning')
    expect(checkPort(bind, 'UDP', { state: 'unbindable', code: 'EADDRNOTAVAIL' })).toMatchObject({
      result: 'error',
      advice: expect.stringContaining('--gossip-bind'),
    })
  })

  it.each([
    ['node /opt/carillon/packages/cli/bin/carillon.js run', true],
    ['/usr/local/bin/carillon speaker', true],
    ['carillon', true],
    ['/speaker --ml-bindport=7946', false],
    ['python3 carillonette.py', false],
  ])('%s is ours: %s', (command, ours) => expect(isOurs(command)).toBe(ours))

  it('a member that is well connected', () => {
    const findings = checkReach(member, { datagram: true, stream: { state: 'answered' }, back: true })
    expect(findings.map(({ result }) => result)).toEqual(['ok', 'ok', 'ok'])
  })

  it.each([
    [{ datagram: false, stream: { state: 'answered' }, back: undefined }, 'UDP', /open UDP port 7946/],
    [
      { datagram: true, stream: { state: 'unreachable', code: 'ETIMEDOUT' }, back: true },
      'TCP',
      /open TCP port 7946/,
    ],
    [
      { datagram: false, stream: { state: 'unreachable', code: 'ECONNREFUSED' }, back: undefined },
      'TCP',
      /start a speaker/,
    ],
    [
      { datagram: false, stream: { state: 'refused', why: 'no keys' }, back: undefined },
      'TCP',
      /--gossip-key-file/,
    ],
    [{ datagram: true, stream: { state: 'silent' }, back: true }, 'TCP', /what listens there/],
    [{ datagram: true, stream: { state: 'answered' }, back: false }, 'back', /in on this host/],
  ] as const)('%j: what is wrong is said of %s', (reach, subject, advice) => {
    const wrong = checkReach(member, reach).find(one => one.subject === `10.0.0.2:7946 ${subject}`)
    expect(wrong).toMatchObject({ result: 'error', advice: expect.stringMatching(advice) })
  })

  it('the sockets of a port are found in the tables of /proc', () => {
    const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:1F0A 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1
   1: 0100007F:1F0A 0200007F:C001 01 00000000:00000000 00:00000000 00000000     0        0 4712 1
   2: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4713 1
`
    expect(inodesOf(table, 7946)).toEqual(['4711'])
    expect(inodesOf('', 7946)).toEqual([])
  })
})

describe('strict ARP', () => {
  const none = { ipvs: false, ignore: 0, announce: 0, borne: [] }

  it('without IPVS the settings do not matter', () => {
    expect(checkStrictArp(none)).toMatchObject([{ result: 'ok' }])
  })

  it('with IPVS they have to be strict', () => {
    expect(checkStrictArp({ ...none, ipvs: true })).toMatchObject([
      { result: 'error', advice: expect.stringContaining('strictARP: true') },
    ])
    expect(checkStrictArp({ ...none, ipvs: true, ignore: 1, announce: 1 })).toMatchObject([
      { result: 'error' },
    ])
    expect(checkStrictArp({ ...none, ipvs: true, ignore: 1, announce: 2 })).toMatchObject([{ result: 'ok' }])
    expect(checkStrictArp({ ...none, ipvs: true, ignore: undefined })).toMatchObject([{ result: 'skipped' }])
  })

  it('an address that the kernel bears itself is answered for by it', () => {
    const on = (name: string, ignore: number): Record<string, string> =>
      results(checkStrictArp({ ...none, ignore, borne: [{ address: '10.0.0.9', interface: name }] }))
    expect(on('eth0', 0)['10.0.0.9']).toBe('warning')
    expect(on('eth0', 1)['10.0.0.9']).toBe('warning')
    expect(on('lo', 0)['10.0.0.9']).toBe('warning')
    expect(on('lo', 1)['10.0.0.9']).toBeUndefined()
  })
})

describe('responders', () => {
  const station = (mac: string): { mac: string; interface: string } => ({ mac, interface: 'eth0' })
  const [a, b] = [station('02:00:00:00:00:0a'), station('02:00:00:00:00:0b')]

  it.each([
    ['our own, nobody else', { own: true, stations: [] }, 'ok', /nobody else/],
    [
      'our own, another answers',
      { own: true, stations: [b] },
      'error',
      /02:00:00:00:00:0b on eth0 answers, too/,
    ],
    ["another node's", { own: false, owner: 'node-b', stations: [b] }, 'ok', /should be node-b/],
    [
      "another node's, silent",
      { own: false, owner: 'node-b', stations: [] },
      'warning',
      /though node-b should/,
    ],
    ['two answer', { own: false, stations: [a, b] }, 'error', /2 stations .*0a on eth0, .*0b on eth0/],
    ['on two interfaces of one', { own: false, stations: [a, { ...a, interface: 'eth1' }] }, 'ok', /answers/],
    ['nobody knows of it', { own: false, stations: [] }, 'ok', /nobody answers/],
    ['cannot be asked', { own: false, stations: [], unasked: 'no interface' }, 'skipped', /no interface/],
  ] as const)('%s', (_, answers, result, message) => {
    const finding = checkResponders({ address: '10.0.0.9', ...answers })
    expect(finding).toMatchObject({ result, message: expect.stringMatching(message) })
  })
})

describe('BGP', () => {
  const knocked = (knock: Knocked['knock'], more: Partial<Knocked> = {}): Finding =>
    checkPeer({ peer: 'tor', at: '10.0.0.1:179', as: 64513, ttl: 1, signed: false, knock, ...more })

  it.each([
    [{ came: 'open', as: 64513, routerId: '10.0.0.1' }, 'ok', /AS 64513, router id 10\.0\.0\.1/],
    [{ came: 'open', as: 64514, routerId: '10.0.0.1' }, 'error', /in AS 64514, and spec\.peerASN says 64513/],
    [{ came: 'nothing' }, 'ok', /waits/],
    [{ came: 'closed' }, 'warning', /closes it at once/],
    [{ came: 'notification', code: 6, subcode: 5 }, 'warning', /NOTIFICATION 6\/5/],
    [{ came: 'noise' }, 'error', /does not speak BGP/],
    [{ came: 'error', code: 'ECONNREFUSED' }, 'error', /nobody listens/],
    [{ came: 'error', code: 'ETIMEDOUT' }, 'error', /no answer/],
    [{ came: 'error', code: 'EWEIRD' }, 'error', /EWEIRD/],
  ] as const)('%j is %s', (knock, result, message) => {
    expect(knocked(knock)).toMatchObject({ result, message: expect.stringMatching(message) })
  })

  it('advice goes by the password and the distance', () => {
    const late = { came: 'error', code: 'ETIMEDOUT' } as const
    expect(knocked(late).advice).toMatch(/spec\.passwordSecret.*ebgpMultiHop/)
    expect(knocked(late, { signed: true, ttl: 255 }).advice).toMatch(/a password that differs/)
    expect(knocked(late, { ttl: 255 }).advice).not.toContain('ebgpMultiHop')
  })

  it('a session of the running speaker answers for its peer, and a broken one does not', () => {
    const session = (state: string, more: object = {}): SessionDocument =>
      ({ peer: 'tor', state, ...more }) as unknown as SessionDocument
    expect(checkSession(session('Established'))).toMatchObject({ result: 'ok' })
    expect(checkSession(session('OpenSent'))).toMatchObject({ result: 'ok' })
    expect(checkSession(session('Idle', { waiting: 'for the peer' }))).toMatchObject({ result: 'skipped' })
    expect(checkSession(session('Active', { waiting: 'next attempt in 5 s', lastError: {} }))).toBeUndefined()
  })
})

describe('clock', () => {
  it('in step and steady', () => {
    const findings = checkClock({ synchronised: { yes: true, by: 'chronyc' }, driftMs: 2 })
    expect(findings.map(({ result }) => result)).toEqual(['ok', 'ok'])
  })

  it('out of step, and jumping, either way', () => {
    expect(results(checkClock({ synchronised: { yes: false, by: 'timedatectl' }, driftMs: 900 }))).toEqual({
      synchronised: 'warning',
      jumps: 'warning',
    })
    expect(results(checkClock({ synchronised: undefined, driftMs: -900 }))).toEqual({
      synchronised: 'skipped',
      jumps: 'warning',
    })
  })
})
