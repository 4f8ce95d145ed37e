import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest'
import { inDefault, inSystem } from '../lab/support/kube-lab.ts'
import { endpoints, l2, node, pool, service } from '../lab/support/manifests.ts'
import { describeLab } from '../lab/support/needs.ts'
import { eventually } from '../lab/support/speaker-lab.ts'
import { noClusterPrograms } from '../support/cluster-programs.ts'
import { commandBlocks } from './support/command-page.ts'
import { memberlistSource } from './support/memberlist-peer.ts'
import { memberlistSecret } from './support/metallb-manifests.ts'
import { MovingCluster } from './support/moving-cluster.ts'

const page = readFileSync(new URL('../../docs/migrate-from-metallb.md', import.meta.url), 'utf8')
const nodes = ['node-a', 'node-b', 'node-c'] as const
const addresses = Array.from({ length: 12 }, (_, i) => `10.77.0.${100 + i}`)

const peer = `---
apiVersion: metallb.io/v1beta2
kind: BGPPeer
metadata: { name: tor }
spec: { myASN: 65010, peerASN: 65020, peerAddress: 10.77.0.21, nodeSelectors: [{ matchLabels: { rack: none } }] }
`

/** A Service that MetalLB's controller has given its address. */
const given = (address: string, i: number): string =>
  inDefault(service(`web-${i}`, { addresses: [address] })) +
  `status: { loadBalancer: { ingress: [{ ip: ${address} }] } }\n` +
  inDefault(endpoints(`web-${i}`, ...nodes))

const needs = ['go', memberlistSource, 'kubectl', 'arping']
describeLab('The page on moving from MetalLB', needs, () => {
  vi.setConfig({ testTimeout: 180_000 })
  const [rewrite, keepSecret, firstNode, members, oneBack, takeOver, handBack, stay, ...others] =
    commandBlocks(page)
  let cluster: MovingCluster

  const on = (name: string, commands: readonly string[] = []): readonly string[] =>
    commands.map(command => command.replaceAll('node-a', name))
  /** What the page has one do with each node but the first, and see before the next. */
  const arrive = async (name: string): Promise<void> => {
    const [look = ''] = members ?? []
    const command = look.replace('POD', `carillon-speaker-${name}`)
    await eventually(
      `${name} lists everybody`,
      async () => {
        const rows = (await cluster.run(command)).trimEnd().split('\n').slice(1)
        const alive = rows.filter(row => row.endsWith(' alive')).map(row => row.split(' ')[0])
        return alive.sort().join() === nodes.join() || undefined
      },
      30,
    )
    await cluster.agreed()
  }
  const addressesNow = async (): Promise<readonly string[]> => {
    const path = "jsonpath='{.items[*].status.loadBalancer.ingress[*].ip}'"
    return (await cluster.run(`kubectl get services -o ${path}`)).split(' ').sort()
  }

  beforeAll(async () => {
    if (noClusterPrograms !== undefined) return
    const objects = [
      ...nodes.map(name => node(name).replace('labels: {', 'labels: {"kubernetes.io/os":"linux",')),
      inSystem(pool('lan', '10.77.0.100-10.77.0.120')),
      inSystem(l2('all')),
      inSystem(peer),
      ...addresses.map(given),
    ]
    cluster = await MovingCluster.build(nodes, objects, addresses)
    await cluster.run('kubectl apply -f metallb-native.yaml')
    const uid = await cluster.run(
      "kubectl -n metallb-system get deployment controller -o jsonpath='{.metadata.uid}'",
    )
    await cluster.lab.apply(memberlistSecret(uid))
    await cluster.reconcile()
    await cluster.agreed()
  }, 120_000)
  beforeEach(context => context.skip(noClusterPrograms !== undefined, noClusterPrograms))
  afterAll(async () => {
    await cluster?.[Symbol.asyncDispose]()
  })

  it('has commands for each step, and no others', () => {
    const known = [rewrite, keepSecret, firstNode, members, oneBack, takeOver, handBack, stay]
    expect(known.map(one => one?.length)).toEqual([1, 1, 4, 1, 1, 4, 6, 2])
    expect(others).toEqual([])
  })

  it('prepares what is there', async () => {
    const [said] = await cluster.all(...(rewrite ?? []))
    expect(said).toContain('bgppeer.metallb.io/tor replaced')
    await cluster.all(...(keepSecret ?? []))
    const owners = "jsonpath='{.metadata.ownerReferences}'"
    expect(await cluster.run(`kubectl -n metallb-system get secret memberlist -o ${owners}`)).toBe('')
  })

  it('moves one node, and takes it back', async () => {
    const printed = await cluster.all(...(firstNode ?? []))
    expect(cluster.split).toEqual({ theirs: ['node-b', 'node-c'], ours: ['node-a'] })
    const pods = (printed.at(-1) ?? '').trimEnd().split('\n').slice(1)
    expect(pods.map(row => row.split(/ +/)[0])).toEqual([
      'carillon-speaker-node-a',
      'speaker-node-b',
      'speaker-node-c',
    ])
    await arrive('node-a')
    await cluster.all(...(oneBack ?? []))
    expect(cluster.split).toEqual({ theirs: nodes, ours: [] })
    await cluster.agreed()
  })

  it('moves every node, then the controller, and no Service loses its address', async () => {
    for (const name of nodes) {
      await cluster.all(...on(name, firstNode?.slice(2)))
      await arrive(name)
    }
    expect(cluster.split).toEqual({ theirs: [], ours: nodes })
    await cluster.all(...(takeOver ?? []))
    await cluster.lab.leader()
    await cluster.lab.apply(inDefault(service('next') + endpoints('next', ...nodes)))
    expect(await cluster.lab.given('next')).toEqual(['10.77.0.112'])
    expect(await addressesNow()).toEqual([...addresses, '10.77.0.112'].sort())
    await cluster.lab.answeredBy('10.77.0.112')
    await cluster.lab.kubectl('delete', 'service', 'next')
    await cluster.agreed()
  })

  it('goes back, controller first', async () => {
    await cluster.all(...(handBack ?? []))
    expect(cluster.split).toEqual({ theirs: [], ours: nodes })
    expect(cluster.lab.runs('controller-0')).toBe(false)
    const replicas = "jsonpath='{.spec.replicas}'"
    expect(await cluster.run(`kubectl -n metallb-system get deployment controller -o ${replicas}`)).toBe('1')
    for (const name of nodes) {
      await cluster.all(...on(name, oneBack))
      await cluster.agreed()
    }
    expect(cluster.split).toEqual({ theirs: nodes, ours: [] })
    expect(await addressesNow()).toEqual(addresses)
  })

  it('goes there again, to stay, with the same key', async () => {
    const secret = await cluster.lab.mountSecret('memberlist')
    for (const name of nodes) await cluster.all(...on(name, firstNode?.slice(2, 3)))
    await cluster.all(...(takeOver ?? []), ...(stay ?? []))
    expect(cluster.split).toEqual({ theirs: [], ours: nodes })
    expect(await cluster.lab.mountSecret('memberlist')).toBe(secret)
    expect(await addressesNow()).toEqual(addresses)
    await cluster.agreed()
  })
})
