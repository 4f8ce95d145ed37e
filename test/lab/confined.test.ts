import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { NewObject } from '@carillon/kubernetes/testing'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { kustomized, withComponents } from '../kube/support/kustomize.ts'
import { clusterProgram, noClusterPrograms } from '../support/cluster-programs.ts'
import type { Container } from './support/container.ts'
import { inDefault, inSystem } from './support/kube-lab.ts'
import { Kubelet, type Placed, podObject, type Template } from './support/kubelet.ts'
import { endpoints, l2, node, pool, service } from './support/manifests.ts'
import { describeLab } from './support/needs.ts'
import { seccompProfile } from './support/seccomp.ts'
import { eventually, SpeakerLab } from './support/speaker-lab.ts'

const namespace = 'metallb-system'
const program = fileURLToPath(new URL('./programs/secured-api-server.mjs', import.meta.url))

/** The template of a workload, as kustomize makes it. */
function template(objects: readonly NewObject[], kind: string, name: string): Template {
  const found = objects.find(one => one.kind === kind && one.metadata?.name === name)
  if (found === undefined) throw new Error(`there is no ${kind} ${name}`)
  return (found.spec as { readonly template: Template }).template
}

// Node a is one on which routers connect to us; node b is as the base has it, with metrics for those who may.
const peer = `---
apiVersion: metallb.io/v1beta2
kind: BGPPeer
metadata: { name: tor, annotations: { carillon.io/bgp-passive: "true" } }
spec:
  myASN: 65010
  peerASN: 65020
  peerAddress: 10.77.0.1
  nodeSelectors: [{ matchLabels: { kubernetes.io/hostname: node-a } }]
---
apiVersion: metallb.io/v1beta1
kind: BGPAdvertisement
metadata: { name: all }
`

/** The endpoints of the webhooks, as a cluster lists them. */
const webhooks = (address: string): NewObject =>
  ({
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: 'webhooks',
      namespace,
      labels: { 'kubernetes.io/service-name': 'metallb-webhook-service' },
    },
    addressType: 'IPv4',
    endpoints: [{ addresses: [address], conditions: { ready: true } }],
    ports: [{ name: 'webhooks', port: 9443 }],
  }) as NewObject

// A router that opens a session.
const open = `
import socket, sys
socket.create_connection((sys.argv[1], 179), 20)`

// Prometheus, which does not check the certificate.
const scrape = `
const [host, token] = process.argv.slice(1)
const headers = token ? { authorization: 'Bearer ' + token } : {}
const options = { host, port: 9120, path: '/metrics', headers, rejectUnauthorized: false }
require('node:https').get(options, response => {
  process.stdout.write(response.statusCode + ' ')
  response.pipe(process.stdout)
})`

