import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { NewObject } from '@carillon/kubernetes/testing'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { kustomized, withComponents } from '../kube/support/kustomize.ts'
import { noClusterPrograms } from '../support/cluster-programs.ts'
import { ConfinedCluster, template } from './support/confined-cluster.ts'
import { inDefault, inSystem } from './support/kube-lab.ts'
import { endpoints, l2, pool, service } from './support/manifests.ts'
import { describeLab } from './support/needs.ts'
import { seccompProfile } from './support/seccomp.ts'
import { eventually, type SpeakerLab } from './support/speaker-lab.ts'

const namespace = 'metallb-system'

/** The base with metrics for those who may, without what the Prometheus operator would read. */
const base = (): readonly NewObject[] =>
  withComponents('metrics-secure').filter(({ apiVersion }) => apiVersion !== 'monitoring.coreos.com/v1')

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
  let cluster: ConfinedCluster
  let lab: SpeakerLab
  const speakers = ['speaker-a', 'speaker-b'] as const

  beforeAll(async () => {
    if (noClusterPrograms !== undefined) return
    cluster = await ConfinedCluster.build('confined', {
      api: '10.77.0.1',
      serviceCidrs: ['10.96.0.0/16', 'fd00:96::/112'],
      objects: base(),
      controller: {
        name: 'controller',
        namespace,
        node: 'node-c',
        address: '10.77.0.13',
        template: template(base(), 'Deployment', 'carillon-controller'),
      },
      speakers: [
        {
          name: 'speaker-a',
          namespace,
          node: 'node-a',
          address: '10.77.0.11',
          template: template(kustomized('overlays/bgp'), 'DaemonSet', 'carillon-speaker'),
        },
        {
          name: 'speaker-b',
          namespace,
          node: 'node-b',
          address: '10.77.0.12',
          template: template(base(), 'DaemonSet', 'carillon-speaker'),
        },
      ],
    })
    lab = cluster.lab
    await cluster.kubectl(
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
    await cluster?.[Symbol.asyncDispose]()
  })

  it('are a controller that is nobody, and speakers that are root by number alone', async () => {
    const common = { NoNewPrivs: '1', Seccomp: '2', CapInh: '0000000000000000', CapAmb: '0000000000000000' }
    const capabilities = (bits: string): object => ({ CapPrm: bits, CapEff: bits, CapBnd: bits })
    expect(Object.fromEntries(await cluster.container('controller').rights())).toMatchObject({
      ...common,
      ...capabilities('0000000000000000'),
      Uid: '65534\t65534\t65534\t65534',
      Gid: '65534\t65534\t65534\t65534',
    })
    // Bit 13 is NET_RAW, bit 10 is NET_BIND_SERVICE.
    for (const [name, bits] of [
      ['speaker-a', '0000000000002400'],
      ['speaker-b', '0000000000002000'],
    ] as const)
      expect(Object.fromEntries(await cluster.container(name).rights())).toMatchObject({
        ...common,
        ...capabilities(bits),
        Uid: '0\t0\t0\t0',
      })
  })

  it('announce an address of each family on the segment', async () => {
    const macs = await Promise.all(['node-a', 'node-b'].map(name => lab.mac(name)))
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
    await expect(
      cluster.kubectl(['apply'], inSystem(pool('wrong', '10.77.0.110-10.77.0.130'))),
    ).rejects.toThrow('admission webhook')
  })

  it('give metrics to those whom the roles of the cluster let read them, and to nobody else', async () => {
    const asked = async (address: string, token = ''): Promise<string> => {
      const words = ['-e', scrape, address, token]
      const { stdout, stderr } = await lab.client(process.execPath, ...words)
      return stdout || stderr
    }
    const token = await readFile(join(cluster.folder, 'prometheus', 'token'), 'utf8')
    const pods = ['10.77.0.13', '10.77.0.12']
    for (const address of pods) {
      expect(await asked(address)).toMatch(/^401 /)
      expect(await asked(address, 'wrong')).toMatch(/^401 /)
    }
    expect(
      await asked('10.77.0.12', await readFile(join(cluster.folder, 'carillon-speaker', 'token'), 'utf8')),
    ).toMatch(/^403 /)
    const reader = ['clusterrolebinding', 'reader', '--clusterrole=carillon-metrics-reader']
    const words = ['create', ...reader, `--serviceaccount=${namespace}:prometheus`]
    await cluster.kubectl(['apply'], await cluster.kubectl([...words, '--dry-run=client', '-o', 'yaml']))
    const [controller, speaker] = await Promise.all(pods.map(address => asked(address, token)))
    expect(controller).toMatch(/^200 .*^metallb_allocator_addresses_total\b/ms)
    expect(speaker).toMatch(/^200 .*^metallb_layer2_gratuitous_sent\b/ms)
    expect(await asked('10.77.0.11', token)).toContain('ECONNREFUSED')
  })

  it('can be asked as the guide says', async () => {
    const { code, stdout } = await cluster.container('speaker-b').exec('carillon', 'status')
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
    for (const name of ['controller', ...speakers]) {
      const { stdout } = await cluster.container(name).exec('node', '-e', script)
      expect(stdout.trim().split('\n')).toEqual(['EROFS', 'EROFS', 'EROFS', 'EPERM'])
    }
  })

  it('end in good order, within the time that they are given', async () => {
    const from = performance.now()
    const all = ['controller', ...speakers].map(name => cluster.container(name))
    expect(await Promise.all(all.map(one => one.terminate()))).toEqual([0, 0, 0])
    expect(performance.now() - from).toBeLessThan(5000)
  })
})
