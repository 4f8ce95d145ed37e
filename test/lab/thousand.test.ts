import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Capture } from './support/capture.ts'
import { l2, node, pool, service } from './support/manifests.ts'
import { describeLab } from './support/needs.ts'
import { eventually, SpeakerLab } from './support/speaker-lab.ts'

const v4 = Array.from({ length: 900 }, (_, i) => `10.77.${4 + Math.floor(i / 250)}.${1 + (i % 250)}`)
const v6 = Array.from({ length: 100 }, (_, i) => `fd77::1:${(i + 1).toString(16)}`)
const all = [...v4, ...v6]

/** Pings these addresses, many at a time; prints those that answered. */
const pings = 'printf "%s\\n" "$@" | xargs -P 8 -I @ sh -c "ping -q -n -c 1 -W 5 @ > /dev/null && echo @"'

describeLab('A thousand addresses on one interface', ['ping', 'tcpdump', 'tshark'], () => {
  let lab: SpeakerLab
  let capture: Capture

  beforeAll(async () => {
    const services = all.map((address, i) =>
      service(`web-${i}`, {
        addresses: [address],
        spec: { ipFamilies: [address.includes(':') ? 'IPv6' : 'IPv4'] },
      }),
    )
    const manifests = [
      pool('lan', '10.77.4.0/22', 'fd77::1:0/112'),
      l2('all'),
      node('node-a'),
      ...services,
    ].join('')
    lab = await SpeakerLab.build('thousand', { nodes: ['node-a'], manifests })
    await lab.net.ipIn('client', 'route', 'add', '10.77.4.0/22', 'dev', 'eth0')
    // Room for all of them in the client's neighbour table.
    const room = { gc_thresh1: 4096, gc_thresh2: 8192, gc_thresh3: 16_384 }
    for (const family of ['ipv4', 'ipv6'])
      await lab.net
        .sysctl(
          'client',
          Object.fromEntries(
            Object.entries(room).map(([key, n]) => [`net.${family}.neigh.default.${key}`, n]),
          ),
        )
        .catch(() => {})
    capture = await Capture.start(lab.net, 'client', 'arp or ip6')
    await lab.start(['node-a'], ['--garp-count', '1'])
  })

  afterAll(async () => {
    await capture?.[Symbol.asyncDispose]()
    await lab?.[Symbol.asyncDispose]()
  })

  it('are all in the status as announced on it', async () => {
    const announced = await lab.whenStatus('node-a', 'all are announced', status => {
      const found = status.announcers
        .flatMap(announcer => announcer.status)
        .filter(one => one.state === 'announced' && String(one.via) === 'eth0')
      return found.length === all.length ? found.map(one => one.address) : undefined
    })
    expect(announced.toSorted()).toEqual(all.toSorted())
    const status = await lab.status('node-a')
    expect(status?.services).toHaveLength(all.length)
    expect(status?.services.every(one => one.owner === 'node-a' && one.state === 'assigned')).toBe(true)
  })

  it('are all announced unasked', async () => {
    const mac = await lab.mac('node-a')
    await eventually('every announcement was made', async () =>
      (await lab.metric('node-a', 'metallb_layer2_gratuitous_sent')) === 2 * v4.length + v6.length
        ? true
        : undefined,
    )
    const announced = await eventually('every announcement arrived', async () => {
      const frames = await capture.frames(
        `eth.src == ${mac} && ((arp.isgratuitous == 1 && arp.opcode == 2) || icmpv6.nd.na.flag.s == 0)`,
        ['arp.src.proto_ipv4', 'icmpv6.nd.na.target_address'],
      )
      const found = new Set(
        frames.map(frame => frame['arp.src.proto_ipv4'] || frame['icmpv6.nd.na.target_address']),
      )
      return all.every(address => found.has(address)) ? found : undefined
    })
    for (const address of all) expect(announced).toContain(address)
  })

  it('are all found by the kernel of a client that needs them', async () => {
    await lab.net.ipIn('client', 'neigh', 'flush', 'dev', 'eth0')
    await lab.net.sysctl('node-a', { 'net.ipv4.conf.all.arp_ignore': 1, 'net.ipv4.conf.all.arp_announce': 2 })
    // One route instead of a thousand addresses: the kernel delivers them all to itself, and answers ARP for none.
    await lab.net.ipIn('node-a', 'route', 'add', 'local', '10.77.4.0/22', 'dev', 'lo')
    await lab.net.ipIn('node-a', 'route', 'add', 'local', 'fd77::1:0/112', 'dev', 'lo')
    const { stdout } = await lab.client('sh', '-c', pings, 'sh', ...all)
    expect(stdout.split('\n').filter(Boolean).toSorted()).toEqual(all.toSorted())
    const mac = await lab.mac('node-a')
    for (const address of [v4[0], v4[899], v6[0], v6[99]])
      expect(await lab.neighbour(address ?? '')).toBe(mac)
  })

  it('take little memory', async () => {
    const status = await readFile(`/proc/${lab.pid('node-a')}/status`, 'utf8')
    const megabytes = Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1000)
    process.stdout.write(`a speaker with ${all.length} addresses uses ${megabytes} MB\n`)
    expect(megabytes).toBeLessThan(200)
  })

  it('are all given up within moments when the pool is', async () => {
    await lab.edit([pool('lan', '10.77.8.0/24'), l2('all'), node('node-a')].join(''))
    await lab.whenStatus('node-a', 'nothing is announced', status =>
      status.announcers.every(announcer => announcer.status.length === 0),
    )
    expect(await lab.arping(v4[0] ?? '')).toEqual([])
  })
})
