import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Json } from './support/api.ts'
import { type Cluster, startCluster } from './support/cluster.ts'

let cluster: Cluster
let services: string

beforeAll(async () => {
  cluster = await startCluster({ serviceCidrs: ['10.96.0.0/16', 'fd00:96::/112'] })
  services = `/api/v1/namespaces/${await cluster.namespace()}/services`
})
afterAll(() => cluster[Symbol.asyncDispose]())

const made = (name: string, spec: object = {}): Promise<Json> =>
  cluster.api.post(services, {
    metadata: { name },
    spec: { selector: { a: name }, ports: [{ port: 80 }], ...spec },
  })

const families = ({ spec }: Json): Json => [spec.ipFamilyPolicy, spec.ipFamilies]

describe('in a cluster with two families a Service', () => {
  it('gets an address of the first, unless it asks for more', async () => {
    const plain = await made('plain')
    expect(families(plain)).toEqual(['SingleStack', ['IPv4']])
    const six = await made('six', { ipFamilies: ['IPv6'] })
    expect(families(six)).toEqual(['SingleStack', ['IPv6']])
    expect(six.spec.clusterIP).toMatch(/^fd00:96::/)
    for (const ipFamilyPolicy of ['PreferDualStack', 'RequireDualStack']) {
      const both = await made(ipFamilyPolicy.toLowerCase(), { ipFamilyPolicy })
      expect(families(both)).toEqual([ipFamilyPolicy, ['IPv4', 'IPv6']])
      expect(both.spec.clusterIPs).toEqual([
        expect.stringMatching(/^10\.96\./),
        expect.stringMatching(/^fd00:96::/),
      ])
      expect(both.spec.clusterIP).toBe(both.spec.clusterIPs[0])
    }
    const reversed = await made('reversed', { ipFamilyPolicy: 'RequireDualStack', ipFamilies: ['IPv6'] })
    expect(families(reversed)).toEqual(['RequireDualStack', ['IPv6', 'IPv4']])
  })

  it('without selector and address belongs to both', async () => {
    const headless = await made('headless', { clusterIP: 'None', selector: undefined })
    expect(families(headless)).toEqual(['RequireDualStack', ['IPv4', 'IPv6']])
    expect(headless.spec.clusterIPs).toEqual(['None'])
  })

  it('can get a second address later, keeping the first, and give it up again', async () => {
    const single = await made('changing')
    const patch = (spec: object): Promise<Json> =>
      cluster.api.patch(`${services}/changing`, 'merge', { spec })
    const both = await patch({ ipFamilyPolicy: 'PreferDualStack' })
    expect(families(both)).toEqual(['PreferDualStack', ['IPv4', 'IPv6']])
    expect(both.spec.clusterIPs[0]).toBe(single.spec.clusterIP)
    expect(both.spec.clusterIPs).toHaveLength(2)
    const again = await patch({ ipFamilyPolicy: 'SingleStack' })
    expect([again.spec.ipFamilies, again.spec.clusterIPs]).toEqual([['IPv4'], [single.spec.clusterIP]])
  })

  it('cannot lose its first family, or two families in silence', async context => {
    cluster.since(23, context)
    await made('kept', { ipFamilyPolicy: 'RequireDualStack' })
    for (const spec of [{ ipFamilies: ['IPv6', 'IPv4'] }, { ipFamilies: ['IPv4'] }]) {
      const { code, body } = await cluster.api.ask('PATCH', `${services}/kept`, {
        body: { spec },
        type: 'application/merge-patch+json',
      })
      expect([code, body.reason]).toEqual([422, 'Invalid'])
    }
  })
})
