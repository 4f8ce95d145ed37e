import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { cluster, l2, service } from './support/manifests.ts'
import { describeLab } from './support/needs.ts'
import { eventually, SpeakerLab } from './support/speaker-lab.ts'

const v4 = '10.77.0.100'
const v6 = 'fd77::100'
const web = service('web', { addresses: [v4, v6], spec: { ipFamilyPolicy: 'RequireDualStack' } })
const manifests = cluster(['node-a'], web)
const quick = ['--garp-count', '3', '--garp-interval', '600']

describeLab('A node', ['arping', 'ndisc6', 'ping'], () => {
  let lab: SpeakerLab

  /** Interfaces on which the node says that it announces an address. */
  const via = async (address: string): Promise<readonly string[]> => {
    const status = await lab.status('node-a')
    const all = status?.announcers.flatMap(announcer => announcer.status) ?? []
    return all.find(one => one.address === address)?.via ?? []
  }
  const speaksVia = (...interfaces: readonly string[]): Promise<true> =>
    eventually(`both addresses are announced on ${interfaces}`, async () =>
      String(await via(v4)) === String(interfaces) && String(await via(v6)) === String(interfaces)
        ? true
        : undefined,
    )
  const expectAnswers = async (...macs: readonly string[]): Promise<void> => {
    expect((await lab.arping(v4)).toSorted()).toEqual(macs.toSorted())
    expect((await lab.ndisc(v6)).toSorted()).toEqual(macs.toSorted())
  }
  /** The client's kernel believes this MAC address without having asked: it only hears announcements. */
  const believes = (mac: string): Promise<true> =>
    eventually(`the client's neighbour table says ${mac}`, async () =>
      (await lab.neighbour(v4)) === mac && (await lab.neighbour(v6)) === mac ? true : undefined,
    )
  /** Entries that nothing but an announcement changes soon. */
  const remember = async (mac: string): Promise<void> => {
    for (const address of [v4, v6])
      await lab.net.ipIn('client', 'neigh', 'replace', address, 'lladdr', mac, 'nud', 'stale', 'dev', 'eth0')
  }
  const gratuitous = (): Promise<number> => lab.metric('node-a', 'metallb_layer2_gratuitous_sent')

  beforeEach(async () => {
    lab = await SpeakerLab.build('ports', { nodes: ['node-a'], manifests })
  })

  afterEach(() => lab?.[Symbol.asyncDispose]())

  describe('with two interfaces on one segment', () => {
    let macs: readonly string[]

    beforeEach(async () => {
      await lab.net.join('switch', 'node-a', ['10.77.0.21/24', 'fd77::21/64'], 'eth1')
      macs = [await lab.mac('node-a'), await lab.mac('node-a', 'eth1')]
      // The kernel would answer on every interface for any of the node's own addresses; ours are not the node's.
      await lab.net.sysctl('node-a', { 'net.ipv4.conf.all.arp_ignore': 1 })
    })

    it('answers on each with its own MAC address, and does not take itself for a rival', async () => {
      await lab.start(['node-a'], quick)
      await speaksVia('eth0', 'eth1')
      await expectAnswers(...macs)
      // Three rounds, two interfaces; two frames for ARP and one for NDP. The last comes after a rival would have been reported.
      await eventually('every announcement was made', async () =>
        (await gratuitous()) === 18 ? true : undefined,
      )
      const status = await lab.status('node-a')
      expect(status?.events.filter(event => event.type === 'addressConflict')).toEqual([])
      expect(await lab.metric('node-a', 'carillon_layer2_conflicts')).toBe(0)
    })

    it('speaks only on the interfaces that the advertisement names', async () => {
      await lab.edit(manifests.replace(l2('all'), l2('all', { interfaces: ['eth1'] })))
      await lab.start(['node-a'], quick)
      await speaksVia('eth1')
      await expectAnswers(macs[1] ?? '')
      await lab.edit(manifests.replace(l2('all'), l2('all', { interfaces: ['eth0'] })))
      await speaksVia('eth0')
      await expectAnswers(macs[0] ?? '')
    })

    it('is silent on an interface that it is told to exclude', async () => {
      await lab.start(['node-a'], [...quick, '--exclude-interfaces', '^eth0$'])
      await speaksVia('eth1')
      await expectAnswers(macs[1] ?? '')
    })
  })

  describe('whose interface comes and goes', () => {
    it('announces again when the link is back, and answers', async () => {
      await lab.start(['node-a'], quick)
      await speaksVia('eth0')
      const mac = await lab.mac('node-a')
      await eventually('the first announcements were made', async () =>
        (await gratuitous()) === 9 ? true : undefined,
      )
      await lab.net.ipIn('node-a', 'link', 'set', 'eth0', 'down')
      await speaksVia()
      // Somebody else's MAC address, which an announcement has to correct.
      await remember('02:00:00:00:00:99')
      await lab.net.ipIn('node-a', 'link', 'set', 'eth0', 'up')
      await speaksVia('eth0')
      await believes(mac)
      await expectAnswers(mac)
    })

    it('announces with the new MAC address when the interface changes it', async () => {
      await lab.start(['node-a'], quick)
      await speaksVia('eth0')
      await remember(await lab.mac('node-a'))
      const mac = '02:00:00:00:00:42'
      await lab.net.ipIn('node-a', 'link', 'set', 'eth0', 'address', mac)
      await believes(mac)
      await expectAnswers(mac)
    })

    it('serves an interface that was removed and made anew', async () => {
      await lab.start(['node-a'], quick)
      await speaksVia('eth0')
      const old = await lab.mac('node-a')
      await lab.net.ipIn('node-a', 'link', 'del', 'eth0')
      await speaksVia()
      await remember(old)
      await lab.net.join('switch', 'node-a', ['10.77.0.11/24', 'fd77::11/64'])
      const mac = await lab.mac('node-a')
      expect(mac).not.toBe(old)
      await speaksVia('eth0')
      await believes(mac)
      await expectAnswers(mac)
    })

    it('says what it waits for while there is none, and serves one that appears', async () => {
      await lab.net.ipIn('node-a', 'link', 'del', 'eth0')
      await lab.start(['node-a'], quick)
      const status = await lab.whenStatus('node-a', 'the address cannot be announced', one =>
        one.announcers.some(({ status: all }) => all.some(({ state }) => state === 'failed'))
          ? one
          : undefined,
      )
      const errors = status.announcers.flatMap(one => one.status.map(({ error }) => error?.code))
      expect(errors).toEqual(['NO_INTERFACE', 'NO_INTERFACE'])
      await lab.net.join('switch', 'node-a', ['10.77.0.11/24', 'fd77::11/64'])
      await speaksVia('eth0')
      await expectAnswers(await lab.mac('node-a'))
    })
  })
})
