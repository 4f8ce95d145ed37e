import { afterAll, beforeAll, expect, it } from 'vitest'
import { Capture } from './support/capture.ts'
import { cluster, service } from './support/manifests.ts'
import { describeLab } from './support/needs.ts'
import { eventually, SpeakerLab } from './support/speaker-lab.ts'

const v4 = '10.77.0.100'
const v6 = 'fd77::100'
const allNodes = '33:33:00:00:00:01'
const broadcast = 'ff:ff:ff:ff:ff:ff'
const rounds = 4
const intervalMs = 300

describeLab(
  'tshark, which nobody here wrote, on a takeover and what follows,',
  ['tshark', 'tcpdump', 'arping', 'ndisc6'],
  () => {
    let lab: SpeakerLab
    let capture: Capture
    let mac = ''
    let clientMac = ''

    beforeAll(async () => {
      const web = service('web', { addresses: [v4, v6], spec: { ipFamilyPolicy: 'RequireDualStack' } })
      lab = await SpeakerLab.build('decoded', { nodes: ['node-a'], manifests: cluster(['node-a'], web) })
      mac = await lab.mac('node-a')
      clientMac = await lab.mac('client')
      capture = await Capture.start(lab.net, 'client', 'arp or ip6')
      await lab.start(['node-a'], ['--garp-count', String(rounds), '--garp-interval', String(intervalMs)])
      for (const [address, frames] of [
        [v4, 2 * rounds],
        [v6, rounds],
      ] as const)
        await eventually(`all rounds for ${address}`, async () =>
          (await lab.metric('node-a', 'metallb_layer2_gratuitous_sent', address)) === frames
            ? true
            : undefined,
        )
      await lab.arping(v4)
      await lab.client('arping', '-D', '-I', 'eth0', '-c', '1', '-w', '2', v4)
      await lab.ndisc(v6)
      await lab.net.sysctl('client', { 'net.ipv6.conf.eth0.accept_dad': 1 })
      await lab.net.ipIn('client', 'addr', 'add', `${v6}/64`, 'dev', 'eth0')
      await eventually(
        'the client finds the address taken',
        async () =>
          (await lab.net.ipIn('client', 'addr', 'show', 'dev', 'eth0')).includes('dadfailed') || undefined,
      )
      await capture.stop()
    })

    afterAll(async () => {
      await capture?.[Symbol.asyncDispose]()
      await lab?.[Symbol.asyncDispose]()
    })

    it('has no complaint about any frame of the owner', async () => {
      const complaints = await capture.frames(
        `eth.src == ${mac} && (_ws.malformed || _ws.expert.severity >= 0x400000)`,
        ['frame.number', '_ws.expert.message'],
      )
      expect(complaints).toEqual([])
      const all = await capture.frames(`eth.src == ${mac}`, ['frame.number'])
      expect(all.length).toBeGreaterThanOrEqual(3 * rounds + 4)
    })

    it('finds every ICMPv6 checksum good and every hop limit 255 in neighbour advertisements', async () => {
      const frames = await capture.frames(
        `eth.src == ${mac} && icmpv6.type == 136 && icmpv6.nd.na.target_address == ${v6}`,
        [
          'icmpv6.checksum.status',
          'ipv6.hlim',
          'ipv6.src',
          'icmpv6.code',
          'icmpv6.opt.linkaddr',
          'icmpv6.nd.na.flag.r',
          'icmpv6.nd.na.flag.o',
        ],
      )
      expect(frames.length).toBeGreaterThanOrEqual(rounds + 2)
      for (const frame of frames) {
        expect(frame).toEqual({
          'icmpv6.checksum.status': '1',
          'ipv6.hlim': '255',
          'ipv6.src': v6,
          'icmpv6.code': '0',
          'icmpv6.opt.linkaddr': mac,
          'icmpv6.nd.na.flag.r': '0',
          'icmpv6.nd.na.flag.o': '1',
        })
      }
    })

    it('sees the address announced in both ARP forms, to everybody, as often as was asked for', async () => {
      const fields = [
        'eth.dst',
        'arp.opcode',
        'arp.src.hw_mac',
        'arp.src.proto_ipv4',
        'arp.dst.proto_ipv4',
      ] as const
      const frames = await capture.frames(
        `eth.src == ${mac} && arp.isgratuitous == 1 && arp.dst.proto_ipv4 == ${v4}`,
        [...fields, 'frame.time_epoch'],
      )
      const form = (opcode: string) => ({
        'eth.dst': broadcast,
        'arp.opcode': opcode,
        'arp.src.hw_mac': mac,
        'arp.src.proto_ipv4': v4,
        'arp.dst.proto_ipv4': v4,
      })
      const expected = Array.from({ length: rounds }, () => [form('1'), form('2')]).flat()
      expect(frames).toMatchObject(expected)
      expect(frames).toHaveLength(2 * rounds)
      spaced(
        frames.filter(frame => frame['arp.opcode'] === '1').map(frame => Number(frame['frame.time_epoch'])),
      )
    })

    it('sees the address announced in neighbour advertisements to all nodes, as often as was asked for', async () => {
      const frames = await capture.frames(
        `eth.src == ${mac} && icmpv6.nd.na.target_address == ${v6} && icmpv6.nd.na.flag.s == 0 && ipv6.dst == ff02::1`,
        ['eth.dst', 'frame.time_epoch'],
      )
      // One more than the rounds: the answer to the client that wanted the address.
      expect(frames.map(frame => frame['eth.dst'])).toEqual(
        Array.from({ length: rounds + 1 }, () => allNodes),
      )
      spaced(frames.slice(0, rounds).map(frame => Number(frame['frame.time_epoch'])))
    })

    it('sees replies sent to whoever asked, with what it asked for', async () => {
      const fields = [
        'eth.dst',
        'arp.src.hw_mac',
        'arp.src.proto_ipv4',
        'arp.dst.hw_mac',
        'arp.dst.proto_ipv4',
      ] as const
      const replies = await capture.frames(
        `eth.src == ${mac} && arp.opcode == 2 && eth.dst == ${clientMac}`,
        fields,
      )
      const reply = (asker: string) => ({
        'eth.dst': clientMac,
        'arp.src.hw_mac': mac,
        'arp.src.proto_ipv4': v4,
        'arp.dst.hw_mac': clientMac,
        'arp.dst.proto_ipv4': asker,
      })
      expect(replies).toContainEqual(reply('10.77.0.1'))
      // RFC 5227 section 2.1.1: a probe has no sender address.
      expect(replies).toContainEqual(reply('0.0.0.0'))
      const solicited = await capture.frames(
        `eth.src == ${mac} && icmpv6.nd.na.target_address == ${v6} && icmpv6.nd.na.flag.s == 1`,
        ['eth.dst', 'ipv6.dst'],
      )
      expect(solicited.length).toBeGreaterThan(0)
      for (const frame of solicited)
        expect(frame).toEqual({ 'eth.dst': clientMac, 'ipv6.dst': expect.stringMatching(/^f(d77|e80):/) })
    })

    it('sees the solicited-node group of the address being joined', async () => {
      const reports = await capture.frames(
        `eth.src == ${mac} && icmpv6.type == 143 && icmpv6.mldr.mar.multicast_address == ff02::1:ff00:100`,
        ['frame.number'],
      )
      expect(reports.length).toBeGreaterThan(0)
    })
  },
)

/** Rounds come no closer than asked for, give or take what a busy machine does to two of them. */
function spaced(times: readonly number[]): void {
  const [first = 0] = times
  const span = ((times.at(-1) ?? 0) - first) * 1000
  expect(span).toBeGreaterThan((rounds - 1) * intervalMs * 0.8)
  expect(span).toBeLessThan((rounds - 1) * intervalMs + 2000)
}