const needs = ['runc', seccompProfile, 'arping', 'ndisc6', 'python3']
describeLab('Pods that have what their manifests give them, and nothing else', needs, () => {
  let lab: SpeakerLab
  let folder = ''
  let controller: Container
  let grace = 0
  const speakers = new Map<string, Container>()

  const kubectl = async (words: readonly string[], text = ''): Promise<string> => {
    const file = join(folder, 'input.yaml')
    await writeFile(file, text)
    const all = ['--kubeconfig', join(folder, 'kubeconfig'), ...words, ...(text === '' ? [] : ['-f', file])]
    const { code, stdout, stderr } = await lab.client(clusterProgram('kubectl'), ...all)
    if (code !== 0) throw new Error(stderr)
    return stdout
  }

  beforeAll(async () => {
    if (noClusterPrograms !== undefined) return
    folder = await mkdtemp(join(tmpdir(), 'carillon-confined-'))
    lab = await SpeakerLab.build('confined', { manifests: '' })
    const base = withComponents('metrics-secure').filter(
      // What the Prometheus operator would read is of no use here.
      ({ apiVersion }) => apiVersion !== 'monitoring.coreos.com/v1',
    )
    const daemon = (of: readonly NewObject[]): Template => template(of, 'DaemonSet', 'carillon-speaker')
    const first: Placed = {
      name: 'controller',
      namespace,
      node: 'node-c',
      address: '10.77.0.13',
      template: template(base, 'Deployment', 'carillon-controller'),
    }
    const others: readonly Placed[] = [
      {
        name: 'speaker-a',
        namespace,
        node: 'node-a',
        address: '10.77.0.11',
        template: daemon(kustomized('overlays/bgp')),
      },
      { name: 'speaker-b', namespace, node: 'node-b', address: '10.77.0.12', template: daemon(base) },
    ]
    grace = Math.min(...[first, ...others].map(pod => pod.template.spec.terminationGracePeriodSeconds))
    const objects = [...base, webhooks(first.address), ...[first, ...others].map(podObject)]
    const nodes = ['node-a', 'node-b', 'node-c'].map(name => node(name)).join('')
    const file = join(folder, 'objects.yaml')
    await writeFile(file, `${objects.map(one => `---\n${stringify(one)}`).join('')}${nodes}`)
    const accounts = ['carillon-controller', 'carillon-speaker', 'prometheus']
    const words = [program, '10.77.0.1', folder, file, namespace, ...accounts]
    const api = lab.net.spawn('client', process.execPath, words)
    let said = ''
    api.stderr?.on('data', chunk => {
      said += chunk
    })
    await eventually(
      'the API server runs',
      () => existsSync(join(folder, 'kubeconfig')) || undefined,
      30,
    ).catch(error => {
      throw new Error(`${error.message}\n${said}`)
    })
    const kubelet = new Kubelet(lab.net, folder)
    const running = async (pod: Placed, container: Container): Promise<void> => {
      await eventually(`${pod.name} is ready`, async () => (await kubelet.ready(pod)) || undefined, 30).catch(
        error => {
          throw new Error(`${error.message}\n${container.log}`)
        },
      )
    }
    controller = kubelet.run(first)
    await running(first, controller)
    const secret = await kubectl(['-n', namespace, 'get', 'secret', 'memberlist', '-o', 'json'])
    const { data } = JSON.parse(secret) as { readonly data: Readonly<Record<string, string>> }
    await Promise.all(
      others.map(pod => {
        const container = kubelet.run(pod, { memberlist: data })
        speakers.set(pod.node, container)
        return running(pod, container)
      }),
    )
    await kubectl(
      ['apply'],
      [
        inSystem(pool('lan', '10.77.0.100-10.77.0.120', 'fd77::100-fd77::120')),
        inSystem(l2('all')),
        inSystem(peer),
        inDefault(service('web', { spec: { ipFamilyPolicy: 'RequireDualStack' } })),
        inDefault(endpoints('web', 'node-a', 'node-b')),
      ].join(''),
    )
  }, 120_000)
  beforeEach(context => context.skip(noClusterPrograms !== undefined, noClusterPrograms))
  afterAll(async () => {
    for (const one of [...speakers.values(), controller]) await one?.[Symbol.asyncDispose]()
    await lab?.[Symbol.asyncDispose]()
    if (folder !== '') await rm(folder, { recursive: true, force: true })
  })

  it('are a controller that is nobody, and speakers that are root by number alone', async () => {
    const common = { NoNewPrivs: '1', Seccomp: '2', CapInh: '0000000000000000', CapAmb: '0000000000000000' }
    const capabilities = (bits: string): object => ({ CapPrm: bits, CapEff: bits, CapBnd: bits })
    expect(Object.fromEntries(await controller.rights())).toMatchObject({
      ...common,
      ...capabilities('0000000000000000'),
      Uid: '65534\t65534\t65534\t65534',
      Gid: '65534\t65534\t65534\t65534',
    })
    // Bit 13 is NET_RAW, bit 10 is NET_BIND_SERVICE.
    for (const [name, bits] of [
      ['node-a', '0000000000002400'],
      ['node-b', '0000000000002000'],
    ] as const)
      expect(Object.fromEntries((await speakers.get(name)?.rights()) ?? [])).toMatchObject({
        ...common,
        ...capabilities(bits),
        Uid: '0\t0\t0\t0',
      })
  })

  it('announce an address of each family on the segment', async () => {
    const macs = await Promise.all([...speakers.keys()].map(name => lab.mac(name)))
    for (const address of ['10.77.0.100', 'fd77::100']) {
      const heard = await eventually(
        `one node answers for ${address}`,
        async () => {
          const all = await (address.includes(':') ? lab.ndisc(address) : lab.arping(address))
          return all.length === 1 ? all : undefined
        },
        20,
      )
      expect(macs).toEqual(expect.arrayContaining([...heard]))
    }
  })

  it('let a router connect where the overlay says so, and only there', async () => {
    expect(await lab.client('python3', '-c', open, '10.77.0.11')).toMatchObject({ code: 0, stderr: '' })
    const refused = await lab.client('python3', '-c', open, '10.77.0.12')
    expect(refused.stderr).toContain('ConnectionRefusedError')
  })

  it('answer the API server about what is applied', async () => {
    await expect(kubectl(['apply'], inSystem(pool('wrong', '10.77.0.110-10.77.0.130')))).rejects.toThrow(
      'admission webhook',
    )
  })

  it('give metrics to those whom the roles of the cluster let read them, and to nobody else', async () => {
    const asked = async (address: string, token = ''): Promise<string> => {
      const words = ['-e', scrape, address, token]
      const { stdout, stderr } = await lab.client(process.execPath, ...words)
      return stdout || stderr
    }
    const token = await readFile(join(folder, 'prometheus', 'token'), 'utf8')
    const pods = ['10.77.0.13', '10.77.0.12']
    for (const address of pods) {
      expect(await asked(address)).toMatch(/^401 /)
      expect(await asked(address, 'wrong')).toMatch(/^401 /)
    }
    expect(
      await asked('10.77.0.12', await readFile(join(folder, 'carillon-speaker', 'token'), 'utf8')),
    ).toMatch(/^403 /)
    const reader = ['clusterrolebinding', 'reader', '--clusterrole=carillon-metrics-reader']
    const words = ['create', ...reader, `--serviceaccount=${namespace}:prometheus`]
    await kubectl(['apply'], await kubectl([...words, '--dry-run=client', '-o', 'yaml']))
    const [controller, speaker] = await Promise.all(pods.map(address => asked(address, token)))
    expect(controller).toMatch(/^200 .*^metallb_allocator_addresses_total\b/ms)
    expect(speaker).toMatch(/^200 .*^metallb_layer2_gratuitous_sent\b/ms)
    expect(await asked('10.77.0.11', token)).toContain('ECONNREFUSED')
  })

  it('can be asked as the guide says', async () => {
    const { code, stdout } = (await speakers.get('node-b')?.exec('carillon', 'status')) ?? {}
    expect(stdout).toMatch(/^default\/web +10\.77\.0\.100/m)
    expect(code).toBe(0)
  })

  it('can write nothing, nor become more than they are', async () => {
    const script = `
      const { writeFileSync } = require('node:fs')
      for (const path of ['/x', '/carillon/x', '/usr/x']) {
        try {
          writeFileSync(path, '')
          console.log('wrote', path)
        } catch ({ code }) {
          console.log(code)
        }
      }
      try {
        process.setuid(1)
        process.setuid(0)
        console.log('is', process.getuid())
      } catch ({ code }) {
        console.log(code)
      }`
    for (const container of [controller, ...speakers.values()]) {
      const { stdout } = await container.exec('node', '-e', script)
      expect(stdout.trim().split('\n')).toEqual(['EROFS', 'EROFS', 'EROFS', 'EPERM'])
    }
  })

  it('end in good order, within the time that they are given', async () => {
    const from = performance.now()
    const all = [controller, ...speakers.values()]
    expect(await Promise.all(all.map(one => one.terminate()))).toEqual([0, 0, 0])
    expect(performance.now() - from).toBeLessThan(grace * 1000)
  })
})
