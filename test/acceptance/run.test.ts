import { ManifestSource, noMetrics, type PlanDocument, Speaker } from '@carillon/core'
import { FakeClock, MemoryNetwork, RecordingLogger, seededRandom, settle } from '@carillon/core/testing'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { asYaml, over } from './carillon.ts'
import { endpoint, l2, type Manifest, node, pinned, pool, service, slice } from './manifests.ts'

/** What may stand in each file of the folder; the empty list: the file is not there. */
const files: Readonly<Record<string, readonly (readonly Manifest[])[]>> = {
  'pools.yaml': [
    [pool('a', ['10.0.0.0/30'])],
    [pool('a', ['10.0.0.0/31']), pinned('b', ['10.0.1.0/31', 'fc00::/126'], { priority: 1 })],
    [pool('a', ['10.0.0.0/30'], { avoidBuggyIPs: true })],
    [pool('a', ['nonsense'])],
    [],
  ],
  'l2.yaml': [
    [l2()],
    [l2({ interfaces: ['eth0'] })],
    [l2({ nodeSelectors: [{ matchLabels: { n: 'b' } }] })],
    [],
  ],
  'nodes.yaml': [
    [node('node-a'), node('node-b', { labels: { n: 'b' } })],
    [node('node-a'), node('node-b', { conditions: [{ type: 'NetworkUnavailable', status: 'True' }] })],
  ],
  'x.yaml': [
    [service('x', { clusterIPs: [] })],
    [service('x', { clusterIPs: [], asks: { loadBalancerIPs: '10.0.0.1' } })],
    [service('x', { clusterIPs: [], asks: { 'allow-shared-ip': 'k' }, has: ['10.0.0.1'] })],
    [service('x', { spec: { type: 'ClusterIP' } })],
    [],
  ],
  'y.yaml': [
    [service('y', { clusterIPs: [] }), slice('y', [endpoint('node-a')])],
    [
      service('y', {
        clusterIPs: [],
        ports: ['TCP/81'],
        asks: { 'allow-shared-ip': 'k', loadBalancerIPs: '10.0.0.1' },
      }),
    ],
    [
      service('y', {
        clusterIPs: [],
        spec: { ipFamilyPolicy: 'PreferDualStack', externalTrafficPolicy: 'Local' },
      }),
    ],
    [
      service('y', { clusterIPs: [], asks: { 'address-pool': 'b' } }),
      slice('y', [endpoint('node-b', { ready: false })]),
    ],
    [],
  ],
}

const edit = fc
  .constantFrom(...Object.keys(files))
  .chain(name => fc.record({ name: fc.constant(name), content: fc.nat((files[name]?.length ?? 1) - 1) }))

it('a running speaker says after any course of edits what a plan of its folder says', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 12 }), async edits => {
      const folder = new Map<string, string>([['nodes.yaml', asYaml(files['nodes.yaml']?.[0] ?? [])]])
      let changed = (): void => {}
      const clock = new FakeClock()
      const speaker = new Speaker({
        node: 'node-a',
        source: new ManifestSource({
          clock,
          files: {
            read: async () => [...folder].sort().map(([path, text]) => ({ path, text })),
            watch: async notify => {
              changed = notify
              return async () => {}
            },
          },
        }),
        announcers: [],
        clock,
        network: new MemoryNetwork({ clock, random: seededRandom(1) }).host('node-a', '10.9.0.1'),
        log: new RecordingLogger(),
        metrics: noMetrics,
        random: seededRandom(1),
        version: '1.0.0',
        standalone: true,
      })
      await speaker.start()
      await clock.advanceAsync(100)
      for (const { name, content } of edits) {
        const manifests = files[name]?.[content] ?? []
        if (manifests.length === 0) folder.delete(name)
        else folder.set(name, asYaml(manifests))
        changed()
        await clock.advanceAsync(200)
        await settle()
        const { out } = await over(
          Object.fromEntries(folder),
          'plan',
          '--standalone',
          '--alive',
          'node-a,node-b',
          '--json',
        )
        const plan = JSON.parse(out) as PlanDocument
        const broken = plan.problems.some(({ severity }) => severity === 'error')
        const status = speaker.status()
        // What is broken is told; meanwhile the last valid configuration goes on, for the Services as they are now.
        if (!broken) {
          const said = status.services.map(({ owner, since, succession, ...rest }) => rest)
          expect({ services: said, pools: status.pools }).toEqual({
            services: plan.services,
            pools: plan.pools,
          })
        }
        expect(status.problems.some(({ severity }) => severity === 'error')).toBe(broken)
      }
      await speaker[Symbol.asyncDispose]()
    }),
    { numRuns: 60 },
  )
})
