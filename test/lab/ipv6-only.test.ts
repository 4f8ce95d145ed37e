import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { kustomized } from '../kube/support/kustomize.ts'
import { noClusterPrograms } from '../support/cluster-programs.ts'
import { ConfinedCluster, template } from './support/confined-cluster.ts'
import { inDefault, inSystem } from './support/kube-lab.ts'
import { endpoints, l2, pool, service } from './support/manifests.ts'
import { describeLab } from './support/needs.ts'
import { seccompProfile } from './support/seccomp.ts'
import { eventually } from './support/speaker-lab.ts'

const namespace = 'metallb-system'

describeLab('A cluster without IPv4', ['runc', seccompProfile, 'ndisc6'], () => {
  let cluster: ConfinedCluster

  /** Waits until one node alone answers for an address; gives its MAC address. */
  const answering = (address: string, other = ''): Promise<string> =>
    eventually(
      `one node answers for ${address}`,
      async () => {
        const all = await cluster.lab.ndisc(address)
        return all.length === 1 && all[0] !== other ? all[0] : undefined
      },
      20,
    )

  beforeAll(async () => {
    if (noClusterPrograms !== undefined) return
    const objects = kustomized('base')
    const speaker = template(objects, 'DaemonSet', 'carillon-speaker')
    const pods = ['a', 'b'].map((name, i) => ({
      name: `speaker-${name}`,
      namespace,
      node: `node-${name}`,
      address: `fd77::1${i + 1}`,
      template: speaker,
    }))
    cluster = await ConfinedCluster.build('ipv6', {
      api: 'fd77::1',
      serviceCidrs: ['fd00:96::/112'],
      onlyIpv6: true,
      objects,
      controller: {
        name: 'controller',
        namespace,
        node: 'node-c',
        address: 'fd77::13',
        template: template(objects, 'Deployment', 'carillon-controller'),
      },
      speakers: pods,
    })
    await cluster.kubectl(
      ['apply'],
      [
        inSystem(pool('lan', 'fd77::100-fd77::120')),
        inSystem(l2('all')),
        inDefault(service('web')),
        inDefault(endpoints('web', 'node-a', 'node-b')),
      ].join(''),
    )
  }, 120_000)
  beforeEach(context => context.skip(noClusterPrograms !== undefined, noClusterPrograms))
  afterAll(async () => {
    await cluster?.[Symbol.asyncDispose]()
  })

  it('has a gossip over IPv6', async () => {
    const members = await eventually('both are members', async () => {
      const { stdout } = await cluster.container('speaker-a').exec('carillon', 'members')
      return (stdout.match(/ alive$/gm) ?? []).length === 2 ? stdout : undefined
    })
    expect(members).toMatch(/^node-a +\[fd77::11\]:7946 /m)
    expect(members).toMatch(/^node-b +\[fd77::12\]:7946 /m)
  })

  it('gives a Service an address, which one node answers for, and another when that is gone', async () => {
    const macs = await Promise.all(['node-a', 'node-b'].map(name => cluster.lab.mac(name)))
    const first = await answering('fd77::100')
    const names = ['speaker-a', 'speaker-b'] as const
    await cluster.container(names[macs.indexOf(first)] ?? '').terminate()
    const second = await answering('fd77::100', first)
    expect([first, second].toSorted()).toEqual(macs.toSorted())
  })

  it('refuses what is wrong, by webhooks that are reached over IPv6', async () => {
    await expect(cluster.kubectl(['apply'], inSystem(pool('wrong', 'fd77::110-fd77::130')))).rejects.toThrow(
      'admission webhook',
    )
  })
})
