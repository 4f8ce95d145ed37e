import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { holds, learnt } from '../interop/support/routers/learnt.ts'
import type { Router } from '../interop/support/routers/router.ts'
import { Routers } from '../interop/support/routers/routers.ts'
import { Capture } from './support/capture.ts'
import { inDefault, inSystem, KubeLab } from './support/kube-lab.ts'
import { endpoints, l2, node, pool, type ServiceText, service } from './support/manifests.ts'
import { describeLab } from './support/needs.ts'
import { eventually } from './support/speaker-lab.ts'

const nodes = ['node-a', 'node-b', 'node-c'] as const
const routerAddress = '10.77.0.21'
const us = 65_010

const custom = (kind: string, name: string, spec: object, version = 'v1beta1'): string =>
  `---\n${JSON.stringify({ apiVersion: `metallb.io/${version}`, kind, metadata: { name }, spec })}\n`

const objects = [
  ...nodes.map(name => node(name)),
  ...[
    pool('lan', '10.77.0.100-10.77.0.120', 'fd77::100-fd77::120'),
    l2('all'),
    custom('BGPAdvertisement', 'all', {}),
    custom(
      'BGPPeer',
      'frr',
      {
        myASN: us,
        peerASN: 65_020,
        peerAddress: routerAddress,
        connectTime: '1s',
        holdTime: '3s',
        dualStackAddressFamily: true,
      },
      'v1beta2',
    ),
  ].map(inSystem),
]

/** A Service with an endpoint on every node. */
const served = (name: string, text: ServiceText = {}): string =>
  inDefault(service(name, text) + endpoints(name, ...nodes))

const dualStack = { spec: { ipFamilyPolicy: 'RequireDualStack' } }
const prefixOf = (address: string): string => address + (address.includes(':') ? '/128' : '/32')

