import { afterAll, beforeAll, expect, it } from 'vitest'
import { cluster, service } from './support/manifests.ts'
import { describeLab } from './support/needs.ts'
import { eventually, SpeakerLab } from './support/speaker-lab.ts'

const v4 = '10.77.0.100'
const v6 = 'fd77::100'

describeLab('A second station that uses a service address', ['arping', 'ndisc6'], () => {
  let lab: SpeakerLab
  let rival = ''

  beforeAll(async () => {
    const web = service('web', { addresses: [v4, v6], spec: { ipFamilyPolicy: 'RequireDualStack' } })
    lab = await SpeakerLab.build('conflict', { nodes: ['node-a'], manifests: cluster(['node-a'], web) })
    await lab.net.host('rival')
    await lab.net.join('switch', 'rival', ['10.77.0.50/24', 'fd77::50/64'])
    rival = await lab.mac('rival')
    await lab.start(['node-a'], ['--garp-count', '1'])
    await lab.settled('default/web', owner => owner === 'node-a')
  })

  afterAll(() => lab?.[Symbol.asyncDispose]())

  const conflicts = async (address: string): Promise<readonly string[]> => {
    const status = await lab.status('node-a')
    const events = status?.events.filter(
      event => event.type === 'addressConflict' && event.address === address,
    )
    return events?.map(event => event.message) ?? []
  }
  const warnings = (address: string): readonly string[] =>
    lab
      .log('node-a')
      .split('\n')
      .filter(line => line.includes('"warn"') && line.includes(`"${address}"`))

  it('is named by its MAC address in the events, the status, the log and a metric when it claims an IPv4 address', async () => {
    await lab.net.ipIn('rival', 'addr', 'add', `${v4}/32`, 'dev', 'eth0')
    // As every network manager does when it brings an address up.
    await lab.net.exec('rival', 'arping', ['-U', '-I', 'eth0', '-c', '3', '-w', '4', v4])
    const [message] = await eventually('the conflict is reported', async () => {
      const found = await conflicts(v4)
      return found.length > 0 ? found : undefined
    })
    expect(message).toContain(rival)
    expect(message).toContain('eth0')
    const status = await lab.status('node-a')
    const announced = status?.announcers.flatMap(one => one.status).find(one => one.address === v4)
    expect(announced).toMatchObject({ state: 'announced', error: { code: 'ADDRESS_CONFLICT' } })
    expect(announced?.error?.message).toContain(rival)
    const { stdout } = await lab.carillon('node-a', 'status')
    expect(stdout).toContain(rival)
    await eventually('the metric counts the frames', async () =>
      (await lab.metric('node-a', 'carillon_layer2_conflicts', `ip="${v4}"`)) >= 3 ? true : undefined,
    )
    expect(warnings(v4)).toHaveLength(1)
    expect(warnings(v4)[0]).toContain(rival)
  })

  it('is spoken of once, not for each of its frames', async () => {
    const before = await lab.metric('node-a', 'carillon_layer2_conflicts', `ip="${v4}"`)
    const logged = warnings(v4).length
    const burst = [
      '-c',
      'for i in 1 2 3 4 5 6 7 8 9 10; do arping -q -A -I eth0 -c 1 -w 1 "$0" & done; wait',
      v4,
    ]
    await lab.net.exec('rival', 'sh', burst)
    await eventually('all were counted', async () =>
      (await lab.metric('node-a', 'carillon_layer2_conflicts', `ip="${v4}"`)) >= before + 10
        ? true
        : undefined,
    )
    // One in ten seconds (RFC 5227 section 2.4): the burst may have crossed into the next ten.
    expect(warnings(v4).length - logged).toBeLessThanOrEqual(2)
    expect((await conflicts(v4)).length).toBeLessThanOrEqual(1 + 2)
  })

  it('does not make the node fall silent: it goes on answering', async () => {
    expect(await lab.arping(v4)).toContain(await lab.mac('node-a'))
  })

  it('is found out too when it answers for an IPv6 address', async () => {
    await lab.net.ipIn('rival', 'addr', 'add', `${v6}/64`, 'dev', 'eth0', 'nodad')
    // The kernel then tells everybody of its addresses when its MAC address changes.
    await lab.net.sysctl('rival', { 'net.ipv6.conf.eth0.ndisc_notify': 1 })
    rival = '02:00:00:00:00:66'
    await lab.net.ipIn('rival', 'link', 'set', 'eth0', 'address', rival)
    const [message] = await eventually('the conflict is reported', async () => {
      const found = await conflicts(v6)
      return found.length > 0 ? found : undefined
    })
    expect(message).toContain(rival)
    expect(await lab.ndisc(v6)).toContain(await lab.mac('node-a'))
  })
})
