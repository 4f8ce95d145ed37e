import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { cluster, l2, l2Without, service } from './support/manifests.ts'
import { describeLab } from './support/needs.ts'
import { eventually, SpeakerLab } from './support/speaker-lab.ts'

const vip = 'fd77::100'
const nodes = ['node-a', 'node-b', 'node-c']
const solicit = fileURLToPath(new URL('./programs/solicit.py', import.meta.url))

describeLab('IPv6 clients on the segment', ['ndisc6', 'ping', 'python3'], () => {
  let lab: SpeakerLab
  let owner = ''

  /** Hosts whose eth0 listens to the solicited-node group of the address. */
  const listening = async (): Promise<readonly string[]> => {
    const found: string[] = []
    for (const name of nodes) {
      const { stdout } = await lab.net.exec(name, 'cat', ['/proc/net/igmp6'])
      if (/ eth0 +ff0200000000000000000001ff000100 /.test(stdout)) found.push(name)
    }
    return found
  }

  const addressState = async (): Promise<readonly string[]> => {
    const text = await lab.net.ipIn('client', '-j', 'addr', 'show', 'dev', 'eth0')
    const [link] = JSON.parse(text) as readonly { readonly addr_info: readonly Record<string, unknown>[] }[]
    return Object.keys(link?.addr_info.find(one => one.local === vip) ?? {})
  }

  beforeAll(async () => {
    const web = service('web', { addresses: [vip], spec: { ipFamilies: ['IPv6'] } })
    lab = await SpeakerLab.build('ndp', { nodes, manifests: cluster(nodes, web) })
    await lab.start(nodes, ['--garp-count', '2', '--garp-interval', '200'])
    owner = (await lab.settled('default/web', name => name !== null)) ?? ''
    await lab.whenStatus(owner, 'the address is announced', status =>
      status.announcers.some(one => one.status.some(({ state }) => state === 'announced')),
    )
  })

  afterAll(() => lab?.[Symbol.asyncDispose]())

  it('get the MAC address of the owner, and of nobody else, when ndisc6 asks', async () => {
    expect(nodes).toContain(owner)
    expect(await lab.ndisc(vip)).toEqual([await lab.mac(owner)])
    expect(await lab.ndisc('fd77::101')).toEqual([])
  })

  it('reach the address through their own kernel, which knows the owner by its MAC address', async () => {
    for (const name of nodes) await lab.net.serve(name, [vip])
    const { code, stdout } = await lab.client('ping', '-6', '-c', '1', '-W', '2', vip)
    expect(stdout).toContain('1 received')
    expect(code).toBe(0)
    expect(await lab.neighbour(vip)).toBe(await lab.mac(owner))
  })

  it('ask for it on a multicast group that only the owner has joined', async () => {
    expect(await listening()).toEqual([owner])
  })

  it('keep the address as reachable when their kernel checks it with unicast probes', async () => {
    // No multicast: only an answer to a unicast probe can confirm the entry.
    await lab.net.sysctl('client', {
      'net.ipv6.neigh.eth0.delay_first_probe_time': 1,
      'net.ipv6.neigh.eth0.mcast_solicit': 0,
    })
    const mac = await lab.mac(owner)
    const before = await lab.metric(owner, 'metallb_layer2_responses_sent', vip)
    await lab.net.ipIn('client', 'neigh', 'replace', vip, 'lladdr', mac, 'nud', 'stale', 'dev', 'eth0')
    // Sent to the entry as it is; nothing else than the probe confirms it, as UDP has no answers that could.
    await lab.client('python3', '-c', `import socket; socket.socket(10, 2).sendto(b"x", ("${vip}", 9))`)
    await eventually('the entry is confirmed', async () => {
      const entry = await lab.neighbourEntry(vip)
      expect(entry).toMatchObject({ lladdr: mac })
      return entry?.state?.includes('REACHABLE') ? true : undefined
    })
    await eventually('the answer is counted', async () =>
      (await lab.metric(owner, 'metallb_layer2_responses_sent', vip)) > before ? true : undefined,
    )
    await lab.net.sysctl('client', { 'net.ipv6.neigh.eth0.mcast_solicit': 3 })
  })

  it('are answered also when they do not say at which MAC address they are', async () => {
    const { stdout } = await lab.client('python3', solicit, vip, 'eth0')
    // Flags: not a router, solicited, override.
    expect(stdout.trim()).toBe(`60 ${await lab.mac(owner)}`)
  })

  it('are told that the address is taken when they want it for themselves', async () => {
    await lab.net.sysctl('client', { 'net.ipv6.conf.eth0.accept_dad': 1 })
    await lab.net.ipIn('client', 'addr', 'add', `${vip}/64`, 'dev', 'eth0')
    try {
      const state = await eventually('the kernel has made up its mind', async () => {
        const words = await addressState()
        return words.includes('dadfailed') || !words.includes('tentative') ? words : undefined
      })
      expect(state).toContain('dadfailed')
    } finally {
      await lab.net.ipIn('client', 'addr', 'del', `${vip}/64`, 'dev', 'eth0')
    }
  })

  it('follow the address to another node without asking, and the old owner leaves the group', async () => {
    await lab.client('ping', '-6', '-c', '1', '-W', '2', vip)
    expect(await lab.neighbour(vip)).toBe(await lab.mac(owner))
    const text = await lab.read()
    // The old owner may not answer a question either: whatever changes the entry is the new owner's announcement.
    await lab.edit(text.replace(l2('all'), l2Without('all', owner)))
    const next = (await lab.settled('default/web', name => name !== null && name !== owner)) ?? ''
    const mac = await lab.mac(next)
    await eventually('the neighbour table says so', async () =>
      (await lab.neighbour(vip)) === mac ? true : undefined,
    )
    await eventually('only the new owner listens', async () =>
      String(await listening()) === next ? true : undefined,
    )
    expect(await lab.ndisc(vip)).toEqual([mac])
    await lab.edit(text)
    await lab.settled('default/web', name => name === owner)
  })

  it('hear nothing any more, and nobody listens, when the Service is gone', async () => {
    await lab.edit(cluster(nodes))
    await lab.settled('default/web', name => name === null)
    await eventually('nobody listens', async () => ((await listening()).length === 0 ? true : undefined))
    expect(await lab.ndisc(vip)).toEqual([])
  })
})