describeLab(
  'in a Kubernetes cluster',
  ['kubectl', 'arping', 'ndisc6', '/usr/lib/frr/bgpd', 'tcpdump', 'tshark'],
  () => {
    // Eight programs start, end and start again, and each waits for the others.
    vi.setConfig({ testTimeout: 120_000 })
    let lab: KubeLab
    let routers: Routers
    let frr: Router

    // One round of announcements: what comes later has another reason.
    const speak = (name: string, ...args: readonly string[]): void =>
      lab.speaker(name, '--garp-count', '1', ...args)
    /** Waits until FRR has been told exactly these addresses by each of these nodes, and nothing by others. */
    const told = async (addresses: readonly string[], by: readonly string[] = nodes): Promise<void> => {
      const all = Object.fromEntries(addresses.map(address => [prefixOf(address), {}]))
      for (const name of nodes) await holds(frr, lab.addressOf(name), by.includes(name) ? all : {}, 30)
    }
    /** Every address that a Service has now. */
    const everyAddress = async (): Promise<readonly string[]> => {
      const text = await lab.kubectl('get', 'services', '-o', 'jsonpath={..ingress[*].ip}')
      return [...new Set(text.split(' ').filter(Boolean))]
    }
    const remove = (...names: readonly string[]): Promise<string> =>
      lab.kubectl('delete', 'service', ...names)
    const versionOf = (name: string): Promise<string> =>
      lab.kubectl('get', 'service', name, '-o', 'jsonpath={.metadata.resourceVersion}')

    beforeAll(async () => {
      lab = await KubeLab.build('kube', nodes, objects)
      const { net } = lab.speakers
      routers = await Routers.in(net)
      await net.host('frr')
      await net.join('switch', 'frr', [`${routerAddress}/24`])
      const neighbors = nodes.map(name => ({
        address: lab.addressOf(name),
        localAddress: routerAddress,
        remoteAs: us,
        families: ['ipv4', 'ipv6'] as const,
      }))
      frr = await routers.start('frr', 'frr', { as: 65_020, routerId: routerAddress, neighbors })
      await lab.apply(served('web', dualStack))
      lab.controller(0)
      lab.controller(1)
      for (const name of nodes) speak(name)
    })
    afterAll(async () => {
      await routers?.[Symbol.asyncDispose]()
      await lab?.[Symbol.asyncDispose]()
    })

    // Whatever a story that failed has left behind is not for the next one.
    afterEach(async () => {
      await lab.apiUp()
      for (const number of [0, 1]) if (!lab.runs(`controller-${number}`)) lab.controller(number)
      for (const name of nodes) if (!lab.runs(name)) speak(name)
      if (!frr.running) await frr.start()
      const names = await lab.kubectl('get', 'services', '-o', 'jsonpath={.items[*].metadata.name}')
      const left = names.split(' ').filter(name => name !== 'kubernetes' && name !== 'web')
      if (left.length > 0) await remove(...left)
    })

    describe('a Service', () => {
      it('gets an address of each family, answered for by one node, with routes from every node', async () => {
        expect(await lab.given('web', 2)).toEqual(['10.77.0.100', 'fd77::100'])
        await lab.answeredBy('10.77.0.100')
        await lab.answeredBy('fd77::100')
        await told(['10.77.0.100', 'fd77::100'])
        const l2Status = ['get', 'servicel2statuses', '-n', 'metallb-system']
        await eventually(
          'Kubernetes is told of the owner, and of nobody else',
          async () => {
            const names = await lab.kubectl(...l2Status, '-o', 'jsonpath={.items[*].status.node}')
            const owner = await lab.answeredBy('10.77.0.100')
            return names === owner || undefined
          },
          30,
        )
        const states = ['get', 'configurationstates', '-n', 'metallb-system']
        const results = await lab.kubectl(...states, '-o', 'jsonpath={.items[*].status.result}')
        expect(new Set(results.split(' '))).toEqual(new Set(['Valid']))
      })

      it('moves to the address that it asks for, and is gone when it is deleted', async () => {
        await lab.apply(served('shop', { addresses: ['10.77.0.110'] }))
        expect(await lab.given('shop')).toEqual(['10.77.0.110'])
        await lab.answeredBy('10.77.0.110')
        await told(['10.77.0.100', 'fd77::100', '10.77.0.110'])
        await lab.apply(served('shop', { addresses: ['10.77.0.111'] }))
        await lab.answeredBy('10.77.0.111')
        await told(['10.77.0.100', 'fd77::100', '10.77.0.111'])
        expect(await lab.answering('10.77.0.110')).toEqual([])
        await remove('shop')
        await lab.silent('10.77.0.111')
        await told(['10.77.0.100', 'fd77::100'])
      })

      it('shares an address with another, which stays as long as one of them', async () => {
        const share = (name: string, port: number): string =>
          served(name, {
            addresses: ['10.77.0.112'],
            annotations: { 'metallb.io/allow-shared-ip': 'one' },
            spec: { ports: [{ port, protocol: 'TCP' }] },
          })
        await lab.apply(share('http', 80), share('https', 443))
        expect([await lab.given('http'), await lab.given('https')]).toEqual([
          ['10.77.0.112'],
          ['10.77.0.112'],
        ])
        const owner = await lab.answeredBy('10.77.0.112')
        await told(['10.77.0.100', 'fd77::100', '10.77.0.112'])
        await remove('http')
        await lab.apply(served('after', { addresses: ['10.77.0.113'] }))
        // Whoever has heard of this has heard of the removal, too.
        await told(['10.77.0.100', 'fd77::100', '10.77.0.112', '10.77.0.113'])
        await lab.answeredBy('10.77.0.112', name => name === owner)
        await remove('https', 'after')
        await lab.silent('10.77.0.112')
        await told(['10.77.0.100', 'fd77::100'])
      })
    })

    describe('a node', () => {
      it('keeps its addresses while it is only cordoned, and hands them over when it is excluded', async () => {
        const owner = await lab.answeredBy('10.77.0.100')
        const others = nodes.filter(name => name !== owner)
        const label = 'node.kubernetes.io/exclude-from-external-load-balancers'
        await lab.kubectl('cordon', owner)
        await lab.apply(served('witness', { addresses: ['10.77.0.114'] }))
        await told(['10.77.0.100', 'fd77::100', '10.77.0.114'])
        expect(await lab.answeredBy('10.77.0.100')).toBe(owner)
        await lab.kubectl('label', 'node', owner, `${label}=`)
        await lab.answeredBy('10.77.0.100', name => name !== owner)
        await told(['10.77.0.100', 'fd77::100', '10.77.0.114'], others)
        await lab.kubectl('label', 'node', owner, `${label}-`)
        await lab.kubectl('uncordon', owner)
        await lab.answeredBy('10.77.0.100', name => name === owner)
        await remove('witness')
        await told(['10.77.0.100', 'fd77::100'])
      })

      it('that dies loses its addresses, also while the API server is away; when that is back, nothing stirs', async () => {
        const owner = await lab.answeredBy('10.77.0.100')
        const others = nodes.filter(name => name !== owner)
        await lab.apiDown()
        await lab.end(owner, 'SIGKILL')
        const heir = await lab.answeredBy('10.77.0.100', name => name !== owner)
        await told(['10.77.0.100', 'fd77::100'], others)

        const { net } = lab.speakers
        await using wire = await Capture.start(net, 'client', 'arp or icmp6')
        await using bgp = await Capture.start(net, 'frr', 'tcp port 179')
        await lab.apiUp()
        await lab.leader()
        await lab.apply(served('after', { addresses: ['10.77.0.115'] }))
        // Whoever has heard of this has taken in all that the API server had to say on its return.
        await lab.answeredBy('10.77.0.115')
        await told(['10.77.0.100', 'fd77::100', '10.77.0.115'], others)
        expect(await lab.answeredBy('10.77.0.100')).toBe(heir)
        const claims = await wire.frames(
          '(arp.isgratuitous == 1) || (icmpv6.type == 136 && icmpv6.nd.na.flag.s == 0)',
          ['arp.src.proto_ipv4', 'icmpv6.nd.na.target_address'],
        )
        const claimed = new Set(claims.flatMap(frame => Object.values(frame)).filter(Boolean))
        expect([...claimed]).toEqual(['10.77.0.115'])
        const updates = await bgp.frames('bgp.type == 2', [
          'bgp.nlri_prefix',
          'bgp.withdrawn_prefix',
          'ip.src',
        ])
        expect(updates.length).toBeGreaterThan(0)
        expect(updates.filter(one => one['bgp.nlri_prefix'] !== '10.77.0.115')).toEqual([])

        speak(owner)
        await lab.answeredBy('10.77.0.100', name => name === owner)
        await remove('after')
        await told(['10.77.0.100', 'fd77::100'])
      })
    })

    describe('without gossip', () => {
      const address = '10.77.0.100'
      const outOfService = 'node.kubernetes.io/out-of-service'

      beforeAll(async () => {
        await Promise.all(nodes.map(name => lab.end(name)))
        for (const name of nodes) speak(name, '--ml-labels', '')
      })
      afterAll(async () => {
        await Promise.all(nodes.map(name => lab.end(name)))
        for (const name of nodes) speak(name)
      })

      it('a node that is tainted as out of service, or not ready, loses its addresses for as long', async () => {
        const owner = await lab.answeredBy(address)
        await lab.kubectl('taint', 'node', owner, `${outOfService}=nodeshutdown:NoExecute`)
        const heir = await lab.answeredBy(address, name => name !== owner)
        await lab.ready(heir, 'Unknown')
        await lab.answeredBy(address, name => name !== owner && name !== heir)
        await lab.ready(heir, 'True')
        await lab.answeredBy(address, name => name === heir)
        await lab.kubectl('taint', 'node', owner, `${outOfService}-`)
        await lab.answeredBy(address, name => name === owner)
      })
    })

    describe('of everything that is restarted, one after the other and at once,', () => {
      /** Nothing about the Service may change meanwhile, and in the end everybody says what they said before. */
      const unmoved = async (restart: () => Promise<void>): Promise<void> => {
        const version = await versionOf('web')
        await restart()
        await told(await everyAddress())
        await lab.answeredBy('10.77.0.100')
        await lab.answeredBy('fd77::100')
        expect(await versionOf('web')).toBe(version)
      }
      const restartController = async (name: string): Promise<void> => {
        await lab.end(name)
        lab.controller(Number(name.at(-1)))
      }
      const restartSpeaker = async (name: string): Promise<void> => {
        await lab.end(name)
        speak(name)
      }

      it('a leader hands over to the other controller, which gives no address twice', async () => {
        const leader = await lab.leader()
        await lab.end(leader)
        await lab.apply(served('next'))
        expect(await lab.given('next')).toEqual(['10.77.0.101'])
        expect(await lab.leader()).not.toBe(leader)
        lab.controller(Number(leader.at(-1)))
        await remove('next')
      })

      it('controllers, speakers, the router and the API server lose no address', async () => {
        await unmoved(async () => {
          for (const name of ['controller-0', 'controller-1']) await restartController(name)
          for (const name of nodes) await restartSpeaker(name)
        })
        await unmoved(async () => {
          await frr.kill()
          await frr.start()
          await lab.apiDown()
          await lab.apiUp()
        })
      })

      it('nor do they the other way round, each while another is away', async () => {
        await unmoved(async () => {
          await lab.apiDown()
          await frr.kill()
          await restartSpeaker('node-c')
          // Those that know the cluster go on; one that does not waits.
          await lab.answeredBy('10.77.0.100', name => name !== 'node-c')
          await frr.start()
          await told(['10.77.0.100', 'fd77::100'], ['node-a', 'node-b'])
          await restartController('controller-1')
          await lab.apiUp()
          await restartSpeaker('node-b')
          await restartController('controller-0')
          await restartSpeaker('node-a')
        })
      })

      it('all at once come back with the same addresses', async () => {
        await unmoved(async () => {
          await lab.apiDown()
          for (const name of ['controller-0', 'controller-1', ...nodes]) await lab.end(name, 'SIGKILL')
          for (const name of nodes) speak(name)
          lab.controller(0)
          lab.controller(1)
          await lab.apiUp()
        })
      })
    })

    it('controllers and speakers give the metrics that an alert for MetalLB asks for', async () => {
      const script = "fetch('http://127.0.0.1:7480/metrics').then(r => r.text()).then(console.log)"
      const [controller, speakers] = await Promise.all([
        lab.speakers.client(process.execPath, '-e', script).then(({ stdout }) => stdout),
        // Not every node has an address to announce on the segment.
        Promise.all(nodes.map(name => lab.speakers.ask(name, '/metrics'))).then(all =>
          all.map(({ text }) => text).join(''),
        ),
      ])
      const both = [
        'metallb_k8s_client_updates_total',
        'metallb_k8s_client_update_errors_total',
        'metallb_k8s_client_config_loaded_bool',
        'metallb_k8s_client_config_stale_bool',
        'carillon_k8s_requests_total',
      ]
      const pools = ['metallb_allocator_addresses_total', 'metallb_allocator_addresses_in_use_total']
      const announcers = [
        'metallb_speaker_announced',
        'metallb_layer2_gratuitous_sent',
        'metallb_bgp_session_up',
        'metallb_bgp_announced_prefixes_total',
        'metallb_bgp_updates_total',
      ]
      const given = (text: string): readonly string[] =>
        [...text.matchAll(/^([a-z_0-9]+)[{ ]/gm)].map(([, name = '']) => name)
      expect(given(controller)).toEqual(expect.arrayContaining(both))
      expect(given(speakers)).toEqual(expect.arrayContaining([...both, ...pools, ...announcers]))
      expect(controller + speakers).not.toMatch(/^metallb_k8s_client_update_errors_total [1-9]/m)
    })

    it('a speaker ends within two seconds when it is told to', async () => {
      const [name = ''] = lab.running
      const from = performance.now()
      expect(await lab.end(name)).toBe(0)
      expect(performance.now() - from).toBeLessThan(2500)
      expect([...(await learnt(frr, lab.addressOf(name))).keys()]).toEqual([])
    })
  },
)
