import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { cluster, endpoints, service } from './support/manifests.ts'
import { describeLab } from './support/needs.ts'
import { eventually, SpeakerLab } from './support/speaker-lab.ts'

const vip = '10.77.0.100'
const nodes = ['node-a', 'node-b']

describeLab('Clients of a Service', ['arping'], () => {
  let lab: SpeakerLab

  const answeredBy = async (owner: string | null): Promise<void> => {
    expect(await lab.arping(vip)).toEqual(owner === null ? [] : [await lab.mac(owner)])
  }

  beforeAll(async () => {
    lab = await SpeakerLab.build('services', { nodes, manifests: cluster(nodes) })
    await lab.start(nodes, ['--garp-count', '1'])
  })

  afterAll(() => lab?.[Symbol.asyncDispose]())

  beforeEach(async () => {
    await lab.edit(cluster(nodes))
    await lab.settled('default/web', owner => owner === null)
  })

  describe('with externalTrafficPolicy Local', () => {
    const local = service('web', { addresses: [vip], spec: { externalTrafficPolicy: 'Local' } })

    it('are answered only by a node with an endpoint, and follow the endpoint to another node', async () => {
      for (const name of [...nodes, ...nodes]) {
        await lab.edit(cluster(nodes, local, endpoints('web', name)))
        await lab.settled('default/web', owner => owner === name)
        await answeredBy(name)
        const other = nodes.find(one => one !== name) ?? ''
        const { stdout } = await lab.carillon(other, 'explain', 'default/web')
        expect(stdout).toMatch(new RegExp(`${other}, layer2: noLocalEndpoints`))
      }
    })

    it('are answered by the first in the order of succession when several nodes have one', async () => {
      await lab.edit(cluster(nodes, local, endpoints('web', ...nodes)))
      const owner = await lab.settled('default/web', name => name !== null)
      await answeredBy(owner)
      const status = await lab.status('node-a')
      expect(status?.services[0]?.succession.toSorted()).toEqual(nodes)
      expect(status?.services[0]?.succession[0]).toBe(owner)
    })

    it('are answered by nobody when there is no endpoint, and "carillon explain" says why', async () => {
      await lab.edit(cluster(nodes, local, endpoints('web', 'node-a')))
      await lab.settled('default/web', owner => owner === 'node-a')
      await lab.edit(cluster(nodes, local, endpoints('web')))
      await lab.settled('default/web', owner => owner === null)
      await answeredBy(null)
      const { code, stdout } = await lab.carillon('node-b', 'explain', 'default/web')
      expect(code).toBe(1)
      expect(stdout).toContain(
        'Silent      node-a, node-b, layer2: noEndpoints (no endpoint of the Service can serve; look at the readiness of its Pods)',
      )
      expect(stdout).toContain(vip)
    })
  })

  it('that shares its address find both at one node, until the last of the two is gone', async () => {
    const shared = (name: string, port: number): string =>
      service(name, {
        addresses: [vip],
        annotations: { 'metallb.io/allow-shared-ip': 'one' },
        spec: { ports: [{ port, protocol: 'TCP' }] },
      })
    await lab.edit(cluster(nodes, shared('web', 80), shared('mail', 25)))
    const owner = await lab.settled('default/web', name => name !== null)
    expect(await lab.owner('default/mail')).toBe(owner)
    await answeredBy(owner)
    const sent = await lab.metric(owner ?? '', 'metallb_layer2_gratuitous_sent', vip)

    await lab.edit(cluster(nodes, shared('mail', 25)))
    await lab.settled('default/web', name => name === null)
    await answeredBy(owner)
    expect(await lab.owner('default/mail')).toBe(owner)
    // It did not go and come back: nothing was announced anew.
    expect(await lab.metric(owner ?? '', 'metallb_layer2_gratuitous_sent', vip)).toBe(sent)

    await lab.edit(cluster(nodes))
    await lab.settled('default/mail', name => name === null)
    await eventually('nobody answers', async () => ((await lab.arping(vip)).length === 0 ? true : undefined))
  })

  it('that asks for an address of another one are told so, and the first keeps it', async () => {
    // Without Kubernetes to remember who was first, the order of names decides, on every node alike.
    const [web, wiki] = [service('web', { addresses: [vip] }), service('wiki', { addresses: [vip] })]
    await lab.edit(cluster(nodes, web))
    const owner = await lab.settled('default/web', name => name !== null)
    await lab.edit(cluster(nodes, web, wiki))
    const refused = await lab.whenStatus('node-a', 'the second Service waits', status =>
      status.services.find(one => one.name === 'wiki' && one.state === 'pending'),
    )
    expect(refused.reason?.message).toContain('default/web')
    expect(await lab.owner('default/web')).toBe(owner)
    await answeredBy(owner)
  })
})
